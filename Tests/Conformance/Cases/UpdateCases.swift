// What a 304 changes in the stored head (RFC 9111 §3.2, §4.3.4).

extension Case {
    /// Stored with `stored` and a tag for ten seconds, renewed by a 304 with `renewed`; then a hit with `has`.
    private static func updating(
        _ name: String, _ section: String, stored: [String], renewed: [String], has: [String],
        lacks: [String] = []
    ) -> Case {
        var later = Expectation.hit(1).age(5)
        later.present += has
        later.absent += lacks
        var at = Expectation.revalidated.status(200)
        at.present += has
        at.absent += lacks
        return Case(
            name, section,
            Step().answered(
                200, fields: ["Cache-Control: max-age=10", "ETag: \"a\""] + stored, body: "ten bytes."
            )
            .expect(.stored),
            Step().after(20).answered(304, fields: ["ETag: \"a\""] + renewed, body: nil).expect(at),
            get().after(5).expect(later))
    }

    private static let replaced = [
        "X-Field", "Content-Language", "Content-Location", "Content-Disposition", "Content-Security-Policy",
        "Link",
        "Server", "Access-Control-Allow-Origin", "Strict-Transport-Security", "CDN-Loop", "Last-Modified",
    ].map { name -> Case in
        let old = name == "Last-Modified" ? "Thu, 01 Jan 2015 00:00:00 GMT" : "old"
        let new = name == "Last-Modified" ? "Fri, 01 Jan 2016 00:00:00 GMT" : "new"
        return updating(
            "a 304 replaces \(name)", "RFC 9111 §3.2", stored: ["\(name): \(old)"],
            renewed: ["\(name): \(new)"],
            has: ["\(name): \(new)"])
    }

    private static let dropped = [
        "Keep-Alive: timeout=5", "Proxy-Authenticate: Basic", "Proxy-Authentication-Info: x",
        "Proxy-Connection: close",
        "TE: gzip", "Upgrade: h2c",
    ].map { line -> Case in
        let name = String(line.split(separator: ":")[0])
        return updating(
            "a 304 does not add \(name)", "RFC 9111 §3.1", stored: [], renewed: [line], has: [], lacks: [name]
        )
    }

