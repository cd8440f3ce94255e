// Revalidation (RFC 9111 §4.3): conditional fetches, and what the origin's response does to the entry.

extension Case {
    private static let made = "Last-Modified: Thu, 01 Jan 2015 00:00:00 GMT"

    /// Stored with `fields` for ten seconds; stale, then renewed by a 304 with the second set of fields.
    private static func renewing(
        _ name: String, _ section: String, stored: [String], sends: String, renewed: [String]
    ) -> Case {
        var asked = Expectation.revalidated.status(200)
        asked.sent = [sends]
        return Case(
            name, section,
            Step().answered(200, fields: ["Cache-Control: max-age=10"] + stored, body: nil).expect(.stored),
            Step().after(20).answered(304, fields: renewed, body: nil).expect(asked),
            get().after(9).expect(.hit(1).age(9)),
            get().after(1).expect(.miss))
    }

    /// Stored with the first fields; a 304 with the second must not renew the entry.
    private static func mismatching(
        _ name: String, _ section: String, stored: String, answered: String
    ) -> Case {
        Case(
            name, section,
            get().answered("Cache-Control: max-age=10", stored),
            get().after(20).answered(304, "Cache-Control: max-age=60", answered).expect(.anything),
            get().expect(.anything))
    }

    static let revalidation: [Case] = [
        renewing(
            "a strong tag", "RFC 9111 §4.3.1", stored: ["ETag: \"a\""], sends: "If-None-Match: \"a\"",
            renewed: ["ETag: \"a\""]),
        renewing(
            "a weak tag", "RFC 9111 §4.3.4", stored: ["ETag: W/\"a\""], sends: "If-None-Match: W/\"a\"",
            renewed: ["ETag: W/\"a\""]),
        renewing(
            "a tag with a comma and blanks around it", "RFC 9110 §8.8.3", stored: ["ETag:   \"a,b\"  "],
            sends: "If-None-Match: \"a,b\"", renewed: ["ETag: \"a,b\""]),
        renewing(
            "an empty tag", "RFC 9110 §8.8.3", stored: ["ETag: \"\""], sends: "If-None-Match: \"\"",
            renewed: ["ETag: \"\""]),
        renewing(
            "Last-Modified", "RFC 9111 §4.3.1", stored: [made],
            sends: "If-Modified-Since: Thu, 01 Jan 2015 00:00:00 GMT", renewed: [made]),
        renewing(
            "both: the tag is sent", "RFC 9111 §4.3.1", stored: ["ETag: \"a\"", made],
            sends: "If-None-Match: \"a\"", renewed: ["ETag: \"a\"", made]),
        renewing(
            "both: the date is sent", "RFC 9111 §4.3.1", stored: ["ETag: \"a\"", made],
            sends: "If-Modified-Since: Thu, 01 Jan 2015 00:00:00 GMT", renewed: ["ETag: \"a\"", made]),
        renewing(
            "the tag decides, not the date", "RFC 9111 §4.3.4", stored: ["ETag: \"a\"", made],
            sends: "If-None-Match: \"a\"",
            renewed: ["ETag: \"a\"", "Last-Modified: Fri, 01 Jan 2016 00:00:00 GMT"]),
        Case(
            "nothing to ask by", "RFC 9111 §4.3.1",
            get().answered("Cache-Control: max-age=10"),
            get().after(20).expect(.miss.withholds("If-None-Match", "If-Modified-Since").member("fwd=stale"))),
        Case(
            "a fetch is not conditional", "RFC 9111 §4.3.1",
            get("If-None-Match: \"z\"", "If-Modified-Since: {now}").answered(
                "Cache-Control: max-age=60", "ETag: \"a\""
            )
            .expect(.stored.withholds("If-None-Match", "If-Modified-Since"))),
        mismatching(
            "a 304 with another tag", "RFC 9111 §4.3.4", stored: "ETag: \"a\"", answered: "ETag: \"b\""),
        mismatching(
            "a 304 with another date", "RFC 9111 §4.3.4", stored: made,
            answered: "Last-Modified: Fri, 01 Jan 2016 00:00:00 GMT"),
        mismatching("a 304 with a date for a tag", "RFC 9111 §4.3.4", stored: "ETag: \"a\"", answered: made),
        Case(
            "a new answer replaces the entry", "RFC 9111 §4.3.3",
            get().answered("Cache-Control: max-age=10", "ETag: \"a\""),
            get().after(20).answered("Cache-Control: max-age=10", "ETag: \"b\"").expect(
                .stored.sends("If-None-Match: \"a\"").has("ETag: \"b\"")),
            get().after(9).expect(.hit(2).age(9)),
            get().after(1).expect(.miss.sends("If-None-Match: \"b\""))),
        Case(
            "a new answer that may not be kept", "RFC 9111 §4.3.3",
            get().answered("Cache-Control: max-age=10", "ETag: \"a\""),
            get().after(20).answered("Cache-Control: no-store").expect(.refused("no-store")),
            get().expect(.miss)),
        Case(
            "a 404 instead", "RFC 9111 §4.3.3",
            get().answered("Cache-Control: max-age=10", "ETag: \"a\""),
            get().after(20).answered(404, "Cache-Control: max-age=10").expect(.stored),
            get().after(1).expect(.hit(2).age(1))),
        Case(
            "a redirect instead", "RFC 9111 §4.3.3",
            get().answered("Cache-Control: max-age=10", "ETag: \"a\""),
            get().after(20).answered(302, "Location: /elsewhere").expect(.miss.has("Location: /elsewhere"))),
        Case(
            "a condition of the client that holds", "RFC 9111 §4.3.2",
            get().answered("Cache-Control: max-age=10", "ETag: \"a\""),
            get("If-None-Match: \"a\"").after(20).answered(304, "ETag: \"a\"").expect(
                .fetchedNotModified.sends("If-None-Match: \"a\"").has("ETag: \"a\"")),
            get().after(1).expect(.hit(1).age(1))),
        Case(
            "a condition of the client that does not hold", "RFC 9111 §4.3.2",
            get().answered("Cache-Control: max-age=10", "ETag: \"a\""),
            get("If-None-Match: \"old\"").after(20).answered(304, "ETag: \"a\"").expect(
                .revalidated.status(200)),
            get().after(1).expect(.hit(1).age(1))),
        Case(
            "a client's condition on a new response", "RFC 9111 §4.3.2",
            get().answered("Cache-Control: max-age=10", "ETag: \"a\""),
            get("If-None-Match: \"b\"").after(20).answered("Cache-Control: max-age=60", "ETag: \"b\"").expect(
                .fetchedNotModified),
            get().after(1).expect(.hit(2).age(1))),
        Case(
            "the date of a client is not the store's", "RFC 9111 §4.3.1",
            get().answered("Cache-Control: max-age=10", made),
            get("If-Modified-Since: {start-10}").after(20).answered(304, made).expect(
                .fetchedNotModified.sends("If-Modified-Since: Thu, 01 Jan 2015 00:00:00 GMT"))),
        Case(
            "an unrequested 304", "RFC 9110 §15.4.5",
            get().answered(304, "Cache-Control: max-age=60", "ETag: \"a\"").expect(.failure(502)),
            get().expect(.miss)),
        Case(
            "an entry renewed twice", "RFC 9111 §4.3.4",
            get().answered("Cache-Control: max-age=10", "ETag: \"a\""),
            get().after(20).answered(304, "ETag: \"a\"").expect(.revalidated),
            get().after(20).answered(304, "ETag: \"a\"").expect(.revalidated(1)),
            get().after(9).expect(.hit(1).age(9))),
        Case(
            "conditions say nothing about a redirect", "RFC 9110 §13.2.1",
            get().answered(301, "Cache-Control: max-age=10", "ETag: \"a\"", "Location: /new"),
            get().after(20).answered(301, "Location: /newer").expect(
                .miss.withholds("If-None-Match").has("Location: /newer"))),
        Case(
            "a HEAD revalidates too", "RFC 9111 §4.3.1",
            get().answered("Cache-Control: max-age=10", "ETag: \"a\"", body: "ten bytes."),
            head().after(20).answered(304, "ETag: \"a\"").expect(
                Expectation(.asked, .empty, status: 200).has("ETag: \"a\"")),
            get().after(1).expect(.hit(1).age(1))),
    ]

