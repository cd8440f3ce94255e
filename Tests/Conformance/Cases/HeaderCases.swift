// Which fields are stored and forwarded (RFC 9111 §3.1, RFC 9110 §7.6.1), and in which form.

extension Case {
    private static let kept = [
        "X-Field: 1", "Content-Type: application/octet-stream", "Content-Language: en",
        "Content-Location: /here",
        "Content-Disposition: attachment; filename=\"a\"", "Content-Security-Policy: default-src 'self'",
        "ETag: \"a\"", "Last-Modified: Thu, 01 Jan 2015 00:00:00 GMT", "Link: </a.css>; rel=preload",
        "Access-Control-Allow-Origin: *", "Strict-Transport-Security: max-age=1", "Server: origin",
        "Via: 1.1 before",
        "Warning: 199 - \"x\"", "Alt-Svc: clear", "X-Empty:", "Accept-Ranges: bytes", "Retry-After: 5",
        "Surrogate-Key: a b", "Cache-Tag: a, b", "xkey: a b", "Cache-Groups: \"a\"", "NEL: {}",
        "Server-Timing: a;dur=1",
        "WWW-Authenticate: Basic realm=\"a\"", "Clear-Site-Data: \"cache\"", "Refresh: 5", "Digest: x",
        "P3P: x",
    ].map { line -> Case in
        let name = String(line.split(separator: ":")[0])
        return Case(
            "\(name) is stored", "RFC 9111 §3.1",
            get().answered("Cache-Control: max-age=60", line).expect(.stored.has(line)),
            get().after(1).expect(.hit.has(line)))
    }

    private static let dropped = [
        "Keep-Alive: timeout=5", "Proxy-Authenticate: Basic", "Proxy-Authorization: Basic eDp5",
        "Proxy-Authentication-Info: x", "Proxy-Connection: keep-alive", "TE: gzip", "Upgrade: h2c",
    ].map { line -> Case in
        let name = String(line.split(separator: ":")[0])
        return Case(
            "\(name) is not stored", "RFC 9111 §3.1",
            get().answered("Cache-Control: max-age=60", line).expect(.stored.lacks(name)),
            get().after(1).expect(.hit.lacks(name)))
    }

    /// Request fields that are not forwarded.
    private static let stopped = [
        "Keep-Alive: timeout=5", "Proxy-Authorization: Basic eDp5", "Proxy-Connection: keep-alive",
        "TE: trailers",
    ].map { line -> Case in
        let name = String(line.split(separator: ":")[0])
        return Case(
            "\(name) of a request stops here", "RFC 9110 §7.6.1",
            Step(fields: [line]).answered("Cache-Control: max-age=60").expect(.miss.withholds(name)))
    }

    static let headers: [Case] =
        kept + dropped + stopped + [
            Case(
                "Connection is not stored", "RFC 9110 §7.6.1",
                get().answered("Cache-Control: max-age=60", "Connection: keep-alive").expect(
                    .stored.lacks("Connection")),
                get().after(1).expect(.hit.lacks("Connection"))),
            Case(
                "a connection that closes", "RFC 9110 §7.6.1",
                get().answered("Cache-Control: max-age=60", "Connection: close").expect(
                    .stored.lacks("Connection")),
                get().after(1).expect(.hit.lacks("Connection"))),
            Case(
                "fields that Connection names", "RFC 9110 §7.6.1",
                get().answered("Cache-Control: max-age=60", "Connection: X-Hop", "X-Hop: 1").expect(
                    .refused("connection").lacks("X-Hop", "Connection")),
                get().expect(.miss)),
            Case(
                "fields that a request's Connection names", "RFC 9110 §7.6.1",
                get("Connection: X-Hop", "X-Hop: 1").answered("Cache-Control: max-age=60").expect(
                    .refused("connection").withholds("X-Hop"))),
            Case(
                "Transfer-Encoding is not stored", "RFC 9112 §6.1",
                get().answered("Cache-Control: max-age=60", body: "0123456789").framed(.chunked),
                get().after(1).expect(.hit.has("Content-Length: 10").lacks("Transfer-Encoding"))),
            Case(
                "lines of one field in their order", "RFC 9110 §5.3",
                get().answered(
                    "Cache-Control: max-age=60", "X-Many: 1", "X-Other: 0", "X-Many: 2", "X-Many: 3"),
                get().after(1).expect(.hit.has("X-Many: 1, 2, 3", "X-Other: 0"))),
            Case(
                "bytes beyond ASCII", "RFC 9110 §5.5",
                get().answered("Cache-Control: max-age=60", "X-Name: Zoë"),
                get().after(1).expect(.hit.has("X-Name: Zoë"))),
            Case(
                "a Trailer that is announced", "RFC 9110 §6.6.2",
                get().answered("Cache-Control: max-age=60", "Trailer: X-Sum").framed(.trailer("X-Sum: 1"))
                    .expect(
                        .miss.lacks("Trailer")),
                get().expect(.miss)),
            .lives(
                "Set-Cookie", "RFC 9111 §7.3", "Cache-Control: max-age=60", "Set-Cookie: a=1", for: nil,
                .because("set-cookie")),
            .lives(
                "Set-Cookie beside public", "RFC 9111 §7.3", "Cache-Control: public, s-maxage=60",
                "Set-Cookie: a=1; HttpOnly", for: nil, .because("set-cookie")),
            .lives(
                "several of Set-Cookie", "RFC 9111 §7.3", "Cache-Control: max-age=60", "Set-Cookie: a=1",
                "set-cookie: b=2", for: nil, .because("set-cookie")),
            .lives(
                "an empty Set-Cookie", "RFC 9111 §7.3", "Cache-Control: max-age=60", "Set-Cookie:", for: nil,
                .because("set-cookie")),
            .lives(
                "Content-Encoding that Larder does not know", "RFC 9110 §8.4", "Cache-Control: max-age=60",
                "Content-Encoding: deflate", for: nil, .because("encoding")),
            .lives(
                "two of Content-Encoding", "RFC 9110 §8.4", "Cache-Control: max-age=60",
                "Content-Encoding: gzip, br", for: nil, .because("encoding")),
            Case(
                "a coding for clients that accept it", "RFC 9110 §12.5.3",
                get("Accept-Encoding: br").answered("Cache-Control: max-age=60", "Content-Encoding: br")
                    .expect(.stored),
                get("Accept-Encoding: br, gzip;q=0.1").after(1).expect(.hit(1).has("Content-Encoding: br")),
                get().expect(.miss)),
            Case(
                "a coding that is refused", "RFC 9110 §12.5.3",
                get("Accept-Encoding: br").answered("Cache-Control: max-age=60", "Content-Encoding: br"),
                get("Accept-Encoding: br;q=0, *").after(1).expect(.miss)),
            Case(
                "a field cannot overlong the head", "caching-rules",
                get().answered("Cache-Control: max-age=60", "X-Long: \(String(repeating: "x", count: 5000))")
                    .expect(
                        .refused("head-too-large"), rfc: .stored),
                get().after(1).expect(.miss, rfc: .hit)),
        ]
}
