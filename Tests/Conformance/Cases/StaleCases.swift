// Stale answers, which need the origin's permission (RFC 5861, RFC 9111 §4.2.4).

extension Case {
    /// A response that is fresh for ten seconds, and the answer to a failure at twenty.
    private static func failing(
        _ name: String, _ section: String, _ control: String, status: Int = 503, expect: Expectation
    ) -> Case {
        Case(
            name, section,
            get().answered("Cache-Control: \(control)", "ETag: \"a\""),
            get().after(20).answered(status).expect(expect))
    }

    private static func revalidating(
        _ name: String, _ section: String, _ control: String, after: UInt64 = 20, expect: Expectation
    ) -> Case {
        Case(
            name, section,
            get().answered("Cache-Control: \(control)"),
            get().after(after).answered("Cache-Control: max-age=60").expect(expect),
            get().after(1).expect(.hit(2).age(1)))
    }

    static let staleOnError: [Case] = [
        failing("a failure is forwarded", "RFC 9111 §4.3.3", "max-age=10", expect: .miss),
        failing(
            "stale-if-error and a 500", "RFC 5861 §4", "max-age=10, stale-if-error=60", status: 500,
            expect: .staleOnError.status(200).age(20)),
        failing(
            "stale-if-error and a 502", "RFC 5861 §4", "max-age=10, stale-if-error=60", status: 502,
            expect: .staleOnError),
        failing(
            "stale-if-error and a 503", "RFC 5861 §4", "max-age=10, stale-if-error=60", status: 503,
            expect: .staleOnError),
        failing(
            "stale-if-error and a 504", "RFC 5861 §4", "max-age=10, stale-if-error=60", status: 504,
            expect: .staleOnError),
        failing(
            "stale-if-error and a 404", "RFC 5861 §4", "max-age=10, stale-if-error=60", status: 404,
            expect: .miss),
        failing(
            "stale-if-error and a 403", "RFC 5861 §4", "max-age=10, stale-if-error=60", status: 403,
            expect: .miss),
        failing(
            "stale-if-error past its window", "RFC 5861 §4", "max-age=10, stale-if-error=9", expect: .miss),
        failing(
            "stale-if-error within its last second", "RFC 5861 §4", "max-age=10, stale-if-error=11",
            expect: .staleOnError),
        failing("stale-if-error of 0", "RFC 5861 §4", "max-age=10, stale-if-error=0", expect: .miss),
        failing(
            "a malformed stale-if-error", "RFC 5861 §4", "max-age=10, stale-if-error=\"x\"", expect: .miss),
        failing(
            "s-maxage overrides stale-if-error", "RFC 9111 §5.2.2.10", "s-maxage=10, stale-if-error=60",
            expect: .miss),
        failing(
            "stale-while-revalidate is not for failures", "RFC 5861 §3",
            "max-age=10, stale-while-revalidate=5, stale-if-error=0", expect: .miss),
        Case(
            "stale-if-error and no answer", "RFC 5861 §4",
            get().answered("Cache-Control: max-age=10, stale-if-error=60"),
            get().after(20).failing(.silent).expect(.staleOnError.age(20))),
        Case(
            "no answer, and nothing that may be served", "RFC 9111 §4.2.4",
            get().answered("Cache-Control: max-age=10"),
            get().after(20).failing(.silent).expect(.failure(502))),
        Case(
            "stale-if-error with a reload", "RFC 5861 §4",
            get().answered("Cache-Control: max-age=10, stale-if-error=60"),
            get("Cache-Control: no-cache").after(5).answered(503).expect(.anything),
            get().after(1).expect(.hit(1).age(6))),
        Case(
            "an entry survives a failure", "RFC 9111 §4.3.3",
            get().answered("Cache-Control: max-age=10", "ETag: \"a\""),
            get().after(20).answered(503).expect(.miss),
            get().after(1).answered(304, "ETag: \"a\"").expect(.revalidated(1).sends("If-None-Match: \"a\""))),
        Case(
            "a stale answer and a condition of the client", "RFC 5861 §4",
            get().answered("Cache-Control: max-age=10, stale-if-error=60", "ETag: \"a\""),
            get("If-None-Match: \"a\"").after(20).answered(503).expect(.fetchedNotModified.has("Age: 20"))),
        Case(
            "stale-if-error and a range", "RFC 5861 §4",
            get().answered("Cache-Control: max-age=10, stale-if-error=60", "ETag: \"a\"", body: "0123456789"),
            get("Range: bytes=0-4").after(20).failing(.silent).expect(
                Expectation(.askedAtLeastOnce, .text("01234"), status: 206).has(
                    "Age: 20", "Content-Range: bytes 0-4/10")),
            get("Range: bytes=0-4").after(1).answered(503).expect(
                Expectation(.asked, .text("01234"), status: 206).has("Age: 21")),
            get("Range: bytes=0-4").answered(206, "Content-Range: bytes 0-4/10", body: "fresh").expect(
                .miss.sends("Range: bytes=0-4").withholds("If-None-Match")),
            get("Range: bytes=0-4").after(60).answered(503).expect(.miss)),
        Case(
            "stale-if-error of a client permits nothing", "caching-rules",
            get().answered("Cache-Control: max-age=10"),
            get("Cache-Control: stale-if-error=60").after(20).answered(503).expect(.miss)),
    ]

