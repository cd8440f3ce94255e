// Cache directives of a request (RFC 9111 §5.2.1, §5.4).

extension Case {
    /// A response that is fresh for a minute and can be revalidated, requested again after `seconds` with
    /// these fields.
    private static func asking(
        _ name: String, _ section: String, after seconds: UInt64, _ fields: String..., expect: Expectation,
        rfc: Expectation? = nil
    ) -> Case {
        Case(
            name, section,
            get().answered("Cache-Control: max-age=60", "ETag: \"a\""),
            Step(fields: fields).after(seconds).answered("Cache-Control: max-age=60", "ETag: \"b\"").expect(
                expect, rfc: rfc ?? expect))
    }

    static let requestDirectives: [Case] = [
        asking(
            "no-cache asks the origin", "RFC 9111 §5.2.1.4", after: 5, "Cache-Control: no-cache",
            expect: .miss.sends("If-None-Match: \"a\"").member("fwd=request")),
        asking(
            "no-cache is satisfied by a response of this second", "caching-rules", after: 0,
            "Cache-Control: no-cache",
            expect: .hit.age(0)),
        asking("NO-CACHE", "RFC 9111 §5.2", after: 5, "Cache-Control: NO-CACHE", expect: .miss),
        asking(
            "no-cache with an argument", "RFC 9111 §5.2.1.4", after: 5, "Cache-Control: no-cache=x",
            expect: .miss),
        asking(
            "no-cache among others", "RFC 9111 §5.2", after: 5, "Cache-Control: foo, no-cache", expect: .miss),
        asking(
            "no-cache of a client on a second line", "RFC 9110 §5.3", after: 5, "Cache-Control: foo",
            "Cache-Control: no-cache",
            expect: .miss),
        asking(
            "no-cache within a quoted string", "RFC 9111 §5.2", after: 5, "Cache-Control: foo=\"no-cache\"",
            expect: .hit),
        Case(
            "a reload renews the entry", "RFC 9111 §5.2.1.4",
            get().answered("Cache-Control: max-age=60"),
            get("Cache-Control: no-cache").after(5).answered("Cache-Control: max-age=60").expect(.miss),
            get().after(1).expect(.hit.age(1))),
        Case(
            "a reload is answered by 304", "RFC 9111 §4.3.3",
            get().answered("Cache-Control: max-age=60", "ETag: \"a\""),
            get("Cache-Control: no-cache").after(50).answered(304, "ETag: \"a\"").expect(.revalidated),
            get().after(59).expect(.hit.age(59))),
        Case(
            "a reload after a revalidation of this second", "caching-rules",
            get().answered("Cache-Control: max-age=60", "ETag: \"a\""),
            get("Cache-Control: no-cache").after(50).answered(304, "ETag: \"a\"").expect(.revalidated),
            get("Cache-Control: no-cache").expect(.hit(1).age(0))),
        Case(
            "a reload of an immutable response", "RFC 8246 §2.1",
            get().answered("Cache-Control: max-age=60, immutable"),
            get("Cache-Control: no-cache").after(5).expect(.miss)),
        Case(
            "a reload whose response cannot be kept", "RFC 9111 §5.2.1.4",
            get().answered("Cache-Control: max-age=60"),
            get("Cache-Control: no-cache").after(5).answered("Cache-Control: no-store").expect(
                .refused("no-store")),
            get("Cache-Control: no-cache").after(5).expect(.miss)),
        asking("Pragma: no-cache", "RFC 9111 §5.4", after: 5, "Pragma: no-cache", expect: .miss),
        asking(
            "Pragma: no-cache beside Cache-Control", "RFC 9111 §5.4", after: 5, "Pragma: no-cache",
            "Cache-Control: max-age=60", expect: .hit),
        asking("another Pragma", "RFC 9111 §5.4", after: 5, "Pragma: foo", expect: .hit),
        asking(
            "max-age=0 of a client", "RFC 9111 §5.2.1.1", after: 5, "Cache-Control: max-age=0",
            expect: .miss.sends("If-None-Match: \"a\"")),
        asking(
            "max-age above the Age", "RFC 9111 §5.2.1.1", after: 5, "Cache-Control: max-age=6", expect: .hit),
        asking("max-age as the Age", "RFC 9111 §5.2.1.1", after: 5, "Cache-Control: max-age=5", expect: .hit),
        asking(
            "max-age below the Age", "RFC 9111 §5.2.1.1", after: 5, "Cache-Control: max-age=4", expect: .miss),
        asking(
            "a quoted max-age of a client", "RFC 9111 §5.2.1.1", after: 5,
            "Cache-Control: max-age=\"4\"", expect: .miss),
        asking(
            "a malformed max-age", "RFC 9111 §5.2.1.1", after: 5, "Cache-Control: max-age=x", expect: .miss
        ),
        asking(
            "two of max-age: the stricter", "RFC 9111 §5.2.1.1", after: 5,
            "Cache-Control: max-age=60, max-age=1",
            expect: .miss),
        asking(
            "a large max-age", "RFC 9111 §1.2.2", after: 5, "Cache-Control: max-age=99999999999999999999",
            expect: .hit),
        Case(
            "max-age of the client counts the Age that came", "RFC 9111 §5.2.1.1",
            get().answered("Cache-Control: max-age=60", "Age: 30"),
            get("Cache-Control: max-age=20").after(5).expect(.miss)),
        asking(
            "min-fresh that is there", "RFC 9111 §5.2.1.3", after: 40, "Cache-Control: min-fresh=20",
            expect: .hit),
        asking(
            "min-fresh that is not there", "RFC 9111 §5.2.1.3", after: 40, "Cache-Control: min-fresh=21",
            expect: .miss),
        asking(
            "malformed min-fresh", "RFC 9111 §5.2.1.3", after: 5, "Cache-Control: min-fresh=x",
            expect: .miss),
        asking(
            "min-fresh beyond the lifetime", "RFC 9111 §5.2.1.3", after: 5, "Cache-Control: min-fresh=61",
            expect: .miss),
        asking(
            "max-stale on a fresh response", "RFC 9111 §5.2.1.2", after: 5, "Cache-Control: max-stale=60",
            expect: .hit),
        asking(
            "max-stale with room", "RFC 9111 §5.2.1.2", after: 70, "Cache-Control: max-stale=10",
            expect: .miss, rfc: .stale),
        asking(
            "max-stale without a limit", "RFC 9111 §5.2.1.2", after: 70, "Cache-Control: max-stale",
            expect: .miss, rfc: .stale),
        asking(
            "max-stale without room", "RFC 9111 §5.2.1.2", after: 70, "Cache-Control: max-stale=9",
            expect: .miss),
        asking(
            "a malformed max-stale", "RFC 9111 §5.2.1.2", after: 70, "Cache-Control: max-stale=x",
            expect: .miss),
        Case(
            "max-stale against must-revalidate", "RFC 9111 §5.2.2.2",
            get().answered("Cache-Control: max-age=60, must-revalidate"),
            get("Cache-Control: max-stale").after(70).expect(.miss)),
        Case(
            "max-stale against s-maxage", "RFC 9111 §5.2.2.10",
            get().answered("Cache-Control: s-maxage=60"),
            get("Cache-Control: max-stale").after(70).expect(.miss)),
        Case(
            "only-if-cached without an entry", "RFC 9111 §5.2.1.7",
            get("Cache-Control: only-if-cached").expect(.onlyIfCached)),
        asking(
            "only-if-cached with one", "RFC 9111 §5.2.1.7", after: 5, "Cache-Control: only-if-cached",
            expect: .hit),
        asking(
            "only-if-cached with a stale one", "RFC 9111 §5.2.1.7", after: 70,
            "Cache-Control: only-if-cached",
            expect: .onlyIfCached),
        asking(
            "only-if-cached with one too old", "RFC 9111 §5.2.1.7", after: 5,
            "Cache-Control: only-if-cached, max-age=1", expect: .onlyIfCached),
        Case(
            "only-if-cached beside a field that bypasses", "RFC 9111 §5.2.1.7",
            get().answered("Cache-Control: max-age=60"),
            get("Authorization: x", "Cache-Control: only-if-cached").expect(.onlyIfCached),
            get("If-Match: \"a\"", "Cache-Control: only-if-cached").expect(.onlyIfCached),
            get("X-Original-URL: /a", "Cache-Control: only-if-cached").expect(.onlyIfCached),
            get("Cache-Control: only-if-cached").at(";a").expect(.onlyIfCached)),
        asking(
            "no-store does not use the store", "RFC 9111 §5.2.1.5", after: 5, "Cache-Control: no-store",
            expect: .refused("client-no-store").withholds("If-None-Match")),
        Case(
            "no-store stores nothing", "RFC 9111 §5.2.1.5",
            get("Cache-Control: no-store").answered("Cache-Control: max-age=60").expect(
                .refused("client-no-store")),
            get().expect(.miss)),
        Case(
            "no-store leaves the entry", "RFC 9111 §5.2.1.5",
            get().answered("Cache-Control: max-age=60"),
            get("Cache-Control: no-store").after(1).expect(.miss),
            get().expect(.hit(1).age(1))),
        asking(
            "no-transform of a client", "RFC 9111 §5.2.1.6", after: 5, "Cache-Control: no-transform",
            expect: .hit),
        asking(
            "an unknown directive of a client", "RFC 9111 §5.2.3", after: 5, "Cache-Control: foo=bar",
            expect: .hit),
        asking(
            "directives reach the origin", "RFC 9111 §5.2", after: 5, "Cache-Control: no-cache, foo",
            expect: .miss.sends("Cache-Control: no-cache, foo")),
    ]
}
