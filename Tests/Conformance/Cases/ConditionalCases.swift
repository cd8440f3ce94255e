// Conditional requests answered from the store (RFC 9110 §13, RFC 9111 §4.3.2).

extension Case {
    /// A stored response with a tag, a date or both, requested with these fields.
    private static func asking(
        _ name: String, _ section: String, stored: [String] = ["ETag: \"a\""], _ fields: String...,
        method: String = "GET",
        status: Int = 200, expect: Expectation
    ) -> Case {
        Case(
            name, section,
            Step().answered(status, fields: ["Cache-Control: max-age=9"] + stored, body: nil),
            Step(method: method, fields: fields).after(1).expect(expect))
    }

    private static let dated = ["Last-Modified: Thu, 01 Jan 2015 00:00:00 GMT"]
    private static let both = ["ETag: \"a\"", "Last-Modified: Thu, 01 Jan 2015 00:00:00 GMT"]

    static let entityTags: [Case] = [
        asking(
            "the tag", "RFC 9110 §13.1.2", "If-None-Match: \"a\"",
            expect: .notModified.age(1).has("ETag: \"a\"")),
        asking("another tag", "RFC 9110 §13.1.2", "If-None-Match: \"b\"", expect: .hit),
        asking("a tag in another case", "RFC 9110 §8.8.3", "If-None-Match: \"A\"", expect: .hit),
        asking(
            "the tag in a list", "RFC 9110 §13.1.2", "If-None-Match: \"x\", \"a\", \"y\"",
            expect: .notModified),
        asking(
            "the tag in a list without blanks", "RFC 9110 §13.1.2", "If-None-Match: \"x\",\"a\"",
            expect: .notModified),
        asking(
            "the tag in a list with empty members", "RFC 9110 §5.6.1", "If-None-Match: , \"x\",, \"a\" ,",
            expect: .notModified),
        asking("a list without the tag", "RFC 9110 §13.1.2", "If-None-Match: \"x\", \"y\"", expect: .hit),
        asking(
            "the tag on a second line", "RFC 9110 §5.3", "If-None-Match: \"x\"", "If-None-Match: \"a\"",
            expect: .notModified),
        asking("a weak form of the tag", "RFC 9110 §8.8.3.2", "If-None-Match: W/\"a\"", expect: .notModified),
        asking(
            "a strong form of a weak tag", "RFC 9110 §8.8.3.2", stored: ["ETag: W/\"a\""],
            "If-None-Match: \"a\"",
            expect: .notModified.has("ETag: W/\"a\"")),
        asking(
            "two weak tags", "RFC 9110 §8.8.3.2", stored: ["ETag: W/\"a\""], "If-None-Match: W/\"a\"",
            expect: .notModified),
        asking("w/ is not W/", "RFC 9110 §8.8.3", "If-None-Match: w/\"a\"", expect: .hit),
        asking("any tag", "RFC 9110 §13.1.2", "If-None-Match: *", expect: .notModified),
        asking(
            "any tag, of an entry without one", "RFC 9110 §13.1.2", stored: [], "If-None-Match: *",
            expect: .notModified),
        asking(
            "a tag, of an entry without one", "RFC 9110 §13.1.2", stored: dated, "If-None-Match: \"a\"", expect: .hit
        ),
        asking("a tag without quotes", "RFC 9110 §8.8.3", "If-None-Match: a", expect: .hit),
        asking("an unfinished tag", "RFC 9110 §8.8.3", "If-None-Match: \"a", expect: .hit),
        asking("an empty list", "RFC 9110 §13.1.2", "If-None-Match:", expect: .hit),
        asking(
            "a comma within a tag", "RFC 9110 §8.8.3", stored: ["ETag: \"a,b\""],
            "If-None-Match: \"x\", \"a,b\"",
            expect: .notModified),
        asking(
            "a comma within a tag does not divide it", "RFC 9110 §8.8.3", stored: ["ETag: \"b\""],
            "If-None-Match: \"a,\"b\",c\"", expect: .hit),
        asking(
            "a backslash within a tag", "RFC 9110 §8.8.3", stored: ["ETag: \"a\\\""],
            "If-None-Match: \"a\\\"",
            expect: .notModified),
        asking(
            "a HEAD with the tag", "RFC 9110 §13.1.2", "If-None-Match: \"a\"", method: "HEAD",
            expect: .notModified),
        asking(
            "a HEAD with another tag", "RFC 9110 §13.1.2", "If-None-Match: \"b\"", method: "HEAD",
            expect: .headHit),
        asking(
            "a tag, of a 404", "RFC 9110 §13.2.1", "If-None-Match: \"a\"", status: 404,
            expect: .hit.status(404)),
        asking(
            "a tag of a redirect", "RFC 9110 §13.2.1", "If-None-Match: \"a\"", status: 301,
            expect: .hit.status(301)),
        asking(
            "the tag and a reload", "RFC 9111 §5.2.1.4", "If-None-Match: \"a\"", "Cache-Control: max-age=5",
            expect: .notModified),
    ]

