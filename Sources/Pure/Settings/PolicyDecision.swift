/// One row of a policy's decision table: an exchange, and the result that the policy must have. This module
/// does not know `Caching`, which judges; the caller that runs the rows does.
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
        /// The time from the request to the answer.
        public var delaySeconds = 0
        public init() {}
    }

    public struct Expectation: Sendable, Equatable {
        public var stored: Bool
        /// A reason code; nil for any.
        public var reason: String?

        public init(stored: Bool, reason: String? = nil) {
            self.stored = stored
            self.reason = reason
        }
    }

    public enum Served: String, Sendable, CaseIterable {
        case hit, notModified = "not-modified"
        /// A range of a stored answer, and a range that the stored answer does not have.
        case partial, unsatisfiable
        case miss, stale
        /// Answered by a stale entry: while it is revalidated, or because the client accepts stale answers.
        case staleHit = "stale-hit"
        case refresh, bypass
        case gatewayTimeout = "gateway-timeout"
    }

    public struct Answer: Sendable, Equatable {
        public var served = Served.hit
        /// Nil for any.
        public var ageSeconds: Int?
        /// Nil for any.
        public var reason: String?

        public init(_ served: Served = .hit, ageSeconds: Int? = nil, reason: String? = nil) {
            self.served = served
            self.ageSeconds = ageSeconds
            self.reason = reason
        }
    }

    /// A second request, for the answer that the first one may have stored.
    public struct FollowUp: Sendable, Equatable {
        /// Seconds after the first answer.
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
    /// The actual result of a row.
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

    /// A value of an outcome that differs from the expected one.
    public struct Difference: Sendable, Equatable, CustomStringConvertible {
        /// `stored`, `reason`, `then.served`, `then.age`, `then.reason`.
        public var what: String
        public var expected: String
        /// Nil if there is no value.
        public var found: String?
        public var description: String { "\(what): expected \(expected), found \(found ?? "none")" }
    }

    /// The differences between `outcome` and the expectation; empty if there are none. A value without an
    /// expectation may be anything.
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
