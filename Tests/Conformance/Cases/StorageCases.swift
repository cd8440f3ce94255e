// Bodies and framing (RFC 9111 §3.3), interim answers (RFC 9110 §15.2), and the content of Cache-Status (RFC
// 9211).

extension Case {
    static let storage: [Case] = [
        Case(
            "a chunked answer", "RFC 9111 §3.3",
            get().answered("Cache-Control: max-age=60").framed(.chunked),
            get().after(1).expect(.hit(1).age(1))),
        Case(
            "an empty answer", "RFC 9111 §3.3",
            get().answered("Cache-Control: max-age=60", body: "").expect(.stored),
            get().after(1).expect(.hit(1).has("Content-Length: 0"))),
        Case(
            "an empty chunked answer", "RFC 9111 §3.3",
            get().answered("Cache-Control: max-age=60", body: "").framed(.chunked),
            get().after(1).expect(.hit(1))),
        Case(
            "a body that the close ends", "RFC 9111 §3.3",
            get().answered("Cache-Control: max-age=60").framed(.close).expect(.refused("incomplete")),
            get().expect(.miss)),
        Case(
            "a body that breaks off", "RFC 9111 §3.3",
            get().answered("Cache-Control: max-age=60").failing(.truncated).expect(.cut),
            get().expect(.miss)),
        Case(
            "a chunked body that breaks off", "RFC 9111 §3.3",
            get().answered("Cache-Control: max-age=60").framed(.chunked).failing(.truncated).expect(.cut),
            get().expect(.miss)),
        Case(
            "trailers", "RFC 9110 §6.5",
            get().answered("Cache-Control: max-age=60").framed(.trailer("X-Sum: 1")),
            get().expect(.miss)),
        Case(
            "a body above the limit", "caching-rules",
            get().answered("Cache-Control: max-age=60", body: String(repeating: "x", count: 65_537)).expect(
                .miss.lacking("stored"), rfc: .miss),
            get().after(1).expect(.miss, rfc: .hit(1))),
        Case(
            "a body at the limit", "caching-rules",
            get().answered("Cache-Control: max-age=60", body: String(repeating: "x", count: 65_536)),
            get().after(1).expect(.hit(1))),
    ]

    static let interim: [Case] = [
        Case(
            "an early hint", "RFC 8297 §2",
            get().announcing("103 Early Hints\r\nLink: </a.css>; rel=preload").answered(
                "Cache-Control: max-age=60"
            )
            .expect(.miss.announces(103).lacks("Link")),
            get().after(1).expect(.hit(1).lacks("Link"))),
        Case(
            "several interim answers", "RFC 9110 §15.2",
            get().announcing("103 Early Hints\r\nLink: </a.css>", "102 Processing", "103 Early Hints")
                .answered(
                    "Cache-Control: max-age=60"
                ).expect(.miss.announces(103, 102, 103)),
            get().after(1).expect(.hit(1))),
        Case(
            "directives of an interim answer mean nothing", "RFC 9110 §15.2",
            get().announcing("103 Early Hints\r\nCache-Control: no-store").answered(
                "Cache-Control: max-age=60"
            )
            .expect(.miss.announces(103)),
            get().after(1).expect(.hit(1).has("Cache-Control: max-age=60"))),
        Case(
            "a lifetime of an interim answer means nothing", "RFC 9110 §15.2",
            get().announcing("103 Early Hints\r\nCache-Control: max-age=60").expect(
                .refused("no-freshness").announces(103)),
            get().expect(.miss)),
        Case(
            "no interim answers to HTTP/1.0", "RFC 9110 §15.2",
            get().http10.announcing("103 Early Hints").answered("Cache-Control: max-age=60").expect(.miss)),
        Case(
            "an unexpected 100", "RFC 9110 §15.2.1",
            get().announcing("100 Continue").answered("Cache-Control: max-age=60").expect(
                .miss.announces(100)),
            get().after(1).expect(.hit(1))),
    ]

    static let cacheStatus: [Case] = [
        Case(
            "a miss that is stored, and a hit", "RFC 9211 §2",
            get().answered("Cache-Control: max-age=60").expect(
                .miss.has("Cache-Status: larder; fwd=miss; stored")),
            get().after(10).expect(.hit.has("Cache-Status: larder; hit; ttl=50"))),
        Case(
            "ttl rounds down", "RFC 9211 §2.4",
            get().answered("Cache-Control: max-age=60"),
            get().after(milliseconds: 1500).expect(.hit.age(2).member("ttl=58"))),
        Case(
            "ttl after an Age", "RFC 9211 §2.4",
            get().answered("Cache-Control: max-age=60", "Age: 20"),
            get().after(10).expect(.hit.member("ttl=30"))),
        Case(
            "ttl by the policy's cap", "RFC 9211 §2.4",
            get().answered("Cache-Control: max-age=3600"),
            get().after(10).expect(.hit.member("ttl=590"), rfc: .hit.member("ttl=3590"))),
        Case(
            "fwd=stale", "RFC 9211 §2.2",
            get().answered("Cache-Control: max-age=10"),
            get().after(20).expect(.miss.member("fwd=stale"))),
        Case(
            "fwd=stale, and stored again", "RFC 9211 §2.6",
            get().answered("Cache-Control: max-age=10"),
            get().after(20).answered("Cache-Control: max-age=10").expect(.stored.member("fwd=stale"))),
        Case(
            "fwd-status of a revalidation", "RFC 9211 §2.3",
            get().answered("Cache-Control: max-age=10", "ETag: \"a\""),
            get().after(20).answered(304, "ETag: \"a\"").expect(
                .revalidated.member("fwd=stale").member("fwd-status=304"))),
        Case(
            "fwd=request", "RFC 9211 §2.2",
            get().answered("Cache-Control: max-age=60"),
            get("Cache-Control: no-cache").after(10).expect(
                .miss.member("fwd=request").lacking("hit"))),
        Case(
            "fwd=bypass", "RFC 9211 §2.2",
            get("Cache-Control: no-store").expect(
                .miss.has("Cache-Status: larder; fwd=bypass; detail=client-no-store"))),
        Case(
            "a reason for not storing", "RFC 9211 §2.8",
            get().expect(.miss.has("Cache-Status: larder; fwd=miss; detail=no-freshness"))),
        Case(
            "the list of caches before us goes on", "RFC 9211 §2",
            get().answered("Cache-Control: max-age=60", "Cache-Status: origin; hit; ttl=5").expect(
                .miss.has("Cache-Status: origin; hit; ttl=5, larder; fwd=miss; stored")),
            get().after(1).expect(.hit.has("Cache-Status: origin; hit; ttl=5, larder; hit; ttl=59"))),
        Case(
            "a 304 says it too", "RFC 9211 §2",
            get().answered("Cache-Control: max-age=60", "ETag: \"a\""),
            get("If-None-Match: \"a\"").after(1).expect(.notModified.member("ttl=59"))),
        Case(
            "a HEAD says it too", "RFC 9211 §2",
            get().answered("Cache-Control: max-age=60"),
            head().after(1).expect(.headHit.member("ttl=59"))),
    ]
}
