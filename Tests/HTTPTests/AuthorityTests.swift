/// Hosts: every spelling and its normal form, and texts that are not hosts.
import Bytes
import HTTP
import Testing

@Suite struct AuthorityTests {
    /// A spelling, its normal form for a scheme with port 80, and its host.
    static let spellings: [(text: String, authority: String, host: String)] = [
        ("example.com", "example.com", "example.com"), ("EXAMPLE.Com", "example.com", "example.com"),
        ("example.com.", "example.com", "example.com"), ("Example.COM.", "example.com", "example.com"),
        ("example.com:", "example.com", "example.com"), ("example.com.:", "example.com", "example.com"),
        ("example.com:80", "example.com", "example.com"), ("example.com.:80", "example.com", "example.com"),
        ("EXAMPLE.com.:8080", "example.com:8080", "example.com"),
        ("example.com:8080", "example.com:8080", "example.com"),
        ("Example.com:443", "example.com:443", "example.com"), ("a", "a", "a"), ("a.", "a", "a"),
        ("a:1", "a:1", "a"), ("a.:65535", "a:65535", "a"), ("A-1._~", "a-1._~", "a-1._~"),
        ("a_b.C", "a_b.c", "a_b.c"), ("xn--A.example", "xn--a.example", "xn--a.example"),
        ("1.2.3.4", "1.2.3.4", "1.2.3.4"), ("1.2.3.4.", "1.2.3.4", "1.2.3.4"),
        ("1.2.3.4:80", "1.2.3.4", "1.2.3.4"), ("1.2.3.4:81", "1.2.3.4:81", "1.2.3.4"),
        // HTTP treats these as names: no origin reads them as the address 127.0.0.1 in Host.
        ("127.1", "127.1", "127.1"), ("0x7F.1", "0x7f.1", "0x7f.1"), ("010.0.0.1", "010.0.0.1", "010.0.0.1"),
        ("[::1]", "[::1]", "[::1]"), ("[0:0:0:0:0:0:0:1]", "[::1]", "[::1]"), ("[::0001]", "[::1]", "[::1]"),
        ("[::1]:", "[::1]", "[::1]"), ("[::1]:80", "[::1]", "[::1]"), ("[::01]:81", "[::1]:81", "[::1]"),
        ("[::]", "[::]", "[::]"), ("[2001:DB8::A]", "[2001:db8::a]", "[2001:db8::a]"),
        ("[2001:db8:0:0:1:0:0:1]", "[2001:db8::1:0:0:1]", "[2001:db8::1:0:0:1]"),
        ("[2001:db8::0:1:0:0:1]", "[2001:db8::1:0:0:1]", "[2001:db8::1:0:0:1]"),
        ("[2001:db8:0:1:1:1:1:1]:81", "[2001:db8:0:1:1:1:1:1]:81", "[2001:db8:0:1:1:1:1:1]"),
        ("[1::8]", "[1::8]", "[1::8]"), ("[1:2:3:4:5:6:7::]", "[1:2:3:4:5:6:7:0]", "[1:2:3:4:5:6:7:0]"),
        ("[::ffff:1.2.3.4]", "[::ffff:102:304]", "[::ffff:102:304]"),
        ("[::FFFF:0102:0304]:65535", "[::ffff:102:304]:65535", "[::ffff:102:304]"),
    ]

    private static func read(_ text: String) -> (authority: String, host: String)? {
        let bytes = latin1(text)
        var head = RequestHead()
        var scan = HeadScan()
        guard case .complete = head.parse(bytes.span, limits: roomy, scan: &scan) else { return nil }
        let authority = head.authority(in: bytes.span, defaultPort: 80).string.lowercased()
        return (authority, head.host(in: bytes.span).string.lowercased())
    }

