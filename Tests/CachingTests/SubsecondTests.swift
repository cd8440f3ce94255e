/// Lifetimes of about a second: which responses are stored, for how many milliseconds, and whether a refusal
/// holds for the next response too. Date names whole seconds, and a response loses some milliseconds of its
/// second on its way.
import Bytes
import HTTP
import Settings
import Testing

@testable import Caching

@Suite struct SubsecondTests {
    /// `Decision.now` is at the beginning of this second.
    static let date = "Date: Thu, 01 Jan 2026 00:00:00 GMT"

    struct Row: Sendable, CustomTestStringConvertible {
        var headers: [String]
        /// The moment of receipt, in milliseconds after the second that Date names; negative: the origin's
        /// clock is ahead.
        var offset: Int64 = 0
        /// Milliseconds from the request to the head.
        var delay: UInt64 = 0
        var minimum = 1
        /// The lifetime in milliseconds from receipt; nil: refused as `expired`.
        var lifetime: UInt64?
        /// Whether a refusal makes the key hit-for-miss.
        var isLasting = false
        var testDescription: String {
            "\(headers) received at \(offset) ms after \(delay) ms, at least \(minimum) s"
        }

        init(
            _ cacheControl: String, _ others: String..., at offset: Int64 = 0, delay: UInt64 = 0,
            atLeast minimum: Int = 1, lives lifetime: UInt64?, isLasting: Bool = false
        ) {
            headers = (cacheControl.isEmpty ? [] : ["Cache-Control: \(cacheControl)"]) + others
            self.offset = offset
            self.delay = delay
            self.minimum = minimum
            self.lifetime = lifetime
            self.isLasting = isLasting
        }
    }

    static let rows: [Row] = [
        // Date and receipt within the same second, or at its end.
        Row("max-age=1", date, lives: 1000), Row("max-age=1", date, at: 1, lives: 1000),
        Row("max-age=1", date, at: 500, lives: 1000), Row("max-age=1", date, at: 999, lives: 1000),
        // In the next second: the response may have been made at the end of the first.
        Row("max-age=1", date, at: 1000, lives: 999), Row("max-age=1", date, at: 1500, lives: 499),
        Row("max-age=1", date, at: 1998, lives: 1), Row("max-age=1", date, at: 1999, lives: nil),
        Row("max-age=1", date, at: 2500, lives: nil),
        Row("max-age=2", date, at: 2500, lives: 499), Row("max-age=2", date, at: 2999, lives: nil),
        // The origin's clock is ahead.
        Row("max-age=1", date, at: -1, lives: 1000), Row("max-age=1", date, at: -5000, lives: 1000),
        // The response's delay counts, with Date and without.
        Row("max-age=1", delay: 3, lives: 997), Row("max-age=1", delay: 999, lives: 1),
        Row("max-age=1", delay: 1000, lives: nil), Row("max-age=1", delay: 2500, lives: nil),
        Row("max-age=1", date, at: 500, delay: 30, lives: 970),
        Row("max-age=1", date, at: 1100, delay: 30, lives: 899),
        Row("max-age=1", date, at: 1010, delay: 30, lives: 970),
        Row("max-age=2", date, at: 700, delay: 1500, lives: 500),
        // A cache below: Age in whole seconds, Date kept.
        Row("max-age=2", "Age: 1", lives: 1000), Row("max-age=2", "Age: 1", delay: 5, lives: 995),
        Row("max-age=2", date, "Age: 1", at: 1500, delay: 5, lives: 995),
        Row("max-age=2", date, "Age: 1", at: 2400, lives: 599),
        Row("max-age=1", "Age: 1", lives: nil), Row("max-age=2", "Age: 2", lives: nil),
        Row("max-age=60", "Age: 59", delay: 400, lives: 600), Row("max-age=60", "Age: 60", lives: nil),
        Row("max-age=60", "Age: 100", lives: nil),
        // In whatever field the lifetime is stated.
        Row("s-maxage=1", date, at: 999, lives: 1000), Row("s-maxage=1, max-age=0", date, at: 7, lives: 1000),
        Row("s-maxage=1, stale-while-revalidate=5", date, at: 800, delay: 2, lives: 998),
        Row("max-age=1, stale-while-revalidate=5", date, at: 800, lives: 1000),
        Row("no-store", "CDN-Cache-Control: max-age=1", date, at: 999, lives: 1000),
        Row("", date, "Expires: Thu, 01 Jan 2026 00:00:01 GMT", at: 999, lives: 1000),
        Row("", date, "Expires: Thu, 01 Jan 2026 00:00:01 GMT", at: 1400, lives: 599),
        Row("", date, "Expires: Thu, 01 Jan 2026 00:00:01 GMT", at: 2000, lives: nil),
        // A stated lifetime that is too short is too short for the next response too.
        Row("max-age=0", date, lives: nil, isLasting: true),
        Row("s-maxage=0, max-age=60", date, at: 5000, lives: nil, isLasting: true),
        Row("", date, "Expires: Thu, 01 Jan 2026 00:00:00 GMT", lives: nil, isLasting: true),
        Row("", date, "Expires: 0", lives: nil, isLasting: true),
        Row("", date, "Expires: Wed, 31 Dec 2025 23:59:59 GMT", lives: nil, isLasting: true),
        // A policy's minimum counts whole seconds too.
        Row("max-age=5", date, at: 999, delay: 20, atLeast: 5, lives: 4980),
        Row("max-age=5", date, at: 1998, atLeast: 5, lives: 4001),
        Row("max-age=5", date, at: 1999, atLeast: 5, lives: nil),
        Row("max-age=5", delay: 1000, atLeast: 5, lives: nil),
        Row("max-age=5", "Age: 1", atLeast: 5, lives: nil),
        Row("max-age=4", date, atLeast: 5, lives: nil, isLasting: true),
        Row("", date, "Expires: Thu, 01 Jan 2026 00:00:04 GMT", atLeast: 5, lives: nil, isLasting: true),
    ]

