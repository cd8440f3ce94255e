// A client's condition on a response that turns out not to be storable. Larder fetched it without the
// condition, so that it could be stored, and evaluates the condition itself (RFC 9110 §13, §15.4.5).

extension Case {
    private static let dated = "Last-Modified: Thu, 01 Jan 2015 00:00:00 GMT"
    private static let since = "If-Modified-Since: Thu, 01 Jan 2015 00:00:00 GMT"

    /// Requested with these fields; the response has the others, which no policy stores.
    private static func unstored(
        _ name: String, in section: String = "RFC 9110 §13.2.2", asking: [String] = ["If-None-Match: \"a\""],
        status: Int = 200, _ fields: String..., expect: Expectation
    ) -> Case {
        let step = Step(fields: asking).answered(
            status, fields: ["Cache-Control: no-store"] + fields, body: nil)
        return Case(name, section, step.expect(expect.withholds("If-None-Match", "If-Modified-Since")))
    }

    private static let notModified = Expectation.fetchedNotModified.member("detail=no-store").lacks(
        "Content-Length", "Content-Type")
    private static let whole = Expectation.miss.member("detail=no-store")

    /// The reason of the refusal does not matter.
    private static let refusals = [
        ("Cache-Control: private", "private"), ("Cache-Control: no-store", "no-store"),
        ("Cache-Control: max-age=60\r\nVary: *", "vary"), ("Cache-Control: max-age=60\r\nAge: 60", "expired"),
        ("Cache-Control: max-age=60\r\nDate: yesterday", "date"),
        ("Cache-Control: max-age=60\r\nTrailer: X-Sum", "trailers"),
        ("Cache-Control: max-age=60\r\nContent-Encoding: compress", "encoding"),
    ].map { fields, reason in
        Case(
            "a condition on a response refused as \(reason)", "RFC 9110 §13.1.2",
            get("If-None-Match: W/\"a\"").answered(
                200, fields: (fields + "\r\nETag: W/\"a\"").components, body: nil
            ).expect(
                .fetchedNotModified.lacks("Content-Encoding").withholds("If-None-Match").lacking("stored"),
                rfc: reason == "expired"
                    ? .fetchedNotModified.member("stored")
                    : .fetchedNotModified.withholds("If-None-Match").lacking("stored")))
    }

