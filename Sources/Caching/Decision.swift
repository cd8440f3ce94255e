/// One row of a policy's decision table: an exchange as text, and what the rules make of it. `larder policy
/// test` and the tests of this module run rows through the same functions that serve traffic.
///
/// The clock stands at `Decision.now`, 1 January 2026, 00:00:00 GMT, when the request is sent and the answer
/// comes; dates in a row are written relative to that.

internal import Bytes
internal import HTTP
public import Settings

public enum Decision {
    /// Thu, 01 Jan 2026 00:00:00 GMT.
    public static var now: Times {
        Times(wallMilliseconds: 1_767_225_600_000, bootMilliseconds: 1_000_000_000)
    }

    public struct Request: Sendable {
        public var method = "GET"
        /// `http://host[:port]/path[?query]` or `https://…`. Host is written from it unless `headers` has
        /// one.
        public var url = "http://example.com/"
        /// `Name: value` lines.
        public var headers: [String] = []

        public init(_ method: String = "GET", _ url: String = "http://example.com/", headers: [String] = []) {
            self.method = method
            self.url = url
            self.headers = headers
        }
    }

    public enum Framing: String, Sendable, CaseIterable {
        /// Content-Length, written from `bodyCount` unless `headers` has one.
        case length
        case chunked
        /// Until the connection closes.
        case close
    }

    public struct Response: Sendable {
        public var status = 200
        public var headers: [String] = []
        public var bodyCount = 100
        public var framing = Framing.length
        /// Seconds from the request to this answer.
        public var delaySeconds = 0

        public init(
            _ status: Int = 200, headers: [String] = [], bodyCount: Int = 100, framing: Framing = .length,
            delaySeconds: Int = 0
        ) {
            self.status = status
            self.headers = headers
            self.bodyCount = bodyCount
            self.framing = framing
            self.delaySeconds = delaySeconds
        }
    }

    /// A second request, so many seconds after the first answer came.
    public struct FollowUp: Sendable {
        public var afterSeconds = 0
        public var request: Request

        public init(afterSeconds: Int, _ request: Request = Request()) {
            self.afterSeconds = afterSeconds
            self.request = request
        }
    }

    public struct Case: Sendable {
        public var request = Request()
        public var response = Response()
        public var then: FollowUp?

        public init(_ request: Request = Request(), _ response: Response = Response(), then: FollowUp? = nil)
        {
            self.request = request
            self.response = response
            self.then = then
        }
    }

    public enum Served: String, Sendable, CaseIterable {
        /// The stored answer, whole.
        case hit
        /// 304 from the stored answer.
        case notModified = "not-modified"
        /// Nothing stored that matches (key, Vary, coding).
        case miss
        /// Stored, but not fresh.
        case stale
        /// Stored and fresh, but the client asks for fresher.
        case refresh
        /// The store may not answer this request.
        case bypass
        /// 504, by `only-if-cached`.
        case gatewayTimeout = "gateway-timeout"
    }

    public struct Answer: Sendable, Equatable {
        public var served: Served
        /// The Age of a hit or a 304.
        public var ageSeconds: Int?
        /// Why it was a bypass or a refresh.
        public var reason: String?

        public init(_ served: Served, ageSeconds: Int? = nil, reason: String? = nil) {
            self.served = served
            self.ageSeconds = ageSeconds
            self.reason = reason
        }
    }

    public struct Outcome: Sendable, Equatable {
        /// Was the first answer stored?
        public var stored: Bool
        /// Why not.
        public var reason: String?
        /// What the second request came to.
        public var then: Answer?

        public init(stored: Bool, reason: String? = nil, then: Answer? = nil) {
            self.stored = stored
            self.reason = reason
            self.then = then
        }
    }

    /// A row that is no valid exchange.
    public struct Invalid: Error, Equatable, CustomStringConvertible {
        public var description: String
    }

    /// What the rules of `policy` make of one row.
    public static func evaluate(_ row: Case, policy: Policy) throws(Invalid) -> Outcome {
        var run = DecisionRun(policy: policy)
        var outcome = Outcome(stored: false)
        if let reason = try run.exchange(row.request, row.response) {
            outcome.reason = String(describing: reason.code)
        } else {
            outcome.stored = true
        }
        if let then = row.then {
            outcome.then = try run.answer(
                then.request, seconds: row.response.delaySeconds + max(0, then.afterSeconds))
        }
        return outcome
    }
}