    static let staleWhileRevalidating: [Case] = [
        revalidating(
            "stale-while-revalidate", "RFC 5861 §3", "max-age=10, stale-while-revalidate=60",
            expect: .staleWhileRevalidating.age(20)),
        revalidating(
            "stale-while-revalidate in its last second", "RFC 5861 §3",
            "max-age=10, stale-while-revalidate=11", expect: .staleWhileRevalidating),
        revalidating(
            "stale-while-revalidate past its window", "RFC 5861 §3", "max-age=10, stale-while-revalidate=10",
            expect: .miss),
        revalidating(
            "stale-while-revalidate of 0", "RFC 5861 §3", "max-age=10, stale-while-revalidate=0",
            expect: .miss),
        revalidating(
            "a malformed stale-while-revalidate", "RFC 5861 §3", "max-age=10, stale-while-revalidate=x",
            expect: .miss),
        revalidating(
            "a quoted stale-while-revalidate", "RFC 9111 §5.2", "max-age=10, stale-while-revalidate=\"60\"",
            expect: .staleWhileRevalidating),
        revalidating(
            "s-maxage overrides stale-while-revalidate", "RFC 9111 §5.2.2.10",
            "s-maxage=10, stale-while-revalidate=60", expect: .miss),
        revalidating(
            "stale-if-error is not for the healthy", "RFC 5861 §4", "max-age=10, stale-if-error=60",
            expect: .miss),
        Case(
            "stale at once, and asked after all the same", "RFC 5861 §3",
            get().answered("Cache-Control: max-age=0, stale-while-revalidate=60", "ETag: \"a\"").expect(
                .refused("expired"), rfc: .stored),
            get().after(1).answered("Cache-Control: max-age=60").expect(.miss, rfc: .staleWhileRevalidating),
            get().after(1).expect(.hit(2).age(1))),
        Case(
            "a 304 in the background", "RFC 5861 §3",
            get().answered("Cache-Control: max-age=10, stale-while-revalidate=60", "ETag: \"a\""),
            get().after(20).answered(304, "ETag: \"a\"").expect(
                .staleWhileRevalidating.sends("If-None-Match: \"a\"")),
            get().after(9).expect(.hit(1).age(9))),
        Case(
            "a failure in the background", "RFC 5861 §3",
            get().answered("Cache-Control: max-age=10, stale-while-revalidate=60"),
            get().after(20).answered(503).expect(.staleWhileRevalidating),
            Step().after(1).answered("Cache-Control: max-age=60").expect(
                Expectation(.askedInBackground, .step(1)).has("Age")),
            get().expect(.hit(3))),
        Case(
            "no-cache of a client is not answered stale", "RFC 9111 §5.2.1.4",
            get().answered("Cache-Control: max-age=10, stale-while-revalidate=60"),
            get("Cache-Control: no-cache").after(20).expect(.miss)),
        Case(
            "a stale HEAD", "RFC 5861 §3",
            get().answered("Cache-Control: max-age=10, stale-while-revalidate=60"),
            head().after(20).answered("Cache-Control: max-age=60").expect(
                Expectation(.askedInBackground, .empty, status: 200).has("Age: 20"))),
    ]
}
