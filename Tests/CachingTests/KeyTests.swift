/// The key of a request, and the keys that exchanges with unsafe methods invalidate.
import Bytes
import HTTP
import Settings
import Testing

@testable import Caching

@Suite struct KeyTests {
    static let rows: [(host: String?, target: String, scheme: Scheme, key: String)] = [
        ("example.com", "/a", .http, "example.com/a"), ("EXAMPLE.com", "/A", .http, "example.com/A"),
        ("example.com:80", "/", .http, "example.com/"),
        ("example.com:443", "/", .https, "example.com/"), ("example.com:443", "/", .http, "example.com:443/"),
        ("example.com:8080", "/", .http, "example.com:8080/"),
        ("[::1]", "/", .http, "[::1]/"), ("[::1]:80", "/", .http, "[::1]/"),
        ("[::1]:81", "/", .http, "[::1]:81/"),
        ("example.com", "/?", .http, "example.com/?"), ("example.com", "/?b&a", .http, "example.com/?b&a"),
        // The normal form (`Authority`): AuthorityTests covers all of it.
        ("Example.com.", "/", .http, "example.com/"), ("example.com.:80", "/", .http, "example.com/"),
        ("example.com.:443", "/", .https, "example.com/"), ("example.com.:", "/", .https, "example.com/"),
        ("example.com.:81", "/", .http, "example.com:81/"), ("[0:0::0001]:443", "/", .https, "[::1]/"),
        ("[0:0::0001]:443", "/", .http, "[::1]:443/"), ("a..b", "/", .http, "refused"),
        ("example.com:99999", "/", .http, "refused"), ("example.com:x", "/", .http, "refused"),
        ("u@example.com", "/", .http, "refused"),
        (":80", "/", .http, "refused"), (nil, "/", .http, "refused"),
    ]

    @Test(arguments: rows)
    func theKeyIsWritten(row: (host: String?, target: String, scheme: Scheme, key: String)) {
        let host = row.host.map { "Host: \($0)\r\n" } ?? ""
        let head = ByteBuffer("GET \(row.target) HTTP/1.1\r\n\(host)\r\n")
        var request = RequestHead()
        var scan = HeadScan()
        let limits = HeadLimits(head: 4096, fields: 10)
        guard case .complete = request.parse(head.span, limits: limits, scan: &scan) else {
            #expect(row.key == "refused")
            return
        }
        var key = ByteBuffer(capacity: 64)
        let verdict = Rules(policy: Policy(name: "test"), upstream: "origin").writeKey(
            request, head.span, scheme: row.scheme, into: &key)
        switch verdict {
        case .refused(let reason): #expect(String(describing: reason.code) == row.key)
        case .key(let routingStart, let targetStart):
            let bytes = key.span.copied
            #expect(String(decoding: bytes[routingStart...], as: UTF8.self) == row.key)
            #expect(String(decoding: bytes[targetStart...], as: UTF8.self) == row.target)
        }
    }

