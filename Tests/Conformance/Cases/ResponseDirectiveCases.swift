// Directives of a response (RFC 9111 §5.2.2) apart from lifetimes: what they forbid, permit and demand.

extension Case {
    /// Kept under `rfc9111` and revalidated before each use; not kept under `pessimistic`.
    private static func revalidates(_ name: String, _ section: String, _ fields: String...) -> Case {
        Case(
            name, section,
            Step().answered(200, fields: fields + ["ETag: \"a\""], body: nil).expect(
                .refused("no-cache"), rfc: .miss),
            get().after(1).answered(304, "ETag: \"a\"").expect(
                .failure(502).withholds("If-None-Match"), rfc: .revalidated.sends("If-None-Match: \"a\"")),
            get().after(1).answered("ETag: \"b\"", "Cache-Control: no-store").expect(
                .miss.withholds("If-None-Match"), rfc: .miss.sends("If-None-Match: \"a\"")))
    }

    static let responseDirectives: [Case] = [
        .lives("no-store", "RFC 9111 §5.2.2.5", "Cache-Control: no-store", for: nil, .because("no-store")),
        .lives(
            "no-store beside a lifetime", "RFC 9111 §5.2.2.5", "Cache-Control: no-store, max-age=60",
            for: nil,
            .because("no-store")),
        .lives(
            "no-store behind a lifetime", "RFC 9111 §5.2.2.5", "Cache-Control: public, s-maxage=60, no-store",
            for: nil, .because("no-store")),
        .lives(
            "No-Store", "RFC 9111 §5.2", "Cache-Control: No-Store, max-age=60", for: nil, .because("no-store")
        ),
        .lives(
            "no-store with an argument", "RFC 9111 §5.2.2.5", "Cache-Control: no-store=x, max-age=60",
            for: nil,
            .because("no-store")),
        .lives(
            "no-store on a second line", "RFC 9110 §5.3", "Cache-Control: max-age=60",
            "Cache-Control: no-store",
            for: nil, .because("no-store")),
        .lives(
            "no-store beside Expires", "RFC 9111 §5.2.2.5", "Cache-Control: no-store", "Expires: {now+60}",
            for: nil,
            .because("no-store")),
        .lives(
            "a name that begins with no-store", "RFC 9111 §5.2.3", "Cache-Control: no-stores, max-age=60",
            for: 60),
        .lives(
            "private", "RFC 9111 §5.2.2.7", "Cache-Control: private, max-age=60", for: nil,
            .because("private")),
        .lives(
            "PRIVATE", "RFC 9111 §5.2", "Cache-Control: max-age=60, PRIVATE", for: nil, .because("private")),
        .lives(
            "private beside s-maxage", "RFC 9111 §5.2.2.7", "Cache-Control: private, s-maxage=60", for: nil,
            .because("private")),
        .lives(
            "private beside public", "RFC 9111 §5.2.2.7", "Cache-Control: public, private, max-age=60",
            for: nil,
            .because("private")),
        .lives(
            "private with a field's name", "RFC 9111 §5.2.2.7",
            "Cache-Control: private=\"x-user\", max-age=60",
            for: nil, .because("private")),
        .lives(
            "private with a bare name", "RFC 9111 §5.2.2.7", "Cache-Control: private=x-user, max-age=60",
            for: nil,
            .because("private")),
        .lives(
            "private on a second line", "RFC 9110 §5.3", "Cache-Control: max-age=60",
            "Cache-Control: private",
            for: nil, .because("private")),
        revalidates("no-cache", "RFC 9111 §5.2.2.4", "Cache-Control: no-cache"),
        revalidates("no-cache beside a lifetime", "RFC 9111 §5.2.2.4", "Cache-Control: no-cache, max-age=60"),
        revalidates("no-cache behind s-maxage", "RFC 9111 §5.2.2.4", "Cache-Control: s-maxage=60, no-cache"),
        revalidates("No-Cache", "RFC 9111 §5.2", "Cache-Control: max-age=60, No-Cache"),
        revalidates(
            "no-cache on a second line", "RFC 9110 §5.3", "Cache-Control: max-age=60",
            "Cache-Control: no-cache"),
        revalidates(
            "no-cache with a field's name", "RFC 9111 §5.2.2.4",
            "Cache-Control: no-cache=\"x-user\", max-age=60"),
        revalidates(
            "no-cache with several names", "RFC 9111 §5.2.2.4",
            "Cache-Control: no-cache=\"x-user, x-token\", max-age=60"),
        revalidates(
            "no-cache with a bare name", "RFC 9111 §5.2.2.4", "Cache-Control: no-cache=x-user, max-age=60"),
        .lives(
            "no-cache with the name of Set-Cookie", "RFC 9111 §7.3",
            "Cache-Control: no-cache=\"set-cookie\", max-age=60", "Set-Cookie: a=1", for: nil,
            .because("set-cookie")),
        Case(
            "no-cache and a new answer", "RFC 9111 §5.2.2.4",
            get().answered("Cache-Control: no-cache, max-age=60", "ETag: \"a\""),
            get().after(1).answered("Cache-Control: max-age=60", "ETag: \"b\"").expect(.stored),
            get().after(1).expect(.hit(2).age(1))),
        Case(
            "no-cache without a validator", "RFC 9111 §5.2.2.4",
            get().answered("Cache-Control: no-cache, max-age=60"),
            get().after(1).expect(.miss.withholds("If-None-Match", "If-Modified-Since"))),
        Case(
            "no-cache is never served stale", "RFC 9111 §5.2.2.4",
            get().answered("Cache-Control: no-cache, max-age=60, stale-if-error=60", "ETag: \"a\""),
            get().after(1).answered(503).expect(.miss)),
        .lives(
            "must-revalidate while fresh", "RFC 9111 §5.2.2.2", "Cache-Control: max-age=60, must-revalidate",
            for: 60),
        .lives(
            "must-revalidate gives no lifetime", "RFC 9111 §5.2.2.2", "Cache-Control: must-revalidate",
            for: nil,
            .because("no-freshness")),
        Case(
            "must-revalidate and an origin that fails", "RFC 9111 §5.2.2.2",
            get().answered("Cache-Control: max-age=10, must-revalidate, stale-if-error=60"),
            get().after(20).answered(503).expect(.miss)),
        Case(
            "must-revalidate and an origin that is gone", "RFC 9111 §5.2.2.2",
            get().answered("Cache-Control: max-age=10, must-revalidate, stale-if-error=60"),
            get().after(20).failing(.silent).expect(.failure(502))),
        Case(
            "must-revalidate overrides stale-while-revalidate", "RFC 9111 §5.2.2.2",
            get().answered("Cache-Control: max-age=10, must-revalidate, stale-while-revalidate=60"),
            get().after(20).expect(.miss)),
        .lives(
            "proxy-revalidate while fresh", "RFC 9111 §5.2.2.8",
            "Cache-Control: max-age=60, proxy-revalidate",
            for: 60),
        Case(
            "proxy-revalidate and an origin that fails", "RFC 9111 §5.2.2.8",
            get().answered("Cache-Control: max-age=10, proxy-revalidate, stale-if-error=60"),
            get().after(20).answered(503).expect(.miss)),
        Case(
            "proxy-revalidate overrides stale-while-revalidate", "RFC 9111 §5.2.2.8",
            get().answered("Cache-Control: max-age=10, proxy-revalidate, stale-while-revalidate=60"),
            get().after(20).expect(.miss)),
        .lives(
            "must-understand on a status that is understood", "RFC 9111 §5.2.2.3",
            "Cache-Control: must-understand, max-age=60", for: 60),
        .lives(
            "must-understand takes no-store back", "RFC 9111 §5.2.2.3",
            "Cache-Control: must-understand, no-store, max-age=60", pessimistic: nil, rfc: 60,
            .because("no-store")),
        .lives(
            "must-understand on an unknown status", "RFC 9111 §5.2.2.3",
            "Cache-Control: must-understand, max-age=60", for: nil, .status(299)),
        .lives(
            "no-store stands on an unknown status", "RFC 9111 §5.2.2.3",
            "Cache-Control: must-understand, no-store, max-age=60", for: nil, .status(299)),
        .lives(
            "an unknown directive", "RFC 9111 §5.2.3", "Cache-Control: max-age=60, community=\"UCI\"", for: 60
        ),
    ]
}