    static let unstoredConditions: [Case] =
        refusals + [
            unstored("a condition on an unstored response", "ETag: \"a\"", expect: notModified.has("ETag: \"a\"")),
            unstored("another tag than that of an unstored response", "ETag: \"b\"", expect: whole),
            unstored("an unstored response without a tag", expect: whole),
            unstored(
                "a weak form, of an unstored response", asking: ["If-None-Match: W/\"a\""], "ETag: \"a\"",
                expect: notModified.has("ETag: \"a\"")),
            unstored(
                "a strong form of a weak tag, of an unstored response", "ETag: W/\"a\"",
                expect: notModified.has("ETag: W/\"a\"")),
            unstored(
                "a list of tags, of an unstored response", asking: ["If-None-Match: \"x\", \"a\""],
                "ETag: \"a\"", expect: notModified),
            unstored(
                "any tag, of an unstored response", asking: ["If-None-Match: *"], "ETag: \"a\"",
                expect: notModified),
            unstored(
                "a date, of an unstored response", asking: [since], dated,
                expect: notModified.has(dated)),
            unstored(
                "an earlier date, of an unstored response",
                asking: ["If-Modified-Since: Wed, 31 Dec 2014 23:59:59 GMT"], dated, expect: whole),
            unstored(
                "another tag overrides the date, of an unstored response",
                asking: ["If-None-Match: \"b\"", since], "ETag: \"a\"", dated, expect: whole),
            unstored(
                "the tag overrides an earlier date, of an unstored response",
                asking: ["If-None-Match: \"a\"", "If-Modified-Since: Wed, 31 Dec 2014 23:59:59 GMT"],
                "ETag: \"a\"", dated, expect: notModified.has("ETag: \"a\"").lacks("Last-Modified")),
            unstored(
                "a 304 of an unstored response has no representation metadata", in: "RFC 9110 §15.4.5", "ETag: \"a\"",
                "Content-Type: text/html", "Content-Language: en", "Content-MD5: x", "Content-Digest: x",
                "Repr-Digest: x", "Digest: x", "Content-Location: /there", "Vary: Cookie",
                "Expires: {now+60}", "Date: {now-5}", "Age: 5", "X-Any: 1", "X-Any: 2", "Link: </a>",
                "Content-Security-Policy: default-src 'self'", "Access-Control-Allow-Origin: https://a.test",
                expect: notModified.has(
                    "ETag: \"a\"", "Cache-Control: no-store", "Content-Location: /there", "Vary: Cookie",
                    "Expires: {now+60}", "Date: {now-5}", "Age: 5", "X-Any: 1, 2", "Link: </a>",
                    "Content-Security-Policy: default-src 'self'",
                    "Access-Control-Allow-Origin: https://a.test"
                ).lacks(
                    "Content-Language", "Content-MD5", "Content-Digest", "Repr-Digest", "Digest",
                    "Last-Modified")),
            unstored(
                "a 304 of an unstored response has no hop-by-hop fields", in: "RFC 9110 §7.6.1", "ETag: \"a\"",
                "Connection: X-Hop", "X-Hop: 1", "Keep-Alive: timeout=5",
                expect: notModified.lacks("X-Hop", "Keep-Alive", "Connection")),
            unstored(
                "a response that sets a cookie is sent whole", in: "caching-rules", "ETag: \"a\"", "Set-Cookie: s=1",
                expect: .refused("set-cookie").has("Set-Cookie: s=1")),
            unstored("a condition on an error", in: "RFC 9110 §13.2.1", status: 404, "ETag: \"a\"", expect: whole),
            unstored("a condition on a 203 that is not stored", in: "RFC 9110 §15.4.5",
                status: 203, "ETag: \"a\"", expect: .miss.lacking("stored")),
            unstored(
                "a condition on a redirect", in: "RFC 9110 §13.2.1", status: 302, "ETag: \"a\"", "Location: /x",
                expect: .miss.lacking("stored")),
            Case(
                "a condition on a hit-for-miss key is decided by the origin", "caching-rules",
                get("If-None-Match: \"a\"").answered("Cache-Control: no-store", "ETag: \"a\"").expect(
                    .fetchedNotModified.withholds("If-None-Match")),
                get("If-None-Match: \"a\"").answered("Cache-Control: no-store", "ETag: \"a\"").expect(
                    .miss.sends("If-None-Match: \"a\"").member("detail=conditional"))),
            Case(
                "a condition of one with a cookie", "caching-rules",
                get("If-None-Match: \"a\"", "Cookie: s=1").answered("Cache-Control: max-age=60", "ETag: \"a\"")
                    .expect(.fetchedNotModified.member("detail=cookie").lacking("stored")),
                get("If-None-Match: \"a\"", "Cookie: s=1").answered("Cache-Control: max-age=60", "ETag: \"a\"")
                    .expect(.fetchedNotModified.withholds("If-None-Match"))),
            Case(
                "a condition on an unstored response that replaces an entry", "RFC 9111 §4.3.3",
                get().answered("Cache-Control: max-age=10", "ETag: \"a\""),
                get("If-None-Match: \"b\"").after(20).answered("Cache-Control: no-store", "ETag: \"b\"").expect(
                    .fetchedNotModified.sends("If-None-Match: \"a\"").has("ETag: \"b\"")),
                get().expect(.miss.withholds("If-None-Match"))),
            Case(
                "a HEAD's condition on a response that replaces an entry", "RFC 9111 §4.3.5",
                get().answered("Cache-Control: max-age=10", "ETag: \"a\"", body: "ten bytes."),
                head("If-None-Match: \"b\"").after(20).answered(
                    "Cache-Control: no-store", "ETag: \"b\"", body: "ten bytes."
                ).expect(.fetchedNotModified.sends("If-None-Match: \"a\"").has("ETag: \"b\""))),
            Case(
                "a condition that the origin has not heard, by chunks", "RFC 9110 §13.1.2",
                get("If-None-Match: \"a\"").answered("Cache-Control: no-store", "ETag: \"a\"").framed(.chunked)
                    .expect(.fetchedNotModified),
                get().expect(.miss)),
            Case(
                "a condition that the origin has not heard, until the close", "RFC 9110 §13.1.2",
                get("If-None-Match: \"a\"").answered("Cache-Control: max-age=60", "ETag: \"a\"").framed(.close)
                    .expect(.fetchedNotModified.member("detail=incomplete")),
                get().expect(.miss)),
        ]
}

extension String {
    fileprivate var components: [String] { split(separator: "\r\n").map(String.init) }
}