    /// The host in Host, in a target, and in both, in different spellings.
    @Test(arguments: spellings)
    func everySpellingHasOneNormalForm(_ text: String, _ authority: String, _ host: String) {
        for request in [
            "GET / HTTP/1.1\r\nHost: \(text)\r\n\r\n", "GET / HTTP/1.0\r\nA: b\r\nHost: \(text)\r\n\r\n",
            "GET http://\(text)/ HTTP/1.0\r\n\r\n", "GET http://\(text) HTTP/1.1\r\nHost: \(text)\r\n\r\n",
            "GET http://\(authority)/ HTTP/1.1\r\nHost: \(text)\r\n\r\n",
            "GET http://\(text)?q HTTP/1.1\r\nHost: \(authority)\r\n\r\n",
        ] {
            let read = Self.read(request)
            #expect(
                read?.authority == authority && read?.host == host, "\(request): \(String(describing: read))")
        }
        let span = text.utf8.span
        guard let parsed = Authority(span) else {
            Issue.record("\(text) is no authority")
            return
        }
        var written = ByteBuffer()
        parsed.appendHost(of: span, to: &written)
        #expect(written.span.string == host)
        parsed.appendPort(unless: 80, to: &written)
        #expect(written.span.string == authority)
    }

    /// A head keeps nothing of the head before, whichever form it has.
    @Test func aHeadKeepsNoHostOfTheHeadBefore() {
        var head = RequestHead()
        for _ in 0..<2 {
            for (text, authority, host) in Self.spellings {
                for _ in 0..<3 {
                    let bytes = latin1("GET / HTTP/1.1\r\nHost: \(text)\r\n\r\n")
                    var scan = HeadScan()
                    _ = head.parse(bytes.span, limits: roomy, scan: &scan)
                    let read = head.authority(in: bytes.span, defaultPort: 80).string.lowercased()
                    #expect(read == authority)
                    let readHost = head.host(in: bytes.span).string.lowercased()
                    #expect(readHost == host)
                    let spelt = bytes.span.text(head.authority)
                    #expect(spelt == text)
                }
            }
        }
    }

    @Test(arguments: RequestCorpus.refusedHosts.filter { !$0.isEmpty })
    func aMalformedHostIsRefused(_ text: String) {
        #expect(Authority(latin1(text).span) == nil)
        #expect(Self.read("GET / HTTP/1.0\r\nHost: \(text)\r\n\r\n") == nil)
    }

    @Test(arguments: [
        ("a", "A", true), ("a", "b", false), ("[::1]", "[0::1]", true), ("[::1]", "[::2]", false),
        ("[::1]", "::1", false), ("", "", true), ("", "[::1]", false),
    ])
    func equalHostsAreTheSame(_ host: String, _ other: String, _ isSame: Bool) {
        #expect(Authority.areSame(host.utf8.span, other.utf8.span) == isSame)
        #expect(Authority.areSame(other.utf8.span, host.utf8.span) == isSame)
    }

    /// No host at all: HTTP/1.0 may leave Host out, or empty. HTTP/1.1 may do so only for `*`, which has no
    /// host.
    @Test(arguments: [
        ("GET / HTTP/1.0\r\n\r\n", true), ("GET / HTTP/1.0\r\nHost:\r\n\r\n", true),
        ("GET / HTTP/1.0\r\nHost: \t \r\n\r\n", true), ("OPTIONS * HTTP/1.1\r\nHost:\r\n\r\n", true),
        ("OPTIONS * HTTP/1.0\r\n\r\n", true), ("GET / HTTP/1.1\r\n\r\n", false),
        ("GET / HTTP/1.1\r\nHost:\r\n\r\n", false), ("OPTIONS * HTTP/1.1\r\n\r\n", false),
        ("GET / HTTP/1.0\r\nHost:\r\nHost:\r\n\r\n", false), ("GET http:/// HTTP/1.0\r\n\r\n", false),
        ("GET http://:80/ HTTP/1.0\r\n\r\n", false),
    ])
    func aRequestMayOmitTheHostWhereHTTPAllowsIt(_ text: String, _ isTaken: Bool) {
        #expect(Self.read(text)?.host == (isTaken ? "" : nil))
    }

    /// Beside an absolute-form an empty Host differs, except in HTTP/1.0.
    @Test func anEmptyHostBesideAnAbsoluteFormIsRefusedInHTTP11() {
        #expect(Self.read("GET http://a/ HTTP/1.0\r\nHost:\r\n\r\n")?.host == "a")
        #expect(Self.read("GET http://a/ HTTP/1.1\r\nHost:\r\n\r\n") == nil)
    }
}
