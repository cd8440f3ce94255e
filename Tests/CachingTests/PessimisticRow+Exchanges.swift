/// The rows of the policy `pessimistic` that turn on the shape of the answer and on the request.
import Caching

extension PessimisticRow {
    /// Status and shape (§3, §3.3).
    static let shapes: [PessimisticRow] = [
        .init(
            "301 with a lifetime",
            response: .init(
                301,
                headers: [
                    "Cache-Control: max-age=60",
                    "Location: /a",
                ]), after: 1, is: .init(.hit, ageSeconds: 1)),
        .init(
            "302 is not on the list",
            response: .init(
                302,
                headers: [
                    "Cache-Control: max-age=60",
                    "Location: /a",
                ]), refused: "status"),
        .init(
            "404 lives ten seconds", response: .init(404, headers: ["Cache-Control: max-age=60"]), after: 9,
            is: .init(.hit, ageSeconds: 9)),
        .init(
            "404 lives no longer", response: .init(404, headers: ["Cache-Control: max-age=60"]), after: 10,
            is: .init(.stale)),
        .init(
            "500 is not stored", response: .init(500, headers: ["Cache-Control: max-age=60"]),
            refused: "status"),
        .init(
            "400 is shaped by the request", response: .init(400, headers: ["Cache-Control: max-age=60"]),
            refused: "status"),
        .init(
            "206 is not stored",
            response: .init(
                206,
                headers: [
                    "Cache-Control: max-age=60",
                    "Content-Range: bytes 0-99/1000",
                ]), refused: "status"),
        .init(
            "Content-Range on a 200",
            response: .init(headers: [
                "Cache-Control: max-age=60",
                "Content-Range: bytes 0-99/100",
            ]), refused: "range"),
        .init(
            "a body at the limit", response: .init(headers: ["Cache-Control: max-age=60"], bodyCount: 65536)),
        .init(
            "a body above the limit",
            response: .init(
                headers: ["Cache-Control: max-age=60"],
                bodyCount: 65537), refused: "too-large"),
        .init(
            "a chunked body above the limit",
            response: .init(
                headers: ["Cache-Control: max-age=60"],
                bodyCount: 65537, framing: .chunked), refused: "too-large"),
        .init(
            "chunked is complete by its last chunk",
            response: .init(
                headers: ["Cache-Control: max-age=60"],
                framing: .chunked)),
        .init(
            "a body that ends with the connection",
            response: .init(
                headers: ["Cache-Control: max-age=60"],
                framing: .close), refused: "incomplete"),
        .init(
            "a head above the limit",
            response: .init(headers: [
                "Cache-Control: max-age=60",
                "X-Long: " + String(repeating: "x", count: 4096),
            ]), refused: "head-too-large"),
        .init(
            "announced trailers",
            response: .init(
                headers: ["Cache-Control: max-age=60", "Trailer: X-Sum"],
                framing: .chunked), refused: "trailers"),
        .init(
            "Connection names a field",
            response: .init(headers: [
                "Cache-Control: max-age=60",
                "Connection: X-Secret",
            ]), refused: "connection"),
        .init(
            "gzip is known", .init(headers: ["Accept-Encoding: gzip"]),
            response: .init(headers: ["Cache-Control: max-age=60", "Content-Encoding: gzip"]), after: 1,
            next: .init(headers: ["Accept-Encoding: br, gzip"]), is: .init(.hit, ageSeconds: 1)),
        .init(
            "gzip goes only to who accepts it", .init(headers: ["Accept-Encoding: gzip"]),
            response: .init(headers: ["Cache-Control: max-age=60", "Content-Encoding: gzip"]), after: 1,
            is: .init(.miss)),
        .init(
            "a refused coding is not served", .init(headers: ["Accept-Encoding: gzip"]),
            response: .init(headers: ["Cache-Control: max-age=60", "Content-Encoding: gzip"]), after: 1,
            next: .init(headers: ["Accept-Encoding: gzip;q=0, br"]), is: .init(.miss)),
        .init(
            "an unknown coding",
            response: .init(headers: [
                "Cache-Control: max-age=60",
                "Content-Encoding: deflate",
            ]), refused: "encoding"),
        .init(
            "two codings",
            response: .init(headers: [
                "Cache-Control: max-age=60",
                "Content-Encoding: gzip, br",
            ]), refused: "encoding"),
        .init(
            "identity refused by the client is not served",
            response: .init(headers: ["Cache-Control: max-age=60"]), after: 1,
            next: .init(headers: ["Accept-Encoding: gzip, identity;q=0"]), is: .init(.miss)),
    ]
}

