/// One row of a policy's decision table: an exchange, and what the policy is expected to make of it. The
/// module that judges (`Caching`) is not known here: whoever runs the rows brings it.
public struct PolicyDecision: Sendable, Equatable {
    public struct Request: Sendable, Equatable {
        public var method = "GET"
        public var url = "http://example.com/"
        /// `Name: value` lines.
        public var headers: [String] = []
        public init() {}
    }

    public enum Framing: String, Sendable, CaseIterable { case length, chunked, close }

    public struct Response: Sendable, Equatable {
        public var status = 200
        public var headers: [String] = []
        public var bodyBytes = 100
        public var framing = Framing.length
        /// From the request to the answer.
        public var delaySeconds = 0
        public init() {}
    }

    public struct Expectation: Sendable, Equatable {
        public var stored: Bool
        /// A reason code; nil: any.
        public var reason: String?

        public init(stored: Bool, reason: String? = nil) {
            self.stored = stored
            self.reason = reason
        }
    }

    public enum Served: String, Sendable, CaseIterable {
        case hit, notModified = "not-modified"
        /// A range of a stored answer, and one that it does not have.
        case partial, unsatisfiable
        case miss, stale
        /// By a stale entry: while it is revalidated, or because the client takes it.
        case staleHit = "stale-hit"
        case refresh, bypass
        case gatewayTimeout = "gateway-timeout"
    }

    public struct Answer: Sendable, Equatable {
        public var served = Served.hit
        /// nil: any.
        public var ageSeconds: Int?
        /// nil: any.
        public var reason: String?

        public init(_ served: Served = .hit, ageSeconds: Int? = nil, reason: String? = nil) {
            self.served = served
            self.ageSeconds = ageSeconds
            self.reason = reason
        }
    }

    /// A second request for what the first may have stored.
    public struct FollowUp: Sendable, Equatable {
        /// From the first answer.
        public var afterSeconds = 0
        public var request = Request()
        public var expect = Answer()
        public init() {}
    }

    public var name: String
    public var request = Request()
    public var response = Response()
    public var expect: Expectation?
    public var then: FollowUp?

    public init(name: String) { self.name = name }
}

extension PolicyDecision {
    /// What the rules made of a row.
    public struct Outcome: Sendable, Equatable {
        public var stored: Bool
        public var reason: String?
        public var then: Answer?

        public init(stored: Bool, reason: String? = nil, then: Answer? = nil) {
            self.stored = stored
            self.reason = reason
            self.then = then
        }
    }

    /// What an outcome was expected to be, and is not.
    public struct Difference: Sendable, Equatable, CustomStringConvertible {
        /// `stored`, `reason`, `then.served`, `then.age`, `then.reason`.
        public var what: String
        public var expected: String
        /// nil: there is none.
        public var found: String?
        public var description: String { "\(what): expected \(expected), found \(found ?? "none")" }
    }

    /// How an outcome differs from what is expected; empty where it does not. What is not expected may be
    /// anything.
    public func differences(from outcome: Outcome) -> [Difference] {
        var differences: [Difference] = []
        func compare(_ what: String, _ expected: String?, _ found: String?) {
            guard let expected, expected != found else { return }
            differences.append(Difference(what: what, expected: expected, found: found))
        }
        compare("stored", expect.map { String($0.stored) }, String(outcome.stored))
        compare("reason", expect?.reason, outcome.reason)
        compare("then.served", then?.expect.served.rawValue, outcome.then?.served.rawValue)
        compare(
            "then.age", then?.expect.ageSeconds.map { "\($0) s" }, outcome.then?.ageSeconds.map { "\($0) s" })
        compare("then.reason", then?.expect.reason, outcome.then?.reason)
        return differences
    }
}