    static let updates: [Case] =
        replaced + dropped + [
            updating(
                "a 304 adds a field", "RFC 9111 §3.2", stored: [], renewed: ["X-New: 1"], has: ["X-New: 1"]),
            updating(
                "a 304 leaves fields that it does not name", "RFC 9111 §3.2", stored: ["X-Old: 1"], renewed: [],
                has: ["X-Old: 1", "ETag: \"a\""]),
            updating(
                "a 304 replaces all lines of a field", "RFC 9111 §3.2", stored: ["X-Many: 1", "X-Many: 2"],
                renewed: ["X-Many: 3"], has: ["X-Many: 3"]),
            updating(
                "a 304 brings several lines", "RFC 9111 §3.2", stored: ["X-Many: 1"],
                renewed: ["X-Many: 2", "X-Many: 3"], has: ["X-Many: 2, 3"]),
            updating(
                "names of a 304 in another case", "RFC 9111 §3.2", stored: ["X-Field: old"],
                renewed: ["x-field: new"], has: ["X-Field: new"]),
            updating(
                "a 304 does not change Content-Length", "RFC 9111 §3.2", stored: [],
                renewed: ["Content-Length: 10000"], has: ["Content-Length: 10"]),
            updating(
                "a 304 does not say how the body is coded", "RFC 9111 §3.2", stored: [],
                renewed: ["Content-Encoding: gzip"], has: [], lacks: ["Content-Encoding"]),
            updating(
                "a 304 does not say what part the body is", "RFC 9111 §3.2", stored: [],
                renewed: ["Content-Range: bytes 0-4/10"], has: [], lacks: ["Content-Range"]),
            updating(
                "a 304 brings a new Date", "RFC 9111 §3.2", stored: [], renewed: [], has: ["Date: {start+20}"]
            ),
            updating(
                "a 304 replaces no other field", "RFC 9111 §3.2", stored: ["X-A: 1", "X-B: 1"],
                renewed: ["X-A: 2"], has: ["X-A: 2", "X-B: 1"]),
            Case(
                "a 304 brings a new lifetime", "RFC 9111 §4.3.4",
                get().answered("Cache-Control: max-age=10", "ETag: \"a\""),
                get().after(20).answered(304, "ETag: \"a\"", "Cache-Control: max-age=60").expect(
                    .revalidated),
                get().after(59).expect(.hit(1).age(59).has("Cache-Control: max-age=60")),
                get().after(1).expect(.miss)),
            Case(
                "a 304 keeps the old lifetime", "RFC 9111 §4.3.4",
                get().answered("Cache-Control: max-age=10", "ETag: \"a\""),
                get().after(20).answered(304, "ETag: \"a\"").expect(.revalidated),
                get().after(9).expect(.hit(1).age(9)),
                get().after(1).expect(.miss)),
            Case(
                "a 304 moves Expires", "RFC 9111 §4.3.4",
                get().answered("Expires: {now+10}", "ETag: \"a\""),
                get().after(20).answered(304, "ETag: \"a\"", "Expires: {now+60}").expect(.revalidated),
                get().after(59).expect(.hit(1).age(59)),
                get().after(1).expect(.miss)),
            Case(
                "a 304 without a new Expires leaves it stale", "RFC 9111 §4.3.4",
                get().answered("Expires: {now+10}", "ETag: \"a\""),
                get().after(20).answered(304, "ETag: \"a\"").expect(.revalidated),
                get().after(1).expect(.miss)),
            Case(
                "Age counts from the 304 alone", "RFC 9111 §4.2.3",
                get().answered("Cache-Control: max-age=60", "Age: 50", "ETag: \"a\""),
                get().after(20).answered(304, "ETag: \"a\"").expect(.revalidated),
                get().after(59).expect(.hit(1).age(59))),
            Case(
                "the Age of a 304 counts", "RFC 9111 §4.2.3",
                get().answered("Cache-Control: max-age=60", "ETag: \"a\""),
                get().after(60).answered(304, "ETag: \"a\"", "Age: 30").expect(.revalidated),
                get().after(29).expect(.hit(1).age(59)),
                get().after(1).expect(.miss)),
            Case(
                "the time that a 304 takes counts", "RFC 9111 §4.2.3",
                get().answered("Cache-Control: max-age=60", "ETag: \"a\""),
                get().after(60).answered(304, "ETag: \"a\"").delayed(10).expect(.revalidated),
                get().after(49).expect(.hit(1).age(59)),
                get().after(1).expect(.miss)),
            Case(
                "a 304 that forbids to store", "caching-rules",
                get().answered("Cache-Control: max-age=10", "ETag: \"a\""),
                get().after(20).answered(304, "ETag: \"a\"", "Cache-Control: no-store").expect(
                    .revalidated.status(200).has("Cache-Control: no-store")),
                get().expect(.miss.withholds("If-None-Match"))),
            Case(
                "a 304 that makes it private", "caching-rules",
                get().answered("Cache-Control: max-age=10", "ETag: \"a\""),
                get().after(20).answered(304, "ETag: \"a\"", "Cache-Control: private").expect(.revalidated),
                get().expect(.miss.withholds("If-None-Match"))),
            Case(
                "a 304 that sets a cookie", "caching-rules",
                get().answered("Cache-Control: max-age=10", "ETag: \"a\""),
                get().after(20).answered(304, "ETag: \"a\"", "Set-Cookie: a=1").expect(
                    .revalidated.status(200).has("Set-Cookie: a=1")),
                get().expect(.miss.withholds("If-None-Match").lacks("Set-Cookie"))),
            Case(
                "a 304 that varies by everything", "caching-rules",
                get().answered("Cache-Control: max-age=10", "ETag: \"a\""),
                get().after(20).answered(304, "ETag: \"a\"", "Vary: *").expect(.revalidated),
                get().expect(.miss.withholds("If-None-Match"))),
        ]
}
