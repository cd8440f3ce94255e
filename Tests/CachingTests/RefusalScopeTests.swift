/// Whom a refusal to store concerns: what the waiting requests do next.
import Bytes
import HTTP
import Settings
import Testing

@testable import Caching

@Suite struct RefusalScopeTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var name: String
        var reason: Reason
        var status = 200
        /// Headers of the response.
        var headers: [String] = []
        var asked: [String] = []
        var waits: [String] = []
        var place: RefusalScope.Place
        var testDescription: String { name }
    }

    static let byLanguage = ["Vary: Accept-Language"]
    static let en = ["Accept-Language: en"]
    static let de = ["Accept-Language: de"]
    static let cookie = ["Cookie: a=1"]

    static let rows: [Row] = [
        Row(name: "private", reason: .private, place: .alone),
        Row(name: "private, another language, no Vary", reason: .private, asked: en, waits: de, place: .alone),
        Row(
            name: "private, the same language", reason: .private, headers: byLanguage, asked: en, waits: en,
            place: .alone),
        Row(
            name: "private, another language", reason: .private, headers: byLanguage, asked: en, waits: de,
            place: .variant),
        Row(
            name: "the same in another spelling", reason: .noStore, headers: byLanguage,
            asked: ["Accept-Language: en, de"], waits: ["Accept-Language: EN,de"], place: .alone),
        Row(
            name: "none for a language", reason: .noFreshness, headers: byLanguage, asked: en,
            place: .variant),
        Row(name: "neither has one", reason: .noFreshness, headers: byLanguage, place: .alone),
        Row(
            name: "too long as one language", reason: .tooLarge, headers: byLanguage, asked: en, waits: de,
            place: .variant),
        Row(
            name: "varies by coding alone", reason: .private, headers: ["Vary: Accept-Encoding"],
            asked: ["Accept-Encoding: br"], place: .alone),
        Row(
            name: "varies by more than is listed", reason: .vary, headers: ["Vary: Accept-Language, X-A"],
            asked: en, waits: de, place: .alone),
        Row(
            name: "varies by everything", reason: .vary, headers: ["Vary: *"], asked: en, waits: de,
            place: .alone),
        Row(
            name: "an error of one language", reason: .status, status: 503, headers: byLanguage, asked: en,
            waits: de, place: .alone),
        Row(
            name: "an answer to one request", reason: .status, status: 401, headers: byLanguage, asked: en,
            waits: de, place: .alone),
        Row(
            name: "a missing page in one language", reason: .status, status: 403, headers: byLanguage,
            asked: en, waits: de, place: .variant),
        Row(
            name: "no memory", reason: .pressure, headers: byLanguage, asked: en, waits: de, place: .alone),
        Row(name: "a cookie, and one without", reason: .cookie, asked: cookie, place: .again),
        Row(name: "a cookie, and another", reason: .cookie, asked: cookie, waits: ["Cookie: b"], place: .alone),
        Row(
            name: "a cookie in one language, and one without in another", reason: .cookie,
            headers: byLanguage, asked: cookie + en, waits: de, place: .again),
        Row(
            name: "credentials, and none", reason: .authorization, asked: ["Authorization: Basic eDp5"],
            place: .again),
        Row(
            name: "credentials, and others", reason: .authorization, asked: ["Authorization: Basic eDp5"],
            waits: ["Authorization: Basic eDp6"], place: .alone),
    ]

    @Test(arguments: rows) func aRefusalConcernsTheRightRequests(row: Row) {
        let policy = Policy(name: "test").with {
            $0.store.vary = .list(["accept-encoding", "accept-language"])
            $0.store.authorization = .explicit
        }
        let rules = Rules(policy: policy, upstream: "origin")
        let response = ResponseSample(row.status, row.headers + ["Content-Length: 5"])
        let asked = RequestSample("GET", "/", row.asked)
        let scope = rules.scope(
            of: row.reason, response.head, response.buffer.span, request: asked.head.fields,
            asked.buffer.span)
        let waiter = RequestSample("GET", "/", row.waits)
        var blob = ByteBuffer(capacity: 16)
        let place = scope.place(
            of: waiter.verdict(policy), waiter.head.fields, waiter.buffer.span, into: &blob)
        #expect(place == row.place)
        // Of another variant: it has a blob of its own, by which it is found again.
        if place == .variant {
            let isOwn = Variance.matches(blob.span, waiter.head.fields, waiter.buffer.span)
            let isTheirs = Variance.matches(blob.span, asked.head.fields, asked.buffer.span)
            #expect(isOwn && !isTheirs)
        }
    }

    /// Blobs come from shared memory: a malformed blob ends early, and no byte beyond it is read.
    @Test func malformedBlobsAreSafe() {
        let request = RequestSample("GET", "/", ["Accept-Language: en"])
        for bytes: [UInt8] in [[5], [200, 1, 2], [1, 97], [1, 97, 0], [1, 97, 0xff, 0xff, 9], [0, 0, 200, 1]] {
            var blob = ByteBuffer(capacity: 16)
            Variance.append(
                namesOf: bytes.span, request.head.fields, request.buffer.span, to: &blob)
            #expect(blob.count < 64)
        }
    }
}
