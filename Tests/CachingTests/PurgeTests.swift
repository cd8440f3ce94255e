/// Which entries bulk purges remove: scopes, their encoding, cache groups (RFC 9875) and surrogate keys.
import Bytes
import HTTP
import Settings
import Testing

@testable import Caching

@Suite struct PurgeTests {
    static func key(
        _ target: String, host: String = "example.com", scheme: Scheme = .http, upstream: String = "origin"
    ) -> [UInt8] {
        let request = RequestSample("GET", target, host: host)
        var key = ByteBuffer(capacity: 64)
        let verdict = Rules(policy: Policy(name: "test"), upstream: upstream).writeKey(
            request.head, request.buffer.span, scheme: scheme, into: &key)
        if case .refused(let reason) = verdict { Issue.record("\(reason)") }
        return key.span.copied
    }

    static func head(_ lines: [String]) -> [UInt8] {
        Array(ResponseSample(200, ["Cache-Control: max-age=60"] + lines).stored().utf8)
    }

    static func takes(_ scope: PurgeScope?, _ key: [UInt8], _ lines: [String] = []) -> Bool {
        guard let scope else { return false }
        let head = head(lines)
        return scope.matches(key: key.span, head: head.span)
    }

    static func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }
    static func host(_ text: String) -> PurgeScope? {
        let text = bytes(text)
        return PurgeScope.host(text: text.span)
    }
    static func prefix(_ text: String) -> PurgeScope? {
        let text = bytes(text)
        return PurgeScope.prefix(url: text.span)
    }

    @Test(
        arguments: [
            ("example.com", "example.com", Scheme.http, true), ("EXAMPLE.com", "Example.COM", .http, true),
            ("example.com", "example.com", .https, true), ("example.com", "example.com:8080", .http, true),
            ("example.com:8080", "example.com:8080", .http, true),
            ("example.com:8080", "example.com", .http, false),
            ("example.com:80", "example.com", .http, true), ("example.com:443", "example.com", .https, true),
            ("example.com", "example.com.evil", .http, false), ("example.co", "example.com", .http, false),
            ("www.example.com", "example.com", .http, false), ("[::1]", "[::1]:8080", .http, true),
            ("[::1]", "[::1]", .http, true), ("Example.com.", "example.com", .http, true),
            ("example.com", "example.com.:8080", .http, true),
            ("example.com.:80", "example.com:", .http, true),
            ("[0:0::1]", "[::0001]:8080", .http, true), ("example.com.:8080", "example.com", .http, false),
        ])
    func aHostScopeTakesItsHosts(scope: String, host: String, scheme: Scheme, expected: Bool) {
        for upstream in ["origin", "other"] {
            let key = Self.key("/a", host: host, scheme: scheme, upstream: upstream)
            #expect(Self.takes(Self.host(scope), key) == expected)
        }
    }

    @Test(
        arguments: [
            ("http://example.com/a", "/a", true), ("http://example.com/a", "/ab?c", true),
            ("http://example.com/a", "/b", false), ("http://example.com/a/", "/a", false),
            ("http://EXAMPLE.com:80/a", "/a", true), ("https://example.com/a", "/a", false),
            ("http://example.com", "/anything", true), ("http://example.com/A", "/a", false),
            ("http://example.com?x", "/?xy", true), ("http://example.co", "/a", false),
            ("HTTP://example.com/", "/", true), ("http://example.com:8080/", "/", false),
        ])
    func aPrefixScopeTakesItsURLs(url: String, target: String, expected: Bool) {
        #expect(Self.takes(Self.prefix(url), Self.key(target)) == expected)
    }

    @Test func malformedScopesAreRefused() {
        for text in ["", "example.com/a", "ftp://example.com/", "http://", "http:///a", "http://a:b/"] {
            #expect(Self.prefix(text) == nil, "\(text)")
        }
        for text in ["", "a/b", "a:b", "user@a", ":80"] { #expect(Self.host(text) == nil, "\(text)") }
    }

    @Test(
        arguments: [
            ("a", ["Surrogate-Key: a"], true), ("a", ["Surrogate-Key: b a c"], true),
            ("a", ["surrogate-key: b\ta"], true), ("a", ["Surrogate-Key: ab ba"], false),
            ("a", ["xkey: b", "xkey: a"], true), ("A", ["xkey: a"], false),
            ("a", ["Cache-Tag: b, a ,c"], true), ("a b", ["Cache-Tag: a b"], true),
            ("a", ["Cache-Tag: a b"], false), ("a,b", ["Surrogate-Key: a,b"], true),
            ("a", [], false), ("", ["Surrogate-Key: a  b"], false), ("a", ["X-Key: a"], false),
        ] as [(String, [String], Bool)])
    func aSurrogateKeyTakesItsEntries(name: String, lines: [String], expected: Bool) {
        #expect(Self.takes(.key(Self.bytes(name)), Self.key("/"), lines) == expected)
    }

    static func group(_ name: String, of url: String = "http://example.com") -> PurgeScope? {
        let name = bytes(name)
        let url = bytes(url)
        return PurgeScope.group(name.span, ofOrigin: url.span)
    }

    @Test(
        arguments: [
            ("a", [#""a""#], true), ("b", [#""a", "b""#], true), ("b", [#""a""#, #""b""#], true),
            ("A", [#""a""#], false), ("a", [#""ab""#], false), ("ab", [#""a""#], false),
            (#"a"b\c"#, [#""a\"b\\c""#], true), (#"a\"b"#, [#""a\"b""#], false), ("", [#""""#], true),
            ("", [#""a""#], false), ("a", [#""a";p=1;q"#], true), ("a,b", [#""a,b""#], true),
            // A field that is not a List of Strings is ignored.
            ("a", ["a"], false), ("a", [#""a", b"#], false), ("a", [#""a","#], false),
            ("a", [#""a" "b""#], false), ("a", [#""a"#], false), ("a", [#""a", ("b")"#], false),
            ("a", [#""a""#, "x"], false), ("a", [#""a""#, ""], false), ("a", [""], false),
        ] as [(String, [String], Bool)])
    func aGroupTakesItsEntries(name: String, lines: [String], expected: Bool) {
        let lines = lines.map { "Cache-Groups: \($0)" }
        #expect(Self.takes(Self.group(name), Self.key("/"), lines) == expected)
    }

    @Test func aGroupBelongsToOneOrigin() {
        let lines = [#"Cache-Groups: "a""#]
        for (url, host, scheme, expected) in [
            ("http://example.com", "example.com", Scheme.http, true),
            ("http://Example.com:80/x", "example.com", .http, true),
            ("https://example.com", "example.com", .http, false),
            ("http://example.com:81", "example.com", .http, false),
            ("http://www.example.com", "example.com", .http, false),
            ("https://example.com:443", "example.com", .https, true),
        ] {
            let key = Self.key("/", host: host, scheme: scheme)
            #expect(Self.takes(Self.group("a", of: url), key, lines) == expected, "\(url)")
        }
    }

    /// RFC 9875 §2: at least 32 groups of at least 32 characters.
    @Test func manyLongGroupsAreRead() {
        let names = (10..<74).map { String(repeating: "x", count: 62) + "\($0)" }
        let half = names.count / 2
        let lines = [names[..<half], names[half...]].map { part in
            "Cache-Groups: " + part.map { "\"\($0)\"" }.joined(separator: ", ")
        }
        var stored = ByteBuffer(capacity: 8192)
        let response = ResponseSample(200, lines)
        let refusal = StoredHead.write(
            response.head, response.buffer.span, bodyCount: 0, receivedSeconds: 0, limit: 8192,
            into: &stored)
        #expect(refusal == nil)
        let key = Self.key("/")
        for name in names {
            let takes = Self.group(name)?.matches(key: key.span, head: stored.span)
            #expect(takes == true, "\(name)")
        }
    }

    static func invalidated(_ lines: [String], method: HTTP.Method = .post, status: Int = 200) -> [PurgeScope]
    {
        let response = ResponseSample(status, lines.map { "Cache-Group-Invalidation: \($0)" })
        let key = key("/a", host: "example.com:8080")
        return CacheGroups.invalidated(
            by: response.head, response.buffer.span, method: method, key: key.span)
    }

    @Test func cacheGroupInvalidationIsRead() {
        func groups(_ names: String...) -> [PurgeScope] {
            names.map { .group(origin: Self.bytes("hexample.com:8080"), name: Self.bytes($0)) }
        }
        #expect(Self.invalidated([#""a""#]) == groups("a"))
        #expect(Self.invalidated([#""b", "a";x"#, #""a\"", "b""#]) == groups("a", "a\"", "b"))
        #expect(Self.invalidated([#""a""#], method: .other) == groups("a"))
        for safe in [HTTP.Method.get, .head, .options, .trace] {
            #expect(Self.invalidated([#""a""#], method: safe) == [])
        }
        for none in [[], [""], ["a"], [#""a", b"#], [#""a""#, ""], ["", #""a""#], [#""a"#]] {
            #expect(Self.invalidated(none) == [], "\(none)")
        }
        let many = (0..<17).map { "\"\($0)\"" }.joined(separator: ",")
        #expect(Self.invalidated([many]) == [.host(Self.bytes("example.com:8080"))])
        #expect(Self.invalidated([many.replacing(",\"16\"", with: "")]).count == 16)
    }

    // MARK: Encoding

    @Test func anOverlongScopeBecomesACoarserOne() {
        func encode(_ scope: PurgeScope) -> (PurgeScope, [UInt8]) {
            var bytes = ByteBuffer(capacity: 16)
            let written = scope.encode(into: &bytes)
            return (written, bytes.span.copied)
        }
        let host = Self.bytes("example.com")
        let long = [UInt8](repeating: UInt8(ascii: "a"), count: 300)
        let origin = Self.bytes("hexample.com")
        #expect(encode(.all) == (.all, [0]))
        #expect(encode(.host(host)) == (.host(host), [1] + host))
        #expect(encode(.host(long)) == (.all, [0]))
        #expect(encode(.key(long)) == (.all, [0]))
        #expect(encode(.prefix(origin + [UInt8(ascii: "/")] + long)) == (.host(host), [1] + host))
        #expect(encode(.prefix([UInt8(ascii: "h")] + long + [UInt8(ascii: "/")])) == (.all, [0]))
        #expect(encode(.group(origin: origin, name: long)) == (.host(host), [1] + host))
        #expect(encode(.group(origin: long, name: host)) == (.all, [0]))
        // Exact to the byte.
        let most = [UInt8](repeating: 0x61, count: 254)
        #expect(encode(.key(most)) == (.key(most), [4] + most))
        #expect(encode(.key(most + [0x61])).0 == .all)
    }

    /// A coarser scope removes every entry that the original scope removes.
    @Test func aCoarserScopeTakesNoFewerEntries() {
        let long = String(repeating: "a", count: 400)
        let key = Self.key("/\(long)/b")
        for url in ["http://example.com/\(long)", "http://example.com/\(long)/b?c"] {
            #expect(Self.takes(Self.prefix(url), key))
        }
        #expect(Self.takes(Self.group(long), Self.key("/"), ["Cache-Groups: \"\(long)\""]))
        #expect(Self.takes(.key(Self.bytes(long)), Self.key("/"), ["xkey: \(long)"]))
    }

    /// Bytes from shared memory: bytes that are not a scope, or not a key, count as matching.
    @Test func damagedBytesMatchEveryEntry() {
        let key = Self.key("/")
        let head = Self.head([])
        for scope in [[], [9], [255, 1], [3], [3, 200, 1]] as [[UInt8]] {
            let takes = PurgeScope.matches(encoded: scope.span, key: key.span, head: head.span)
            #expect(takes, "\(scope)")
        }
        let host: [UInt8] = [1, 120]
        for count in 0..<17 {
            let cut = Array(key[..<count])
            let takes = PurgeScope.matches(encoded: host.span, key: cut.span, head: head.span)
            #expect(takes)
        }
        let noise = [UInt8](repeating: 0xff, count: 64)
        let takes = PurgeScope.matches(encoded: host.span, key: noise.span, head: noise.span)
        #expect(takes)
    }
}