    @Test func someRequestsHaveNoKey() {
        #expect(RequestSample("GET", "/", host: nil).key().routing == "key")
        #expect(RequestSample("OPTIONS", "*").key().routing == "key")
        // Absolute form names the host (RFC 9112 §3.2.2).
        #expect(
            RequestSample("GET", "http://Example.com?a", host: "Example.com").key().routing
                == "example.com/?a")
    }

    @Test func aKeyHasAtMostTwoKibibytes() {
        let host = "example.com"
        let most = "/" + String(repeating: "a", count: 2048 - host.utf8.count - 1)
        #expect(RequestSample("GET", most).key().routing.utf8.count == 2048)
        #expect(RequestSample("GET", most + "a").key().routing == "key")
    }

    @Test func keysDifferBySchemeUpstreamAndSettings() {
        let sample = RequestSample()
        func key(_ policy: Policy, _ upstream: String, _ scheme: Scheme) -> [UInt8] {
            var key = ByteBuffer(capacity: 64)
            _ = Rules(policy: policy, upstream: upstream).writeKey(
                sample.head, sample.buffer.span, scheme: scheme, into: &key)
            return key.span.copied
        }
        let plain = Policy(name: "a")
        let keys = [
            key(plain, "a", .http), key(plain, "a", .https), key(plain, "b", .http),
            key(plain.with { $0.query = .sort }, "a", .http),
            key(plain.with { $0.query = .only(["v"]) }, "a", .http),
            key(plain.with { $0.query = .only(["w"]) }, "a", .http),
        ]
        #expect(Set(keys).count == keys.count)
        // Settings that only say how to judge or serve do not change the key.
        #expect(key(plain.with { $0.store.maxAgeSeconds = 1 }, "a", .http) == keys[0])
    }

    static let queries: [(Policy.Query, String, String)] = [
        (.keep, "/?b=2&a=1&", "/?b=2&a=1&"), (.sort, "/?b=2&a=1&a=0&&c", "/?a=1&a=0&b=2&c"),
        (.sort, "/?", "/"),
        (.sort, "/?ab=1&a=2&a", "/?a=2&a&ab=1"), (.ignore, "/?a=1", "/"),
        (.only(["v"]), "/?a=1&v=2&vv=3&v=1", "/?v=2&v=1"),
        (.only(["b", "a"]), "/?a=1&b=2", "/?b=2&a=1"), (.only(["v"]), "/?a=1", "/"),
        (.only(["v"]), "/?v", "/?v"),
        (.only(["V"]), "/?v=1", "/"), (.only([]), "/?v=1", "/"), (.only(["a", "a"]), "/?a=1", "/?a=1"),
        (.only(["a", "ab", "b"]), "/?b&ab=1&a&abc&ab=0&=1&&", "/?a&ab=1&ab=0&b"),
        (.only(["z", "y", "x"]), "/?x=1&y=1&z=1&y=2&x=2", "/?z=1&y=1&y=2&x=1&x=2"),
    ]

    @Test(arguments: queries)
    func thePolicysQueryIsKeyed(query: Policy.Query, target: String, expected: String) {
        let key = RequestSample("GET", target).key(Policy(name: "test").with { $0.query = query })
        #expect(key.target == expected)
    }

    @Test func longQueriesAreNotSorted() {
        let query = "/?" + (0..<65).map { "p\(65 - $0)" }.joined(separator: "&")
        #expect(
            RequestSample("GET", query).key(Policy(name: "test").with { $0.query = .sort }).target == query)
    }

    /// As many parameters as a URL has room for, with lists of all sizes. The plain reading, which goes
    /// through the query once for each name, must give the same.
    @Test func longQueriesAndListsAreKeyed() {
        for (count, names) in [(60, 3), (64, 64), (65, 64), (66, 2), (300, 26), (300, 1_000)] {
            let listed = (0..<names).map { "p\(($0 * 7) % names)" }
            let parameters = (0..<count).map { "p\($0 % 30)=\($0 % 9)" }
            let expected = listed.flatMap { name in parameters.filter { $0.hasPrefix("\(name)=") } }
            let key = RequestSample("GET", "/?" + parameters.joined(separator: "&"))
                .key(Policy(name: "test").with { $0.query = .only(listed) })
            #expect(key.target == (expected.isEmpty ? "/" : "/?" + expected.joined(separator: "&")))
        }
    }

    // RFC 9111 §4.4, RFC 3986 §5.4.
    static let references: [(String, String)] = [
        ("/x", "example.com/x"), ("x", "example.com/b/x"), ("./x", "example.com/b/x"),
        ("../x", "example.com/x"),
        ("../../../x", "example.com/x"), ("x/./y/../z", "example.com/b/x/z"), ("..", "example.com/"),
        (".", "example.com/b/"), ("?y", "example.com/b/c?y"), ("", "example.com/b/c?q"),
        ("#f", "example.com/b/c?q"),
        ("x?y#f", "example.com/b/x?y"), ("x?a/../b", "example.com/b/x?a/../b"),
        ("http://EXAMPLE.com:80/x", "example.com/x"),
        ("http://Example.com./x", "example.com/x"), ("http://example.com.:80/x", "example.com/x"),
        ("http://example.com:/x", "example.com/x"), ("http://example..com/x", "key"),
        ("HTTP://example.com", "example.com/"), ("http://example.com?y", "example.com/?y"),
        ("//example.com/x", "example.com/x"),
        ("https://example.com/x", "key"), ("http://example.com:81/x", "key"), ("http://other.com/x", "key"),
        ("//other.com/x", "key"), ("mailto:x", "key"), ("http:x", "key"), ("http://u@example.com/", "key"),
    ]

    @Test(arguments: references)
    func aReferenceIsResolvedForInvalidation(reference: String, expected: String) {
        let sample = RequestSample("POST", "/b/c?q")
        let value = ByteBuffer(reference)
        var key = ByteBuffer(capacity: 64)
        let rules = Rules(policy: Policy(name: "test"), upstream: "origin")
        guard let named = NamedTarget(value.span, sample.head, sample.buffer.span, scheme: .http) else {
            #expect("key" == expected)
            return
        }
        switch rules.writeKey(of: named, sample.head, sample.buffer.span, scheme: .http, into: &key) {
        case .refused(let reason): Issue.record("\(reason)")
        case .key(let start, _):
            #expect(String(decoding: key.span.copied[start...], as: UTF8.self) == expected)
        }
    }

    @Test func onlySuccessfulUnsafeMethodsInvalidate() {
        for method in [Method.post, .put, .delete, .patch, .connect, .other] {
            #expect(Rules.invalidates(method, status: 200) && Rules.invalidates(method, status: 303))
            #expect(!Rules.invalidates(method, status: 404) && !Rules.invalidates(method, status: 500))
        }
        for method in [Method.get, .head, .options, .trace] {
            #expect(!Rules.invalidates(method, status: 200))
        }
    }
}