    @Test(arguments: rows) func aShortLifetimeIsExact(row: Row) {
        let policy = Policy(name: "test").with { $0.store.minAgeSeconds = row.minimum }
        let rules = Rules(policy: policy, upstream: "origin")
        let received = Self.later(row.offset)
        let sent = Times(
            wallMilliseconds: received.wallMilliseconds - row.delay,
            bootMilliseconds: received.bootMilliseconds - row.delay)
        let request = RequestSample().verdict(policy)
        let response = ResponseSample(200, row.headers + ["Content-Length: 5"])
        let verdict = rules.judge(
            response.head, response.buffer.span, to: request, sent: sent, received: received)
        switch verdict {
        case .store(let facts):
            #expect(facts.freshForMilliseconds == row.lifetime)
            // Fresh to its last millisecond, with a time to live that is rounded down.
            let last = Self.later(row.offset + Int64(facts.freshForMilliseconds) - 1)
            guard case .fresh(_, let ttl) = rules.use(facts, for: request, now: last) else {
                Issue.record("not fresh to the end")
                return
            }
            #expect(ttl == 0)
            guard
                case .stale = rules.use(
                    facts, for: request, now: Self.later(row.offset + Int64(facts.freshForMilliseconds)))
            else {
                Issue.record("fresh for too long")
                return
            }
            // The store keeps the entry until then.
            #expect(facts.keptSeconds * 1000 >= facts.freshForMilliseconds)
        case .refuse(let reason):
            #expect(reason == .expired && row.lifetime == nil)
            let isLasting = rules.isLasting(
                reason, of: response.head, response.buffer.span, to: request, sent: sent, received: received)
            #expect(isLasting == row.isLasting)
        }
    }

    /// Other refusals concern the response, one request, or the moment.
    @Test func onlySomeRefusalsHoldForTheNextResponse() {
        let ofTheMoment: [Reason] = [.cookie, .authorization, .pressure, .invalidated]
        let response = ResponseSample(200, ["Content-Length: 5"])
        let rules = Rules(policy: Policy(name: "test"), upstream: "origin")
        for reason in Reason.allCases where reason != .expired {
            let isLasting = rules.isLasting(
                reason, of: response.head, response.buffer.span, to: RequestSample().verdict(),
                sent: Decision.now, received: Decision.now)
            #expect(isLasting == !ofTheMoment.contains(reason), "\(reason)")
        }
    }

    private static func later(_ milliseconds: Int64) -> Times {
        Times(
            wallMilliseconds: UInt64(Int64(Decision.now.wallMilliseconds) + milliseconds),
            bootMilliseconds: UInt64(Int64(Decision.now.bootMilliseconds) + milliseconds))
    }
}
