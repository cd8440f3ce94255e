/// "May the store answer this request?", rule by rule.
import Bytes
import HTTP
import Settings
import Testing

@testable import Caching

@Suite struct RequestTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var method = "GET"
        var target = "/"
        var headers: [String]
        var reason: Reason?
        var testDescription: String { "\(method) \(target) \(headers)" }

        init(_ method: String = "GET", _ target: String = "/", _ headers: [String] = [], is reason: Reason?) {
            self.method = method
            self.target = target
            self.headers = headers
            self.reason = reason
        }
    }

    static let rows: [Row] = [
        .init(is: nil), .init("GET", "/a.css?x=../;", is: nil),
        .init("GET", "/", ["Content-Length: 0"], is: nil),
        .init("POST", is: .method), .init("PUT", is: .method), .init("PROPFIND", is: .method),
        .init("OPTIONS", "*", is: .method),
        .init("GET", "/", ["Transfer-Encoding: chunked"], is: .method),
        .init("GET", "/", ["Content-Length: 1"], is: .method),
        .init("GET", "/", ["Authorization: x"], is: .authorization),
        .init("GET", "/", ["X-Original-URL: /a"], is: .unkeyed),
        .init("GET", "/", ["x-rewrite-url: /a"], is: .unkeyed),
        .init("GET", "/", ["X-HTTP-Method-Override: PUT"], is: .unkeyed),
        .init("GET", "/", ["X-HTTP-Method: PUT"], is: .unkeyed),
        .init("GET", "/", ["X-Method-Override: PUT"], is: .unkeyed),
        .init("GET", "/", ["X-Forwarded-Prefix: /a"], is: .unkeyed),
        .init("GET", "/", ["X-Original-URI: /a"], is: .unkeyed),
        .init("GET", "/", ["X-Forwarded-Uri: /a"], is: .unkeyed),
        .init("GET", "/", ["SCRIPT_NAME: /a"], is: .unkeyed),
        .init("GET", "/", ["X-Middleware-Subrequest: a"], is: .unkeyed),
        // RFC 3875 §4.1.18: a CGI program cannot tell the two names apart.
        .init("GET", "/", ["X_Original_URL: /a"], is: .unkeyed),
        .init("GET", "/", ["x-http_method-override: PUT"], is: .unkeyed),
        // Handled as if they were not sent.
        .init("GET", "/", ["X_FORWARDED_HOST: a"], is: nil),
        .init("GET", "/", ["X_Forwarded_SSL: on"], is: nil),
        .init(
            "GET", "/", ["Accept_Language: de", "Content_Length: 5", "Transfer_Encoding: chunked"], is: nil),
        .init("GET", "/", ["X-Host: a", "X-Original-Host: a", "Forwarded-Host: a"], is: nil),
        .init("GET", "/", ["X-HTTP-Host-Override: a", "CF-Visitor: a", "X-Real-IP: 1"], is: nil),
        .init(
            "GET", "/", ["X-Remote-User: a", "X-Forwarded-User: a", "SSL_CLIENT_VERIFY: SUCCESS"], is: nil),
        .init("GET", "/", ["X_Own_Field: a", "_: b"], is: nil),
        .init("GET", "/", ["X-Forwarded-Host: a", "X-Forwarded-Port: 1", "X-Forwarded-SSL: on"], is: nil),
        .init("GET", "/", ["Connection: close"], is: nil),
        .init("GET", "/", ["Connection: Keep-Alive, TE"], is: nil),
        .init("GET", "/", ["Connection: Upgrade, HTTP2-Settings"], is: nil),
        .init("GET", "/", ["Connection: cookie"], is: .connection),
        .init("GET", "/", ["Connection: close", "Connection: close, x"], is: .connection),
        .init("GET", "/", [#"If-Match: "a""#], is: .conditional),
        .init("GET", "/", ["If-Unmodified-Since: x"], is: .conditional),
        .init("GET", "/", [#"If-Match: "a""#, "Range: bytes=0-1"], is: .conditional),
        .init("GET", "/", ["Cache-Control: max-age=1, NO-STORE"], is: .clientNoStore),
        .init("GET", "/", [#"Cache-Control: no-store="x""#], is: .clientNoStore),
        .init("GET", "/", ["Accept-Encoding: deflate, identity;q=0"], is: .encoding),
    ]

    @Test(arguments: rows)
    func aRequestBypassesForItsReason(row: Row) {
        let sample = RequestSample(row.method, row.target, row.headers)
        let verdict = sample.verdict()
        #expect(verdict.reason == row.reason)
        #expect(verdict.mayLookup == (row.reason == nil))
        #expect(verdict.mayStore == (row.reason == nil))
    }

    @Test(arguments: [
        "/.", "/..", "/./a", "/a/../b", "/a/..", "/%2e", "/%2E%2e/a", "/.%2e", "/%2e.", "/a%2fb", "/a%2Fb",
        "/a%5cb",
        #"/a\b"#, "/a;b", "/a%3bb", "/a%00", "/a%0a", "/a%1F", "/a%7f", "/a%", "/a%2", "/a%zz",
    ])
    func aPathIsNotPlain(path: String) {
        let buffer = ByteBuffer(path)
        let isPlain = Rules.isPlain(buffer.span)
        #expect(!isPlain)
    }

    @Test(arguments: [
        "", "/", "/a.b", "/a..", "/..a", "/...", "/.well-known/x", "/%2ea", "/a%2e", "/%20%C3%A9", "//",
        "/~@:!$&'()*+,=",
    ])
    func aPathIsPlain(path: String) {
        let buffer = ByteBuffer(path)
        let isPlain = Rules.isPlain(buffer.span)
        #expect(isPlain)
    }

    /// Special marks are found at every place of the path's words, and not after the path.
    @Test func marksAreFoundAtEveryPlaceOfThePath() {
        for before in 0..<40 {
            let start = "/" + String(repeating: "a", count: before)
            for (text, expected) in [
                ("/../b", false), ("/.", false), ("%2f", false), (";", false), (#"\"#, false), (".b", true),
                ("..b.c", true), ("%20", true),
            ] {
                let path = ByteBuffer(start + text)
                let isPlain = Rules.isPlain(path.span)
                #expect(isPlain == expected, "\(start + text)")
                let request = RequestSample("GET", start + text)
                let reason = request.verdict().reason
                #expect(reason == (expected ? nil : .path), "\(start + text)")
            }
        }
    }

    @Test func headMayLookUpButNotStore() {
        let verdict = RequestSample("HEAD").verdict()
        #expect(verdict.mayLookup && !verdict.mayStore && verdict.reason == .method)
        // RFC 9110 §14.2: Range has no meaning on HEAD.
        #expect(RequestSample("HEAD", "/", ["Range: bytes=0-1"]).verdict().mayLookup)
    }

    @Test func aClientCertificateBypasses() {
        let verdict = RequestSample().verdict(clientCertificate: true)
        #expect(!verdict.mayLookup && verdict.reason == .clientCertificate)
    }

    @Test func aWebSocketRequestPasses() {
        var sample = RequestSample("GET", "/", ["Connection: upgrade", "Upgrade: websocket"])
        sample.head.upgradesToWebSocket = true
        #expect(sample.verdict().reason == .connection)
    }

    @Test func cookiesFollowThePolicy() {
        let sample = RequestSample("GET", "/", ["Cookie: a=1"])
        let byDefault = sample.verdict()
        #expect(byDefault.mayLookup && byDefault.flags.contains(.cookie))
        let stripped = sample.verdict(Policy(name: "strip").with { $0.store.cookies = .strip })
        #expect(stripped.mayLookup && !stripped.flags.contains(.cookie))
        let never = sample.verdict(Policy(name: "never").with { $0.store.cookies = .never })
        #expect(never.reason == .cookie)
    }

    @Test func authorizationFollowsThePolicy() {
        let sample = RequestSample("GET", "/", ["Authorization: x"])
        let verdict = sample.verdict(.liberal)
        #expect(verdict.mayLookup && verdict.mayStore && verdict.flags.contains(.authorization))
    }

    /// RFC 9111 §5.2.1.7: a request that bypasses the store still has to honour only-if-cached.
    @Test(arguments: [
        "Authorization: x", "X-Original-URL: a", "Connection: x", "If-Match: \"a\"", "Content-Length: 1",
        "Accept-Encoding: identity;q=0", "Cache-Control: no-store",
    ])
    func onlyIfCachedIsReadBesideAnyOtherField(field: String) {
        let verdict = RequestSample("GET", "/", [field, "Cache-Control: only-if-cached"]).verdict()
        #expect(!verdict.mayLookup && verdict.flags.contains(.onlyIfCached))
        let elsewhere = RequestSample("GET", "/;", [field, "Cache-Control: only-if-cached"]).verdict()
        #expect(elsewhere.reason == .path && elsewhere.flags.contains(.onlyIfCached))
    }

    // RFC 9111 §5.2.1.
    @Test func requestDirectivesAreRead() {
        let sample = RequestSample(
            "GET", "/",
            [
                "Cache-Control: max-age=10, min-fresh=\"5\"",
                "Cache-Control: Max-Age=7, max-stale, only-if-cached",
            ])
        let verdict = sample.verdict()
        #expect(verdict.maxAgeSeconds == 7)
        #expect(verdict.minFreshSeconds == 5)
        #expect(verdict.maxStaleSeconds == RequestVerdict.unlimited)
        #expect(verdict.flags == .onlyIfCached)
        // Malformed: the most demanding reading.
        let malformed = RequestSample("GET", "/", ["Cache-Control: max-age=x, min-fresh, max-stale=y"])
            .verdict()
        #expect(malformed.maxAgeSeconds == 0)
        #expect(malformed.minFreshSeconds == RequestVerdict.unlimited)
        #expect(malformed.maxStaleSeconds == 0)
        #expect(RequestSample("GET", "/", ["Pragma: x, No-Cache"]).verdict().flags == .noCache)
        #expect(RequestSample("GET", "/", ["Pragma: no-cache", "Cache-Control: x"]).verdict().flags == [])
    }

    @Test func clientRefreshCanBeIgnored() {
        let ignoring = Policy(name: "ignore").with { $0.serve.clientRefresh = .ignore }
        let verdict = RequestSample("GET", "/", ["Cache-Control: no-cache, max-age=0, min-fresh=9"]).verdict(
            ignoring)
        #expect(!verdict.restrictsAge)
        #expect(RequestSample("GET", "/", ["Pragma: no-cache"]).verdict(ignoring).flags == [])
        #expect(
            RequestSample("GET", "/", ["Cache-Control: no-store"]).verdict(ignoring).reason == .clientNoStore)
    }
}

@Suite struct CodingsTests {
    // RFC 9110 §12.5.3.
    static let rows: [([String], Codings)] = [
        ([], [.identity, .unstated]), ([""], .identity), (["gzip"], [.identity, .gzip]),
        (["GZIP, x"], [.identity, .gzip]),
        (["x-gzip"], [.identity, .gzip]), (["gzip, deflate, br, zstd"], .all), (["*"], .all),
        (["gzip;q=0"], .identity), (["gzip;q=0.000, br;q=0.001"], [.identity, .br]),
        (["gzip;q=1.000"], [.identity, .gzip]), (["gzip;q=1.1"], .identity), (["gzip;q=2"], .identity),
        (["gzip;q="], .identity), (["gzip;q=0.0001"], .identity), (["gzip;x=1"], .identity),
        (["gzip ; Q=0.5 ,br"], [.identity, .gzip, .br]), (["gzip", "br"], [.identity, .gzip, .br]),
        (["gzip, gzip;q=0"], .identity), (["gzip;q=0", "gzip"], .identity),
        (["identity;q=0"], []), (["identity;q=0, gzip"], .gzip), (["*;q=0"], []), (["*;q=0, gzip"], .gzip),
        (["*;q=0, identity"], .identity), (["*, gzip;q=0"], [.identity, .br, .zstd]),
        (["*, identity;q=0"], [.gzip, .br, .zstd]), (["*, *;q=0"], []), (["gzip x"], .identity),
    ]

    @Test(arguments: rows)
    func acceptEncodingIsNormalised(lines: [String], expected: Codings) {
        let sample = RequestSample("GET", "/", lines.map { "Accept-Encoding: \($0)" })
        let accepted = Codings.accepted(by: sample.head.fields, sample.buffer.span)
        #expect(accepted == expected)
    }

    /// The field that is sent to the origin reads back as the same set.
    @Test(arguments: 1..<16)
    func fieldValueRoundTrips(raw: Int) {
        let codings = Codings(rawValue: UInt8(raw))
        let sample = RequestSample("GET", "/", ["Accept-Encoding: \(codings.fieldValue)"])
        let accepted = Codings.accepted(by: sample.head.fields, sample.buffer.span)
        #expect(accepted == codings)
    }
}
