/// What a response that may not be stored does: to waiting requests, to hit-for-miss and to the entry.
import Bytes
import HTTP
import Machines
import Settings
import Testing

@testable import Caching

@Suite struct RefusalEffectTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var name: String
        var method = "GET"
        var asked: [String] = []
        var status = 200
        var headers: [String] = []
        /// What the rules refuse it for.
        var reason: Reason
        var ending: Reservations.Ending
        var removesEntry: Bool
        var testDescription: String { name }
    }

    static let fresh = "Cache-Control: max-age=60"

    static let rows: [Row] = [
        Row(
            name: "private", headers: ["Cache-Control: private"], reason: .private,
            ending: .unstorable(remember: true), removesEntry: true),
        Row(
            name: "no-store", headers: ["Cache-Control: no-store"], reason: .noStore,
            ending: .unstorable(remember: true), removesEntry: true),
        Row(
            name: "sets a cookie", headers: [fresh, "Set-Cookie: a=1"], reason: .setCookie,
            ending: .unstorable(remember: true), removesEntry: true),
        Row(
            name: "a lifetime of nothing lasts", headers: ["Cache-Control: max-age=0"], reason: .expired,
            ending: .unstorable(remember: true), removesEntry: true),
        Row(
            name: "too old on its way: the next one may be younger", headers: [fresh, "Age: 60"],
            reason: .expired, ending: .unstorable(remember: false), removesEntry: true),
        Row(
            name: "a missing page without a lifetime", status: 404, reason: .noFreshness,
            ending: .unstorable(remember: true), removesEntry: true),
        Row(
            name: "a redirect that the policy does not list", status: 302, headers: [fresh], reason: .status,
            ending: .unstorable(remember: true), removesEntry: true),
        Row(
            name: "an error of the origin", status: 503, headers: [fresh], reason: .status,
            ending: .unstorable(remember: false), removesEntry: false),
        Row(
            name: "credentials asked for", status: 401, headers: [fresh], reason: .status,
            ending: .unstorable(remember: false), removesEntry: false),
        Row(
            name: "too many requests of one client", status: 429, headers: [fresh], reason: .status,
            ending: .unstorable(remember: false), removesEntry: false),
        Row(
            name: "for this client's cookie", asked: ["Cookie: a=1"], headers: [fresh], reason: .cookie,
            ending: .unstorable(remember: false), removesEntry: false),
        Row(
            name: "to a HEAD behind an answer", method: "HEAD", headers: [fresh], reason: .method,
            ending: .failed, removesEntry: false),
        Row(
            name: "a part", asked: ["Range: bytes=0-1"], status: 206, reason: .range, ending: .failed,
            removesEntry: false),
    ]

    @Test(arguments: rows) func effect(row: Row) throws {
        let rules = Rules(policy: Policy(name: "test"), upstream: "origin")
        var asked = PolicyDecision.Request()
        (asked.method, asked.headers) = (row.method, row.asked)
        let text = try DecisionText(asked)
        var request = RequestHead()
        try text.parse(into: &request, "request")
        let verdict = rules.judge(request, text.head.span)
        var answered = PolicyDecision.Response()
        (answered.status, answered.headers) = (row.status, row.headers)
        let bytes = DecisionText.head(of: answered)
        var response = ResponseHead()
        var scan = HeadScan()
        let result = response.parse(
            bytes.span, limits: DecisionText.limits, scan: &scan, requestMethod: request.method)
        try #require(result == .complete(bytes.count))
        let judged = rules.judge(
            response, bytes.span, to: verdict, sent: Decision.now, received: Decision.now)
        #expect(judged == .refuse(row.reason))
        let effect = rules.refusalEffect(
            row.reason, of: response, bytes.span, to: verdict, sent: Decision.now, received: Decision.now)
        #expect(effect == RefusalEffect(row.ending, removesEntry: row.removesEntry))
    }
}
