// A 304 without a validator does not name the entry that it confirms (RFC 9111 §4.3.4). `reading: rfc`
// believes it, since the condition named one entry. `strict` does not: it fetches the whole response, and
// does not send such a condition again.

extension Case {
    private static let modified = "Last-Modified: Thu, 01 Jan 2015 00:00:00 GMT"

    /// Stored with these validators for ten seconds; then the origin answers conditions with a 304 with these fields.
    private static func bare(
        _ name: String, in section: String = "RFC 9111 §4.3.4", _ stored: String..., by fields: [String] = [],
        lives seconds: UInt64 = 10, asks condition: String
    ) -> Case {
        let whole = Step().answered(200, fields: ["Cache-Control: max-age=10"] + stored, body: nil)
        func next(_ passed: UInt64) -> Step {
            var step = whole.after(passed)
            step.answer.notModified = fields
            return step
        }
        let fetched = Expectation.stored.withholds("If-None-Match", "If-Modified-Since")
        return Case(
            name, section, whole.expect(.stored),
            next(20).expect(Expectation(.askedAtLeastOnce, .fetched), rfc: .revalidated(1).sends(condition)),
            next(seconds - 1).expect(seconds > 10 ? fetched : .hit(2), rfc: .hit(1)),
            next(20).expect(fetched, rfc: .revalidated(1).sends(condition)),
            next(20).expect(fetched, rfc: .revalidated(1).sends(condition)))
    }

    /// The public cache tests whose origin sends only its own fields with a 304.
    private static let published: [Case] = [
        Case(
            "a bare 304: the fields that Vary names are in the condition's request", "RFC 9111 §4.3.1",
            get("Abc: 123").answered("Expires: {now+1}", "ETag: \"abcdef\"", "Vary: Abc").expect(
                .refused("vary"), rfc: .stored),
            get("Abc: 123").after(3).answered("X-Round: 2").orNotModified("X-Round: 2").expect(
                .refused("no-freshness").withholds("If-None-Match"),
                rfc: .revalidated(1).sends("Abc: 123", "If-None-Match: \"abcdef\""))),
        Case(
            "a bare 304: an entry that must be revalidated is renewed", "RFC 9111 §5.2.2.2",
            get().answered("Cache-Control: max-age=2, must-revalidate", "ETag: \"abcd\""),
            get().expect(.hit(1)),
            get().after(3).answered("X-Round: 3").orNotModified("X-Round: 3").expect(
                Expectation(.askedAtLeastOnce, .fetched), rfc: .revalidated(1).sends("If-None-Match: \"abcd\""))),
        Case(
            "a bare 304: no-cache is kept to be revalidated", "RFC 9111 §5.2.2.4",
            get().answered("Cache-Control: no-cache", "ETag: \"abcd\"").expect(
                .refused("no-cache"), rfc: .stored),
            get().orNotModified().expect(
                .miss.withholds("If-None-Match"), rfc: .revalidated(1).sends("If-None-Match: \"abcd\""))),
        Case(
            "a bare 304: no-cache is, though it would be fresh", "RFC 9111 §5.2.2.4",
            get().answered(
                "Cache-Control: max-age=10000, no-cache", "Expires: {now+10000}", "ETag: \"abcd\""
            ).expect(.refused("no-cache"), rfc: .stored),
            get().orNotModified().expect(
                .miss.withholds("If-None-Match"), rfc: .revalidated(1).sends("If-None-Match: \"abcd\""))),
        Case(
            "a bare 304: to a strong tag", "RFC 9111 §4.3.1",
            get().answered("Cache-Control: max-age=2", "ETag: \"abcdef\""),
            get().after(3).orNotModified().expect(
                Expectation(.askedAtLeastOnce, .fetched), rfc: .revalidated(1).sends("If-None-Match: \"abcdef\""))
        ),
        Case(
            "a bare 304: to a weak tag", "RFC 9111 §4.3.1",
            get().answered("Cache-Control: max-age=2", "ETag: W/\"abcdef\""),
            get().after(3).orNotModified().expect(
                Expectation(.askedAtLeastOnce, .fetched),
                rfc: .revalidated(1).sends("If-None-Match: W/\"abcdef\""))),
        Case(
            "a bare 304: to a date", "RFC 9111 §4.3.1",
            get().answered("Cache-Control: max-age=2", "Last-Modified: {start-3000}"),
            get().after(3).orNotModified().expect(
                Expectation(.askedAtLeastOnce, .fetched),
                rfc: .revalidated(1).sends("If-Modified-Since: {start-3000}"))),
    ]