extension PessimisticRow {
    /// Vary (§4.1).
    static let variance: [PessimisticRow] = [
        .init(
            "Vary: Accept-Encoding is matched by the coding",
            response: .init(headers: ["Cache-Control: max-age=60", "Vary: accept-encoding"]), after: 1,
            next: .init(headers: ["Accept-Encoding: gzip"]), is: .init(.hit, ageSeconds: 1)),
        .init(
            "Vary: *", response: .init(headers: ["Cache-Control: max-age=60", "Vary: *"]), refused: "vary"),
        .init(
            "Vary by Cookie",
            response: .init(headers: [
                "Cache-Control: max-age=60",
                "Vary: Accept-Encoding, Cookie",
            ]), refused: "vary"),
        .init(
            "a second Vary line counts",
            response: .init(headers: [
                "Cache-Control: max-age=60",
                "Vary: Accept-Encoding", "Vary: Origin",
            ]), refused: "vary"),
    ]
}

extension PessimisticRow {
    /// Cookies and authorization (§3.5).
    static let credentials: [PessimisticRow] = [
        .init(
            "a request with a cookie needs public", .init(headers: ["Cookie: a=1"]),
            response: .init(headers: ["Cache-Control: max-age=60"]), refused: "cookie"),
        .init(
            "public may answer cookies", .init(headers: ["Cookie: a=1"]),
            response: .init(headers: ["Cache-Control: public, max-age=60"]), after: 1,
            next: .init(headers: ["Cookie: b=2"]), is: .init(.hit, ageSeconds: 1)),
        .init(
            "s-maxage may answer cookies", response: .init(headers: ["Cache-Control: s-maxage=60"]),
            after: 1, next: .init(headers: ["Cookie: b=2"]), is: .init(.hit, ageSeconds: 1)),
        .init(
            "a bare max-age may not answer cookies", response: .init(headers: ["Cache-Control: max-age=60"]),
            after: 1, next: .init(headers: ["Cookie: b=2"]), is: .init(.bypass, reason: "cookie")),
        .init(
            "public with an argument permits nothing", .init(headers: ["Cookie: a=1"]),
            response: .init(headers: ["Cache-Control: public=yes, max-age=60"]), refused: "cookie"),
        .init(
            "Authorization is never stored", .init(headers: ["Authorization: Basic eDp5"]),
            response: .init(headers: ["Cache-Control: public, max-age=60"]), refused: "authorization"),
        .init(
            "Authorization is never answered from the store",
            response: .init(headers: ["Cache-Control: public, max-age=60"]), after: 1,
            next: .init(headers: ["Authorization: Basic eDp5"]), is: .init(.bypass, reason: "authorization")),
    ]
}

