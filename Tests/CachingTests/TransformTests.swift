/// Which transform a response gets for its client, and when the whole is fetched in place of it.
import Bytes
import HTTP
import Settings
import Testing

@testable import Caching

@Suite struct TransformTests {
    static let policy = Policy(name: "test").with {
        $0.compress.answers = .shareable
        $0.compress.codings = [.br, .gzip]
        $0.compress.types = ["text/*"]
        $0.compress.minBodyBytes = 100
    }
    static let rules = Rules(policy: policy, upstream: "origin")

    static let text = "Content-Type: text/html"
    static let long = "Content-Length: 500"
    static let gzip = "Content-Encoding: gzip"
    static let fresh = "Cache-Control: max-age=60"

    static func change(
        _ status: Int, _ headers: [String], method: String = "GET", asks: [String], mayUndo: Bool = true
    ) -> HeadTransform.Change {
        let request = RequestSample(method, "/page", asks)
        let response = ResponseSample(
            status, headers, method: method == "HEAD" ? .head : .get)
        var verdict = request.verdict(policy)
        verdict.noteFile("/page".utf8.span)
        let now = Decision.now
        if status == 304 {
            return rules.transform(
                ofNotModified: response.head, response.buffer.span, to: verdict, request.head,
                request.buffer.span, received: now
            ).change
        }
        let judged = rules.judge(response.head, response.buffer.span, to: verdict, sent: now, received: now)
        var whole = rules.judgeWhole(
            response.head, response.buffer.span, to: verdict, sent: now, received: now)
        var reason: Reason?
        switch judged {
        case .store(let facts): whole = facts
        case .refuse(let refusal): reason = refusal
        }
        if let whole { return rules.transform(of: whole, for: verdict, mayUndo: mayUndo).change }
        guard rules.mayTransform(unstored: response.head, response.buffer.span, reason) else { return .none }
        return rules.transform(
            ofUnstored: response.head, response.buffer.span, to: verdict, request.head, request.buffer.span,
            received: now
        ).change
    }

    struct Row: Sendable, CustomTestStringConvertible {
        var name: String
        var method = "GET"
        var status = 200
        var headers: [String]
        var asks: [String] = []
        var mayUndo = true
        var change: HeadTransform.Change
        var testDescription: String { name }
    }

    static let br = ["Accept-Encoding: gzip, br"]
    static let none = ["Accept-Encoding: identity"]

    static let rows: [Row] = [
        Row(name: "stored, coded", headers: [text, long, fresh], asks: br, change: .coded(.br)),
        Row(name: "stored, no coding", headers: [text, long, fresh], asks: none, change: .varies),
        Row(
            name: "stored, a picture", headers: ["Content-Type: image/png", long, fresh], asks: br,
            change: .none),
        Row(
            name: "HEAD is answered as GET", method: "HEAD", headers: [text, long, fresh], asks: br,
            change: .coded(.br)),
        Row(name: "stored gzip, taken", headers: [text, long, fresh, gzip], asks: br, change: .varies),
        Row(
            name: "stored gzip, not taken", headers: [text, long, fresh, gzip, "Vary: Accept-Encoding"],
            asks: none, change: .decoded),
        Row(
            name: "stored gzip, not taken, tried before",
            headers: [text, long, fresh, gzip, "Vary: Accept-Encoding"], asks: none, mayUndo: false,
            change: .varies),
        Row(
            name: "unstored, by its status", status: 206, headers: [text, long, fresh], asks: br,
            change: .none),
        Row(
            name: "unstored but shareable", status: 410, headers: [text, long, fresh, "Vary: X-Other"],
            asks: br, change: .coded(.br)),
        Row(
            name: "unstored but shareable, no coding", status: 200,
            headers: [text, long, fresh, "Vary: X-Other"], asks: none, change: .varies),
        Row(
            name: "unstored but shareable, a part is asked for", headers: [text, long, fresh],
            asks: br + ["Range: bytes=0-1"], change: .varies),
        Row(
            name: "private", headers: [text, long, "Cache-Control: private, max-age=60"], asks: br,
            change: .none),
        Row(name: "no-store", headers: [text, long, "Cache-Control: no-store"], asks: br, change: .none),
        Row(
            name: "no-cache", headers: [text, long, "Cache-Control: no-cache, max-age=60"], asks: br,
            change: .none),
        Row(name: "sets a cookie", headers: [text, long, fresh, "Set-Cookie: a=1"], asks: br, change: .none),
        Row(name: "no lifetime", headers: [text, long], asks: br, change: .none),
        Row(name: "too short", headers: [text, "Content-Length: 99", fresh], asks: br, change: .none),
        Row(
            name: "304, its 200 is compressed", status: 304, headers: [text, fresh, "ETag: \"a\""],
            asks: br + ["If-None-Match: \"a\""], change: .varies),
        Row(
            name: "304, the client has the coded body", status: 304, headers: [text, fresh, "ETag: \"a\""],
            asks: br + ["If-None-Match: W/\"a\""], change: .decoded),
        Row(
            name: "304 of a private page", status: 304,
            headers: [text, "Cache-Control: private", "ETag: \"a\""], asks: br + ["If-None-Match: W/\"a\""],
            change: .none),
    ]

