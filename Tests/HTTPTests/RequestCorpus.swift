/// Requests that are refused, with the reason; smuggling attempts among them.
import HTTP

enum RequestCorpus {
    private static func get(_ target: String, host: String = "h") -> String {
        "GET \(target) HTTP/1.1\r\nHost: \(host)\r\n\r\n"
    }

    static let refused: [(String, BrokenRule)] = [
        // Start line.
        ("GET /\r\n", .requestLine), ("GET /\r\n\r\n", .requestLine), ("GET\r\n", .requestLine),
        ("GET \r\n", .requestLine),
        ("GET  / HTTP/1.1\r\n", .requestLine), ("GET /  HTTP/1.1\r\n", .requestLine),
        (" GET / HTTP/1.1\r\n", .requestLine),
        ("GET / HTTP/1.1 \r\n", .requestLine), ("GET /a b HTTP/1.1\r\n", .requestLine),
        ("GET / http/1.1\r\n", .requestLine),
        ("GET / HTTP/1.10\r\n", .requestLine), ("GET / HTTP/11\r\n", .requestLine),
        ("GET / HTTP/1,1\r\n", .requestLine),
        ("GET / HTTPS/1.1\r\n", .requestLine), ("GET / HTTP/1.\r\n", .requestLine),
        ("GET / \r\n", .requestLine),
        ("GET / XHTTP/1.1\r\n", .requestLine), ("GET / HTTP/1.1\rX\r\n", .requestLine),
        ("G\tT / HTTP/1.1\r\n", .requestLine),
        ("G(T / HTTP/1.1\r\n", .requestLine), ("GET\t/ HTTP/1.1\r\n", .requestLine),
        ("\r\n\r\nGET / HTTP/1.1\r\n", .requestLine),
        ("G\u{c9}T / HTTP/1.1\r\n", .requestLine), ("G@T / HTTP/1.1\r\n", .requestLine),
        ("SSH-2.0-OpenSSH_9.2\r\n", .requestLine),
        ("\u{16}\u{3}\u{1}\u{0}\u{a5}\u{1}", .requestLine),
        // Bare line breaks.
        ("\nGET / HTTP/1.1\r\n", .bareLineBreak), ("GET / HTTP/1.1\nHost: h\n\n", .bareLineBreak),
        ("GET /\n", .bareLineBreak),
        ("GET / HTTP/1.1\r\r\n", .requestLine), ("GET / \n", .bareLineBreak),
        ("GET /a\rb HTTP/1.1\r\n", .bareLineBreak),
        ("GET\n", .bareLineBreak), ("\rGET / HTTP/1.1\r\n", .bareLineBreak),
        ("GET / HTTP/1.1\r\nHost: h\r\n\rX\n", .bareLineBreak),
        ("GET / HTTP/1.1\r\nHost: h\r\n\n", .bareLineBreak),
        ("GET / HTTP/1.1\r\nHost: h\r\n\r\r\n", .bareLineBreak),
        // Version.
        ("GET / HTTP/2.0\r\n", .version), ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", .version),
        ("GET / HTTP/1.2\r\n", .version),
        ("GET / HTTP/0.9\r\n", .version), ("GET / HTTP/9.9\r\n", .version),
        // Method.
        ("CONNECT h:443 HTTP/1.1\r\nHost: h\r\n\r\n", .method),
        ("TRACE / HTTP/1.1\r\nHost: h\r\n\r\n", .method),
        // Target.
        (get("h:443"), .target), (get("h"), .target), (get("*"), .target), (get("?q"), .target),
        (get("/a#b"), .target),
        (get("/?q#"), .target), (get("http://h/#f"), .target), (get("http://h#f"), .target),
        (get("ftp://h/"), .target),
        (get("http:/h/"), .target), (get("http://"), .target), (get("http:///x"), .target),
        (get("http://u@h/"), .target),
        (get("http://u:p@h/"), .target), (get("http://h:0/"), .target),
        (get("http://h\\/"), .target),
        (get("https://"), .target), (get("ws://h/"), .target), (get("/\u{0}"), .target),
        (get("/\u{7f}"), .target),
        (get("/\u{e9}"), .target), (get("/\t"), .target), (get("/a\u{b}b"), .target), (get("**"), .target),
        ("OPTIONS ** HTTP/1.1\r\nHost: h\r\n\r\n", .target),
        ("OPTIONS *? HTTP/1.1\r\nHost: h\r\n\r\n", .target),
        // Host.
        ("GET / HTTP/1.1\r\n\r\n", .host), ("GET http://h/ HTTP/1.1\r\n\r\n", .host),
        (get("http://other/"), .host),
        (get("http://h:81/"), .host), (get("https://h/", host: "h:80"), .host),
        (get("http://h/", host: "h:443"), .host),
        ("GET / HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n", .host),
        ("GET / HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n", .host),
        ("GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", .host),
        ("GET / HTTP/1.0\r\nHost: a b\r\n\r\n", .host),
        // Transfer-Encoding belongs to HTTP/1.1.
        ("POST / HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n", .framing),
    ]