extension PessimisticRow {
    /// Requests that pass.
    static let passing: [PessimisticRow] = [
        .init(
            "POST", .init("POST"), response: .init(headers: ["Cache-Control: max-age=60"]),
            refused: "method"),
        .init(
            "HEAD is answered from a stored GET", response: .init(headers: ["Cache-Control: max-age=60"]),
            after: 2, next: .init("HEAD"), is: .init(.hit, ageSeconds: 2)),
        .init(
            "HEAD stores nothing", .init("HEAD"), response: .init(headers: ["Cache-Control: max-age=60"]),
            refused: "method"),
        .init(
            "GET with a body", .init(headers: ["Content-Length: 5"]),
            response: .init(headers: ["Cache-Control: max-age=60"]), refused: "method"),
        .init(
            "a field that rewrites the URL behind the key", .init(headers: ["X-Original-URL: /admin"]),
            response: .init(headers: ["Cache-Control: max-age=60"]), refused: "unkeyed"),
        .init(
            "an encoded slash", .init("GET", "http://example.com/account%2f..%2fa.css"),
            response: .init(headers: ["Cache-Control: max-age=60"]), refused: "path"),
        .init(
            "dot segments", .init("GET", "http://example.com/static/../account"),
            response: .init(headers: ["Cache-Control: max-age=60"]), refused: "path"),
        .init(
            "encoded dot segments", .init("GET", "http://example.com/static/%2E%2e/account"),
            response: .init(headers: ["Cache-Control: max-age=60"]), refused: "path"),
        .init(
            "a semicolon", .init("GET", "http://example.com/account;a.css"),
            response: .init(headers: ["Cache-Control: max-age=60"]), refused: "path"),
        .init(
            "an encoded control", .init("GET", "http://example.com/account%00a.css"),
            response: .init(headers: ["Cache-Control: max-age=60"]), refused: "path"),
        .init(
            "dots in a name are plain", .init("GET", "http://example.com/..a/b..css"),
            response: .init(headers: ["Cache-Control: max-age=60"])),
        .init(
            "Connection names a field of the request",
            .init(headers: ["Connection: close, X-Forwarded-For"]),
            response: .init(headers: ["Cache-Control: max-age=60"]), refused: "connection"),
        .init(
            "If-Match", .init(headers: [#"If-Match: "a""#]),
            response: .init(headers: ["Cache-Control: max-age=60"]), refused: "conditional"),
        .init(
            "If-Unmodified-Since", .init(headers: ["If-Unmodified-Since: Thu, 01 Jan 2026 00:00:00 GMT"]),
            response: .init(headers: ["Cache-Control: max-age=60"]), refused: "conditional"),
        .init(
            "a range passes", .init(headers: ["Range: bytes=0-9"]),
            response: .init(headers: ["Cache-Control: max-age=60"]), refused: "range"),
        .init(
            "no-store of the client", .init(headers: ["Cache-Control: no-store"]),
            response: .init(headers: ["Cache-Control: max-age=60"]), refused: "client-no-store"),
        .init(
            "a URL above 2 KiB", .init("GET", "http://example.com/" + String(repeating: "a", count: 2048)),
            response: .init(headers: ["Cache-Control: max-age=60"]), refused: "key"),
    ]
}

extension PessimisticRow {
    /// What clients may ask for (§5.2.1).
    static let clientWishes: [PessimisticRow] = [
        .init(
            "no-cache fetches anew", response: .init(headers: ["Cache-Control: max-age=60"]), after: 5,
            next: .init(headers: ["Cache-Control: no-cache"]), is: .init(.refresh, reason: "client-refresh")),
        .init(
            "no-cache within a second of the fetch is a hit",
            response: .init(headers: ["Cache-Control: max-age=60"]), after: 0,
            next: .init(headers: ["Cache-Control: no-cache"]), is: .init(.hit, ageSeconds: 0)),
        .init(
            "Pragma: no-cache without Cache-Control",
            response: .init(headers: ["Cache-Control: max-age=60"]), after: 5,
            next: .init(headers: ["Pragma: no-cache"]), is: .init(.refresh, reason: "client-refresh")),
        .init(
            "Pragma beside Cache-Control means nothing",
            response: .init(headers: ["Cache-Control: max-age=60"]), after: 5,
            next: .init(headers: ["Pragma: no-cache", "Cache-Control: max-age=10"]),
            is: .init(
                .hit,
                ageSeconds: 5)),
        .init(
            "max-age of the client, met", response: .init(headers: ["Cache-Control: max-age=60"]), after: 5,
            next: .init(headers: ["Cache-Control: max-age=5"]), is: .init(.hit, ageSeconds: 5)),
        .init(
            "max-age of the client, not met", response: .init(headers: ["Cache-Control: max-age=60"]),
            after: 6, next: .init(headers: ["Cache-Control: max-age=5"]),
            is: .init(
                .refresh,
                reason: "client-refresh")),
        .init(
            "min-fresh, met", response: .init(headers: ["Cache-Control: max-age=60"]), after: 50,
            next: .init(headers: ["Cache-Control: min-fresh=10"]), is: .init(.hit, ageSeconds: 50)),
        .init(
            "min-fresh, not met", response: .init(headers: ["Cache-Control: max-age=60"]), after: 51,
            next: .init(headers: ["Cache-Control: min-fresh=10"]),
            is: .init(
                .refresh,
                reason: "client-refresh")),
        .init(
            "max-stale does not make Larder serve stale",
            response: .init(headers: ["Cache-Control: max-age=60"]), after: 61,
            next: .init(headers: ["Cache-Control: max-stale=100"]), is: .init(.stale)),
        .init(
            "only-if-cached, stored", response: .init(headers: ["Cache-Control: max-age=60"]), after: 5,
            next: .init(headers: ["Cache-Control: only-if-cached"]), is: .init(.hit, ageSeconds: 5)),
        .init(
            "only-if-cached, not stored", response: .init(headers: ["Cache-Control: max-age=60"]), after: 5,
            next: .init("GET", "http://example.com/other", headers: ["Cache-Control: only-if-cached"]),
            is: .init(.gatewayTimeout)),
    ]
}

extension PessimisticRow {
    /// Conditions (RFC 9110 §13).
    static let conditions: [PessimisticRow] = [
        .init(
            "If-None-Match, the same tag",
            response: .init(headers: [
                "Cache-Control: max-age=60",
                #"ETag: "a""#,
            ]), after: 5, next: .init(headers: [#"If-None-Match: "a""#]),
            is: .init(.notModified, ageSeconds: 5)),
        .init(
            "If-None-Match compares weakly",
            response: .init(headers: [
                "Cache-Control: max-age=60",
                #"ETag: "a""#,
            ]), after: 5, next: .init(headers: [#"If-None-Match: "b", W/"a""#]),
            is: .init(.notModified, ageSeconds: 5)),
        .init(
            "If-None-Match: *", response: .init(headers: ["Cache-Control: max-age=60"]), after: 5,
            next: .init(headers: ["If-None-Match: *"]), is: .init(.notModified, ageSeconds: 5)),
        .init(
            "If-None-Match, another tag",
            response: .init(headers: [
                "Cache-Control: max-age=60",
                #"ETag: "a""#,
            ]), after: 5, next: .init(headers: [#"If-None-Match: "b""#]),
            is: .init(
                .hit,
                ageSeconds: 5)),
        .init(
            "If-None-Match goes before If-Modified-Since",
            response: .init(headers: [
                "Cache-Control: max-age=60", #"ETag: "a""#,
                "Last-Modified: Wed, 31 Dec 2025 00:00:00 GMT",
            ]), after: 5,
            next: .init(headers: [
                #"If-None-Match: "b""#,
                "If-Modified-Since: Thu, 01 Jan 2026 00:00:00 GMT",
            ]), is: .init(.hit, ageSeconds: 5)),
        .init(
            "If-Modified-Since, not modified",
            response: .init(headers: [
                "Cache-Control: max-age=60",
                "Last-Modified: Wed, 31 Dec 2025 00:00:00 GMT",
            ]), after: 5,
            next: .init(headers: ["If-Modified-Since: Wed, 31 Dec 2025 00:00:00 GMT"]),
            is: .init(.notModified, ageSeconds: 5)),
        .init(
            "If-Modified-Since, modified",
            response: .init(headers: [
                "Cache-Control: max-age=60",
                "Last-Modified: Wed, 31 Dec 2025 00:00:00 GMT",
            ]), after: 5,
            next: .init(headers: ["If-Modified-Since: Tue, 30 Dec 2025 00:00:00 GMT"]),
            is: .init(
                .hit,
                ageSeconds: 5)),
        .init(
            "conditions mean nothing on a stored 404",
            response: .init(
                404,
                headers: ["Cache-Control: max-age=60", #"ETag: "a""#]), after: 5,
            next: .init(headers: [#"If-None-Match: "a""#]), is: .init(.hit, ageSeconds: 5)),
    ]
}

extension PessimisticRow {
    /// The key.
    static let keys: [PessimisticRow] = [
        .init(
            "host in another case, default port", response: .init(headers: ["Cache-Control: max-age=60"]),
            after: 1, next: .init("GET", "http://EXAMPLE.com:80/"), is: .init(.hit, ageSeconds: 1)),
        .init(
            "another port is another origin", response: .init(headers: ["Cache-Control: max-age=60"]),
            after: 1, next: .init("GET", "http://example.com:8080/"), is: .init(.miss)),
        .init(
            "another scheme is another origin", response: .init(headers: ["Cache-Control: max-age=60"]),
            after: 1, next: .init("GET", "https://example.com/"), is: .init(.miss)),
        .init(
            "the query is keyed as it is", .init("GET", "http://example.com/?a=1&b=2"),
            response: .init(headers: ["Cache-Control: max-age=60"]), after: 1,
            next: .init(
                "GET",
                "http://example.com/?b=2&a=1"), is: .init(.miss)),
    ]
}