    static let bareNotModified: [Case] =
        published + [
            bare("a bare 304 to a tag", "ETag: \"a\"", asks: "If-None-Match: \"a\""),
            bare("a bare 304 to a weak form", "ETag: W/\"a\"", asks: "If-None-Match: W/\"a\""),
            bare(
                "a bare 304 to a date alone", modified,
                asks: "If-Modified-Since: Thu, 01 Jan 2015 00:00:00 GMT"),
            bare("a bare 304 to both", "ETag: \"a\"", modified, asks: "If-None-Match: \"a\""),
            bare(
                "a bare 304 with a lifetime", "ETag: \"a\"", by: ["Cache-Control: max-age=15"], lives: 15,
                asks: "If-None-Match: \"a\""),
            bare("a bare 304 with other fields", "ETag: \"a\"", by: ["X-A: 1"], asks: "If-None-Match: \"a\""),
            Case(
                "a bare 304 is merged", "RFC 9111 §3.2",
                get().answered("Cache-Control: max-age=10", "ETag: \"a\"", "X-Round: 1"),
                get().after(20).answered("Cache-Control: max-age=10", "X-Round: 2").orNotModified("X-Round: 2")
                    .expect(
                        Expectation(.askedAtLeastOnce, .fetched).has("X-Round: 2").lacks("ETag"),
                        rfc: .revalidated(1).has("X-Round: 2", "ETag: \"a\"")),
                get().after(5).expect(.hit(2).lacks("ETag"), rfc: .hit(1).has("X-Round: 2", "ETag: \"a\""))),
            Case(
                "a bare 304 that forbids storing", "RFC 9111 §4.3.4",
                get().answered("Cache-Control: max-age=10", "ETag: \"a\""),
                get().after(20).answered("Cache-Control: no-store").orNotModified("Cache-Control: no-store")
                    .expect(
                        Expectation(.askedAtLeastOnce, .fetched),
                        rfc: .revalidated(1).has("Cache-Control: no-store")),
                get().expect(.miss.withholds("If-None-Match"))),
            // A 304 that names another validator is not believed either, and it does not cost a second fetch
            // each time.
            Case(
                "a 304 with another tag, again and again", "RFC 9111 §4.3.4",
                get().answered("Cache-Control: max-age=10", "ETag: \"a\""),
                get().after(20).answered("Cache-Control: max-age=10", "ETag: \"a\"").orNotModified("ETag: \"b\"")
                    .expect(Expectation(.askedAtLeastOnce, .fetched)),
                get().after(9).expect(.hit(2)),
                get().after(20).answered("Cache-Control: max-age=10", "ETag: \"a\"").orNotModified("ETag: \"b\"")
                    .expect(.stored.withholds("If-None-Match")),
                get().after(20).answered("Cache-Control: max-age=10", "ETag: \"a\"").orNotModified("ETag: \"b\"")
                    .expect(.stored.withholds("If-None-Match"))),
            Case(
                "a response that is fetched whole still answers conditions", "RFC 9111 §4.3.2",
                get().answered("Cache-Control: max-age=10", "ETag: \"a\""),
                get().after(20).answered("Cache-Control: max-age=10", "ETag: \"a\"").orNotModified("ETag: \"b\"")
                    .expect(Expectation(.askedAtLeastOnce, .fetched)),
                get("If-None-Match: \"a\"").after(1).expect(.notModified.has("ETag: \"a\""))),
        ]
}