    /// Lines after a good request line and Host.
    static let refusedFields: [(String, BrokenRule)] = [
        ("A : b\r\n", .fieldLine), ("A\t: b\r\n", .fieldLine), (": b\r\n", .fieldLine), ("A\r\n", .fieldLine),
        (" folded\r\n", .fieldLine),
        ("\tfolded\r\n", .fieldLine), (" A: b\r\n", .fieldLine), ("A(: b\r\n", .fieldLine),
        ("\u{c4}: b\r\n", .fieldLine),
        ("A\0: b\r\n", .fieldLine), ("A B: c\r\n", .fieldLine), ("A@: c\r\n", .fieldLine),
        ("A/B: c\r\n", .fieldLine),
        ("\"A\": c\r\n", .fieldLine), ("[A]: c\r\n", .fieldLine),
        ("A-name-longer-than-sixteen{: c\r\n", .fieldLine),
        ("A: b\0\r\n", .fieldValue), ("A: \u{1}b\r\n", .fieldValue), ("A: b\u{7f}c\r\n", .fieldValue),
        ("A:\u{b}b\r\n", .fieldValue),
        ("A: \u{1f}\r\n", .fieldValue), ("A: b\u{8}\r\n", .fieldValue),
        ("A: 0123456789abcdef\u{c}0123456789abcdef\r\n", .fieldValue),
        ("A: b\n", .bareLineBreak), ("A: b\rC: d\r\n", .bareLineBreak), ("A: b\r\r\n", .bareLineBreak),
        ("A\n: b\r\n", .bareLineBreak),
        ("A\r: b\r\n", .bareLineBreak), ("A:\r b\r\n", .bareLineBreak), ("A: b\n\r\n", .bareLineBreak),
        ("A: b\r\n c\r\n", .fieldLine), ("Transfer-Encoding:\r\n chunked\r\n", .fieldLine),
        // Smuggling by framing.
        ("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", .framing),
        ("Transfer-Encoding: chunked\r\nContent-Length: 0\r\n", .framing),
        ("Content-Length: 5\r\nContent-Length: 5\r\n", .framing),
        ("Content-Length: 5\r\nContent-Length: 6\r\n", .framing),
        ("Content-Length: 5, 5\r\n", .framing), ("Content-Length: 5,\r\n", .framing),
        ("Content-Length:\r\n", .framing),
        ("Content-Length: +5\r\n", .framing), ("Content-Length: -1\r\n", .framing),
        ("Content-Length: 0x5\r\n", .framing),
        ("Content-Length: 5 5\r\n", .framing), ("Content-Length: 5.0\r\n", .framing),
        ("Content-Length: 5;\r\n", .framing),
        ("Content-Length: \"5\"\r\n", .framing), ("Content-Length: \u{b2}\r\n", .framing),
        ("Content-Length: 5_0\r\n", .framing),
        ("Content-Length: 9223372036854775808\r\n", .framing),
        ("Content-Length: 18446744073709551616\r\n", .framing),
        ("Content-Length: 99999999999999999999999999\r\n", .framing), ("Content-Length: 1e3\r\n", .framing),
        ("Transfer-Encoding: identity\r\n", .framing), ("Transfer-Encoding: gzip, chunked\r\n", .framing),
        ("Transfer-Encoding: chunked, identity\r\n", .framing), ("Transfer-Encoding: xchunked\r\n", .framing),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", .framing),
        ("Transfer-Encoding: chunked,\r\n", .framing),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n", .framing),
        ("Transfer-Encoding: ,chunked\r\n", .framing),
        ("Transfer-Encoding:\r\n", .framing), ("Transfer-Encoding: \"chunked\"\r\n", .framing),
        ("Transfer-Encoding: chunked;q=1\r\n", .framing),
        ("Transfer-Encoding: chun\u{2}ked\r\n", .fieldValue),
        ("Transfer-Encoding: \u{b}chunked\r\n", .fieldValue),
        ("Transfer-Encoding: chunked\u{a0}\r\n", .framing), ("Transfer-Encoding : chunked\r\n", .fieldLine),
        ("Transfer-Encoding\u{b}: chunked\r\n", .fieldLine), ("Content-Length\u{0}: 5\r\n", .fieldLine),
        ("X: y\nTransfer-Encoding: chunked\r\n", .bareLineBreak),
        ("X: y\rTransfer-Encoding: chunked\r\n", .bareLineBreak),
        ("Host: a\r\n", .host), ("Host: b\r\n", .host),
    ]

    static let refusedHosts = [
        "", "a b", "a,b", "a/b", "a@b", "u:p@a", "a?b", "a#b", "a:0", "a:65536", "a:080", "a:x",
        "a:1:2", ":80", "::1", "[", "[]", "[::1",
        "[::1]x", "[1]", "[1:2]", "[:::]", "[::1]x:80", "[::1].", "[::1%eth0]", "[1.2.3.4]", "[v1.a]",
        "[g::1]", "[fe80::1%25eth0]", "[::1]:99999", "a\\b", "a%41", "a;b", "<a>",
        "a\u{e9}", "\"a\"", "a'b", "a:-1", "a: 80",
        // Names with an empty label, or with no label at all.
        ".", "..", ".a", "a..b", "a..", "...", ".:80", "a..:80", ":", "a::", "a:00", "a:+80", "a:0x50",
        "a.:080",
    ]

    static let accepted = [
        "GET / HTTP/1.1\r\nHost: h\r\n\r\n", "\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\nGET",
        "GET / HTTP/1.0\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: h:1\r\nConnection: te, close\r\nTE: trailers\r\n\r\n",
        "GET http://Example.com:80/x?y HTTP/1.1\r\nA:\t\r\nhost: example.COM\r\nB: c d\t\r\n\r\n\r\n",
        "DELETE /a?b?c=0123456789abcdef HTTP/1.1\r\nX-B3_1: a\tb\r\nHost: a_b~c.d:443\r\n\r\n",
        "POST /upload HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nA: (b)\r\n\r\n0\r\n\r\n",
    ]

    static let all =
        accepted + refused.map(\.0) + refusedFields.map { "GET / HTTP/1.1\r\nHost: a\r\n\($0.0)\r\n" }
        + refusedHosts.map { "GET / HTTP/1.1\r\nHost: \($0)\r\n\r\n" }
}