    @Test(arguments: rows) func transforms(row: Row) {
        let change = Self.change(
            row.status, row.headers, method: row.method, asks: row.asks, mayUndo: row.mayUndo)
        #expect(change == row.change)
    }

    /// The early answer must be that of the whole question.
    @Test(arguments: [
        "Cache-Control: no-store", "Cache-Control: private", "Cache-Control: no-cache", "Pragma: no-cache",
        "Set-Cookie: a=1",
    ])
    func whatForbidsSharingIsNotShareable(line: String) throws {
        let request = RequestSample("GET", "/a.css", Self.br)
        let modified = "Last-Modified: Thu, 01 Jan 2026 00:00:00 GMT"
        let response = ResponseSample(200, [Self.text, Self.long, modified, line])
        let verdict = request.verdict(Self.policy)
        let judged = Self.rules.judge(
            response.head, response.buffer.span, to: verdict, sent: Decision.now, received: Decision.now)
        guard case .refuse(let reason) = judged else {
            Issue.record("stored")
            return
        }
        #expect(reason.forbidsSharing)
        let mayCompress = Self.rules.mayCompress(
            unstored: response.head, response.buffer.span, to: verdict, request.head, request.buffer.span,
            received: Decision.now)
        #expect(!mayCompress)
    }

    @Test func undoneOnce() {
        var facts = EntryFacts(
            received: Decision.now, initialAgeMilliseconds: 0, freshForMilliseconds: 60_000, status: 200,
            coding: .gzip, flags: .undoable, fingerprint: 1)
        let plain = RequestSample("GET", "/", Self.none).verdict(Self.policy)
        let coded = RequestSample("GET", "/", Self.br).verdict(Self.policy)
        #expect(Self.rules.transform(of: facts, for: plain, mayUndo: true).change == .decoded)
        #expect(Self.rules.transform(of: facts, for: plain, mayUndo: false).change == .varies)
        #expect(Self.rules.transform(of: facts, for: coded, mayUndo: true).change == .varies)
        facts.flags = .none
        #expect(Self.rules.transform(of: facts, for: plain, mayUndo: true).change == .none)
    }

    @Test func expiry() {
        func facts(freshFor milliseconds: UInt64, _ flags: EntryFacts.Flags = .none) -> EntryFacts {
            EntryFacts(
                received: Decision.now, initialAgeMilliseconds: 0, freshForMilliseconds: milliseconds,
                status: 200, coding: .identity, flags: flags, fingerprint: 1)
        }
        let now = UInt32(Decision.now.wallSeconds)
        #expect(facts(freshFor: 60_000).expirySeconds == now + 60)
        #expect(facts(freshFor: 59_001).expirySeconds == now + 60)
        #expect(facts(freshFor: 60_000, .hasEntityTag).expirySeconds == now + 3660)
        func left(_ elapsed: Int64) -> Int64 { facts(freshFor: 60_000).timeToLive(UseTests.later(elapsed)) }
        #expect(left(0) == 60)
        #expect(left(1) == 59)
        #expect(left(60_000) == 0)
        #expect(left(60_001) == -1)
        #expect(left(61_000) == -1)
        #expect(left(61_001) == -2)
    }

    @Test(arguments: [
        (0, 16, true), (14, 16, true), (15, 16, false), (16, 16, false), (937, 1000, true),
        (938, 1000, false), (0, 0, false),
    ])
    func aVariantSavesASixteenth(count: Int, original: Int, isWorthIt: Bool) {
        #expect(CompressionRules.isWorthStoring(count, insteadOf: original) == isWorthIt)
    }
}