    static let modificationDates: [Case] = [
        asking(
            "the date", "RFC 9110 §13.1.3", stored: dated, "If-Modified-Since: Thu, 01 Jan 2015 00:00:00 GMT",
            expect: .notModified),
        asking(
            "a later date", "RFC 9110 §13.1.3", stored: dated,
            "If-Modified-Since: Fri, 02 Jan 2015 00:00:00 GMT",
            expect: .notModified),
        asking(
            "a date in the future", "RFC 9110 §13.1.3", stored: dated,
            "If-Modified-Since: Thu, 01 Jan 2099 00:00:00 GMT", expect: .notModified),
        asking(
            "an earlier date", "RFC 9110 §13.1.3", stored: dated,
            "If-Modified-Since: Wed, 31 Dec 2014 23:59:59 GMT",
            expect: .hit),
        asking(
            "a condition with a malformed date", "RFC 9110 §13.1.3", stored: dated, "If-Modified-Since: soon",
            expect: .hit),
        asking(
            "a condition by two dates", "RFC 9110 §13.1.3", stored: dated,
            "If-Modified-Since: Thu, 01 Jan 2015 00:00:00 GMT",
            "If-Modified-Since: Thu, 01 Jan 2015 00:00:00 GMT",
            expect: .hit),
        asking(
            "the date by RFC 850", "RFC 9110 §5.6.7", stored: dated,
            "If-Modified-Since: Thursday, 01-Jan-15 00:00:00 GMT", expect: .notModified),
        asking(
            "the date by asctime", "RFC 9110 §5.6.7", stored: dated,
            "If-Modified-Since: Thu Jan  1 00:00:00 2015",
            expect: .notModified),
        asking(
            "a date, of an entry without one", "caching-rules", stored: [], "If-Modified-Since: {now}", expect: .hit),
        asking(
            "another tag overrides the date", "RFC 9110 §13.2.2", stored: both, "If-None-Match: \"b\"",
            "If-Modified-Since: Thu, 01 Jan 2015 00:00:00 GMT", expect: .hit),
        asking(
            "the tag overrides an earlier date", "RFC 9110 §13.2.2", stored: both, "If-None-Match: \"a\"",
            "If-Modified-Since: Wed, 31 Dec 2014 23:59:59 GMT", expect: .notModified),
        asking(
            "a date, of a 410", "RFC 9110 §13.2.1", stored: dated, "If-Modified-Since: {now}",
            status: 410,
            expect: .hit.status(410)),
    ]

    static let conditions: [Case] = [
        Case(
            "the fields of a 304", "RFC 9110 §15.4.5",
            get().answered(
                "Cache-Control: max-age=60", "ETag: \"a\"", "Expires: {now+60}", "Vary: Accept-Encoding",
                "Content-Location: /here", "Content-Type: text/plain", "Content-Language: en", "X-Field: 1",
                "Last-Modified: Thu, 01 Jan 2015 00:00:00 GMT"),
            get("If-None-Match: \"a\"").after(1).expect(
                .notModified.has(
                    "Cache-Control: max-age=60", "ETag: \"a\"", "Expires: {start+60}", "Date: {start}",
                    "Vary: Accept-Encoding", "Content-Location: /here", "Age: 1"
                ).lacks(
                    "Content-Type",
                    "Content-Language", "X-Field", "Last-Modified", "Transfer-Encoding"))),
        Case(
            "Last-Modified in a 304 without a tag", "RFC 9110 §15.4.5",
            Step().answered(200, fields: ["Cache-Control: max-age=60"] + dated, body: nil),
            get("If-Modified-Since: {now}").after(1).expect(
                .notModified.has("Last-Modified: Thu, 01 Jan 2015 00:00:00 GMT"))),
        Case(
            "a condition on a miss warms the cache", "caching-rules",
            get("If-None-Match: \"a\"").answered("Cache-Control: max-age=60", "ETag: \"a\"").expect(
                .fetchedNotModified.withholds("If-None-Match").has("ETag: \"a\"")),
            get().after(1).expect(.hit(1).age(1))),
        Case(
            "a date on a miss warms the cache", "caching-rules",
            Step(fields: ["If-Modified-Since: {now}"]).answered(
                200, fields: ["Cache-Control: max-age=60"] + dated, body: nil
            ).expect(
                .fetchedNotModified.withholds("If-Modified-Since")),
            get().after(1).expect(.hit(1).age(1))),
        Case(
            "a condition that does not hold on a miss", "caching-rules",
            get("If-None-Match: \"b\"").answered("Cache-Control: max-age=60", "ETag: \"a\"").expect(.stored),
            get().after(1).expect(.hit(1).age(1))),
        Case(
            "a condition on a hit-for-miss key is passed on", "caching-rules",
            get().answered("Cache-Control: no-store", "ETag: \"a\""),
            get("If-None-Match: \"a\"").answered(304, "ETag: \"a\"").expect(
                .fetchedNotModified.sends("If-None-Match: \"a\""))),
        asking(
            "If-Match passes", "RFC 9111 §4.3.2", "If-Match: \"a\"",
            expect: .refused("conditional").sends("If-Match: \"a\"")),
        asking(
            "If-Unmodified-Since passes", "RFC 9111 §4.3.2",
            "If-Unmodified-Since: Thu, 01 Jan 2015 00:00:00 GMT",
            expect: .refused("conditional").sends("If-Unmodified-Since: Thu, 01 Jan 2015 00:00:00 GMT")),
        asking(
            "a condition beside credentials passes", "RFC 9111 §3.5", "Authorization: Basic eDp5",
            "If-None-Match: \"a\"", expect: .refused("authorization").sends("If-None-Match: \"a\"")),
    ]
}
