// Targeted cache control (RFC 9213): CDN-Cache-Control, and Larder-Cache-Control before it.

extension Case {
    static let targeted: [Case] = [
        .lives("CDN-Cache-Control alone", "RFC 9213 §2.1", "CDN-Cache-Control: max-age=60", for: 60),
        .lives(
            "it overrides a longer max-age", "RFC 9213 §2.1", "Cache-Control: max-age=600",
            "CDN-Cache-Control: max-age=60", for: 60),
        .lives(
            "it overrides a shorter max-age", "RFC 9213 §2.1", "Cache-Control: max-age=5",
            "CDN-Cache-Control: max-age=60", for: 60),
        .lives(
            "it overrides no-store", "RFC 9213 §2.1", "Cache-Control: no-store",
            "CDN-Cache-Control: max-age=60",
            for: 60),
        .lives(
            "it overrides private", "RFC 9213 §2.1", "Cache-Control: private",
            "CDN-Cache-Control: max-age=60",
            for: 60),
        .lives(
            "it overrides Expires", "RFC 9213 §2.1", "Expires: 0", "CDN-Cache-Control: max-age=60", for: 60),
        .lives(
            "it overrides Pragma", "RFC 9213 §2.1", "Pragma: no-cache", "CDN-Cache-Control: max-age=60",
            for: 60),
        .lives(
            "it hides s-maxage", "RFC 9213 §2.1", "Cache-Control: s-maxage=600",
            "CDN-Cache-Control: max-age=5",
            for: 5),
        .lives(
            "its no-store", "RFC 9213 §2.1", "Cache-Control: max-age=60", "CDN-Cache-Control: no-store",
            for: nil,
            .because("no-store")),
        .lives(
            "its private", "RFC 9213 §2.1", "Cache-Control: max-age=60",
            "CDN-Cache-Control: private, max-age=60",
            for: nil, .because("private")),
        .lives(
            "its max-age=0", "RFC 9213 §2.1", "Cache-Control: max-age=60", "CDN-Cache-Control: max-age=0",
            for: nil,
            .because("expired")),
        .lives(
            "without a lifetime it gives none", "RFC 9213 §2.1", "Cache-Control: max-age=60",
            "CDN-Cache-Control: public", for: nil, .because("no-freshness")),
        .lives(
            "without a lifetime it hides Expires", "RFC 9213 §2.1", "Expires: {now+60}",
            "CDN-Cache-Control: must-revalidate", for: nil, .because("no-freshness")),
        .lives("its s-maxage", "RFC 9213 §2.1", "CDN-Cache-Control: max-age=5, s-maxage=60", for: 60),
        .lives(
            "an empty one is none", "RFC 9213 §2.1", "Cache-Control: max-age=60", "CDN-Cache-Control:",
            for: 60),
        .lives(
            "one that does not parse is none", "RFC 9213 §2.1", "Cache-Control: max-age=60",
            "CDN-Cache-Control: max-age=5, &", for: 60),
        .lives(
            "upper case does not parse", "RFC 9651 §4.2.3.3", "Cache-Control: max-age=60",
            "CDN-Cache-Control: Max-Age=5", for: 60),
        .lives(
            "a comma at the end does not parse", "RFC 9651 §4.2.2", "Cache-Control: max-age=60",
            "CDN-Cache-Control: max-age=5,", for: 60),
        .lives(
            "blanks around the equals sign do not parse", "RFC 9651 §4.2.2", "Cache-Control: max-age=60",
            "CDN-Cache-Control: max-age = 5", for: 60),
        .lives(
            "semicolons make parameters", "RFC 9651 §3.1.2", "CDN-Cache-Control: max-age=60;max-age=5",
            for: 60),
        .lives("an unknown parameter", "RFC 9213 §2.1", "CDN-Cache-Control: max-age=60;foo=\"bar\"", for: 60),
        .lives("an unknown member", "RFC 9213 §2.1", "CDN-Cache-Control: foo=(a b), max-age=60", for: 60),
        .lives(
            "a quoted lifetime is a string", "RFC 9213 §2.1", "Cache-Control: max-age=60",
            "CDN-Cache-Control: max-age=\"60\"", for: nil, .because("no-freshness")),
        .lives(
            "a decimal lifetime", "RFC 9213 §2.1", "Cache-Control: max-age=60",
            "CDN-Cache-Control: max-age=60.5",
            for: nil, .because("no-freshness")),
        .lives(
            "a negative lifetime", "RFC 9213 §2.1", "Cache-Control: max-age=60",
            "CDN-Cache-Control: max-age=-60",
            for: nil, .because("no-freshness")),
        .lives(
            "a lifetime of 15 digits", "RFC 9651 §3.3.1", "CDN-Cache-Control: max-age=999999999999999",
            pessimistic: 600, rfc: 604_800),
        .lives(
            "a lifetime of 16 digits does not parse", "RFC 9651 §4.2.4", "Cache-Control: max-age=60",
            "CDN-Cache-Control: max-age=1234567890123456", for: 60),
        .lives(
            "lines are one dictionary", "RFC 9651 §4.2", "CDN-Cache-Control: must-revalidate",
            "CDN-Cache-Control: max-age=60", for: 60),
        .lives(
            "a line that does not parse spoils the others", "RFC 9651 §4.2", "Cache-Control: max-age=60",
            "CDN-Cache-Control: max-age=5", "CDN-Cache-Control: &", for: 60),
        .lives(
            "the last of a member counts", "RFC 9651 §4.2.2", "CDN-Cache-Control: max-age=5, max-age=60",
            pessimistic: nil, rfc: 60, .because("no-freshness")),
        .lives(
            "a member that comes twice with one value", "RFC 9651 §4.2.2",
            "CDN-Cache-Control: max-age=60, max-age=60", for: 60),
        .lives(
            "the public of Cache-Control is hidden", "RFC 9213 §2.1", "Cache-Control: public",
            "CDN-Cache-Control: max-age=60", for: nil, .asking("Cookie: a=1").because("cookie")),
        .lives(
            "public answers cookies", "RFC 9213 §2.1", "CDN-Cache-Control: public, max-age=60", for: 60,
            .asking("Cookie: a=1")),
        .lives("Larder-Cache-Control", "RFC 9213 §2.2", "Larder-Cache-Control: max-age=60", for: 60),
        .lives(
            "Larder-Cache-Control goes first", "RFC 9213 §2.2", "CDN-Cache-Control: max-age=5",
            "Larder-Cache-Control: max-age=60", for: 60),
        .lives(
            "its no-store goes first", "RFC 9213 §2.2", "CDN-Cache-Control: max-age=60",
            "Larder-Cache-Control: no-store", for: nil, .because("no-store")),
        .lives(
            "where it does not parse the next one counts", "RFC 9213 §2.2", "CDN-Cache-Control: max-age=60",
            "Larder-Cache-Control: =", "Cache-Control: no-store", for: 60),
        .lives(
            "Surrogate-Control is not known", "RFC 9213 §2.2", "Surrogate-Control: max-age=60", for: nil,
            .because("no-freshness")),
        Case(
            "the field goes on to the client", "RFC 9213 §2.1",
            get().answered("Cache-Control: no-store", "CDN-Cache-Control: max-age=60")
                .expect(.stored.has("CDN-Cache-Control: max-age=60", "Cache-Control: no-store")),
            get().after(1).expect(.hit.has("CDN-Cache-Control: max-age=60", "Cache-Control: no-store"))),
        Case(
            "its stale-while-revalidate", "RFC 9213 §2.1",
            get().answered(
                "Cache-Control: s-maxage=5", "CDN-Cache-Control: max-age=10, stale-while-revalidate=60"),
            get().after(20).answered("Cache-Control: max-age=60").expect(.staleWhileRevalidating),
            get().expect(.hit(2))),
        Case(
            "its no-cache", "RFC 9213 §2.1",
            get().answered(
                "Cache-Control: max-age=60", "CDN-Cache-Control: no-cache, max-age=60", "ETag: \"a\""
            )
            .expect(.refused("no-cache"), rfc: .miss),
            get().after(1).answered(304, "ETag: \"a\"").expect(
                .failure(502).withholds("If-None-Match"), rfc: .revalidated.sends("If-None-Match: \"a\""))),
    ]
}