    static let headUpdates: [Case] = [
        Case(
            "a HEAD that agrees freshens", "RFC 9111 §4.3.5",
            get().answered("Cache-Control: max-age=10", "ETag: \"a\"", "X-Round: 1", body: "ten bytes."),
            head().after(20).answered(
                "Cache-Control: max-age=10", "ETag: \"a\"", "X-Round: 2", body: "ten bytes."
            )
            .expect(Expectation(.asked, .empty, status: 200)),
            get().after(5).expect(.hit(1).age(5).has("X-Round: 2"))),
        Case(
            "a HEAD with another tag outdates", "RFC 9111 §4.3.5",
            get().answered("Cache-Control: max-age=60", "ETag: \"a\"", body: "ten bytes."),
            head("Cache-Control: no-cache").after(5).answered(
                "Cache-Control: max-age=60", "ETag: \"b\"",
                body: "ten bytes."
            ).expect(Expectation(.asked, .empty, status: 200)),
            get().after(1).expect(.miss)),
        Case(
            "a HEAD with another length outdates", "RFC 9111 §4.3.5",
            get().answered("Cache-Control: max-age=60", "ETag: \"a\"", body: "ten bytes."),
            head("Cache-Control: no-cache").after(5).answered(
                "Cache-Control: max-age=60", "ETag: \"a\"",
                body: "eleven byte"
            ).expect(Expectation(.asked, .empty, status: 200)),
            get().after(1).expect(.miss)),
        Case(
            "a HEAD with another date outdates", "RFC 9111 §4.3.5",
            get().answered("Cache-Control: max-age=60", made, body: "ten bytes."),
            head("Cache-Control: no-cache").after(5).answered(
                "Cache-Control: max-age=60",
                "Last-Modified: Fri, 01 Jan 2016 00:00:00 GMT", body: "ten bytes."
            ).expect(
                Expectation(.asked, .empty, status: 200)),
            get().after(1).expect(.miss)),
        Case(
            "a HEAD that may renew sends the keyed URL", "RFC 9111 §7.1",
            get().answered("Cache-Control: max-age=60", body: "ten bytes."),
            head("Cache-Control: no-cache", "X-Forwarded-Port: 1337", "Accept-Encoding: deflate").after(5)
                .answered("Cache-Control: max-age=60", "X-Round: 2", body: "ten bytes.").expect(
                    Expectation(.asked, .empty, status: 200).sends("Accept-Encoding: identity").withholds(
                        "X-Forwarded-Port")),
            get().after(5).expect(.hit(1).age(10), rfc: .hit(1).age(5).has("X-Round: 2"))),
        Case(
            "a HEAD that can renew nothing goes as it came", "RFC 9110 §13.2.1",
            head("If-None-Match: \"a\"", "X-Kept: 1337").answered(304, "ETag: \"a\"").expect(
                Expectation(.asked, .empty, status: 304).sends(
                    "If-None-Match: \"a\"", "X-Kept: 1337"))),
        Case(
            "a 304 that forbids storing", "RFC 9211 §2.3",
            get().answered("Cache-Control: max-age=10", "ETag: \"a\""),
            get().after(20).answered(304, "ETag: \"a\"", "Cache-Control: private").expect(
                .revalidated.member("fwd=stale").member("fwd-status=304").member("detail=private").lacking(
                    "stored"
                ).lacking("ttl")),
            get().expect(.miss)),
        Case(
            "a HEAD that fails changes nothing", "RFC 9111 §4.3.5",
            get().answered("Cache-Control: max-age=60", "ETag: \"a\"", body: "ten bytes."),
            head("Cache-Control: no-cache").after(5).answered(503, body: "").expect(
                Expectation(.asked, .empty, status: 503)),
            get().after(1).expect(.hit(1).age(6))),
        Case(
            "a HEAD without an entry stores nothing", "RFC 9111 §4.3.5",
            head().answered("Cache-Control: max-age=60", body: "ten bytes.").expect(
                .refused("method").bodyless.has("Content-Length: 10")),
            get().expect(.miss)),
    ]
}
