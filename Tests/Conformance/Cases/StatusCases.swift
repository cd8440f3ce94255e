// Every status: whether it may be stored with a lifetime (RFC 9111 §3), and without one (§4.2.2).

extension Case {
    private static let shapedByTheRequest: Set<Int> = [
        206, 304, 400, 401, 406, 407, 408, 411, 412, 413, 414, 415, 416, 417, 421, 425, 426, 428, 429, 431,
        511,
    ]

    private static let known = [
        200, 201, 202, 203, 204, 205, 207, 208, 226, 300, 301, 302, 303, 305, 307, 308, 400, 401, 402, 403,
        404, 405,
        406, 407, 408, 409, 410, 411, 412, 413, 414, 415, 416, 417, 421, 422, 423, 424, 425, 426, 428, 429,
        431, 451,
        500, 501, 502, 503, 504, 505, 506, 507, 508, 511,
    ]

    /// A minute; ten seconds for statuses from 400 on.
    private static func lifetime(_ status: Int) -> Int { status >= 400 ? 10 : 60 }

    static let statuses: [Case] = (known + [299, 399, 499, 599]).map { status -> Case in
        .lives(
            "\(status) with a lifetime", known.contains(status) ? "RFC 9111 §3" : "RFC 9110 §15",
            "Cache-Control: max-age=60",
            pessimistic: [200, 301, 308, 404, 410].contains(status) ? lifetime(status) : nil,
            rfc: shapedByTheRequest.contains(status) ? nil : lifetime(status),
            .status(status).because("status"))
    }

    /// Statuses that RFC 9110 §15.1 calls heuristically cacheable.
    private static let guessed = [200, 203, 204, 300, 301, 308, 404, 405, 410, 501]

    static let heuristicStatuses: [Case] = [
        200, 201, 202, 203, 204, 300, 301, 302, 303, 307, 308, 403, 404, 405, 410, 414, 500, 501, 503,
    ].map { status -> Case in
        .lives(
            "\(status) without a lifetime", "RFC 9110 §15.1", "Last-Modified: {now-1000}", pessimistic: nil,
            rfc: guessed.contains(status) ? (status >= 400 ? 10 : 100) : nil, .status(status))
    }

    static let heuristics: [Case] = [
        .lives(
            "a tenth of the time unchanged", "RFC 9111 §4.2.2", "Last-Modified: {now-6000}", pessimistic: nil,
            rfc: 600, .because("no-freshness")),
        .lives(
            "a guess has a bound", "RFC 9111 §4.2.2", "Last-Modified: Thu, 01 Jan 2015 00:00:00 GMT",
            pessimistic: nil, rfc: 604_800, .because("no-freshness")),
        .staleAtOnce(
            "changed now", "RFC 9111 §4.2.2", "Last-Modified: {start}", because: "no-freshness",
            asks: "If-Modified-Since: {start}"),
        .staleAtOnce(
            "changed in the future", "RFC 9111 §4.2.2", "Last-Modified: {start+1000}",
            because: "no-freshness",
            asks: "If-Modified-Since: {start+1000}"),
        .staleAtOnce(
            "no date of change", "RFC 9111 §4.2.2", "ETag: \"a\"", because: "no-freshness",
            asks: "If-None-Match: \"a\""),
        .lives("no date of change and no tag", "RFC 9111 §4.2.2", for: nil, .because("no-freshness")),
        .lives(
            "a malformed Last-Modified", "RFC 9111 §4.2.2", "Last-Modified: long ago", for: nil,
            .because("no-freshness")),
        .lives(
            "two dates of change", "RFC 9111 §4.2.2", "Last-Modified: {now-1000}",
            "Last-Modified: {now-2000}",
            for: nil, .because("no-freshness")),
        .lives(
            "public lets guess for any status", "RFC 9111 §4.2.2", "Cache-Control: public",
            "Last-Modified: {now-1000}", pessimistic: nil, rfc: 100, .status(302)),
        .staleAtOnce(
            "a stated end forbids to guess", "RFC 9111 §4.2.2", "Last-Modified: {start-1000}", "Expires: 0",
            because: "expired", asks: "If-Modified-Since: {start-1000}"),
        .staleAtOnce(
            "a stated lifetime forbids to guess", "RFC 9111 §4.2.2", "Last-Modified: {start-1000}",
            "Cache-Control: max-age=0", because: "expired", asks: "If-Modified-Since: {start-1000}"),
        .staleAtOnce(
            "an unreadable lifetime forbids to guess", "RFC 9111 §4.2.1", "Last-Modified: {start-1000}",
            "Cache-Control: max-age=x", because: "no-freshness", asks: "If-Modified-Since: {start-1000}"),
        .staleAtOnce(
            "an answer that arrives stale", "RFC 9111 §4.2", "Cache-Control: max-age=60", "Age: 61",
            "ETag: \"a\"",
            because: "expired", asks: "If-None-Match: \"a\""),
        .lives(
            "a guess counts Age", "RFC 9111 §4.2.2", "Last-Modified: {now-1000}", "Age: 30", pessimistic: nil,
            rfc: 70, .age(30)),
        .staleAtOnce(
            "a guess counts from Date", "RFC 9111 §4.2.2", "Last-Modified: {start-1000}", "Date: {start-500}",
            because: "no-freshness", asks: "If-Modified-Since: {start-1000}"),
        .lives(
            "no-store forbids to guess", "RFC 9111 §5.2.2.5", "Cache-Control: no-store",
            "Last-Modified: {now-1000}", for: nil, .because("no-store")),
        Case(
            "a guess for a URL with a query", "RFC 9111 §4.2.2",
            get().at("?a=1").answered("Last-Modified: {now-1000}").expect(
                .refused("no-freshness"), rfc: .stored),
            get().at("?a=1").after(99).expect(.miss, rfc: .hit.age(99))),
        Case(
            "must-revalidate beside a guess", "RFC 9111 §5.2.2.2",
            get().answered("Cache-Control: must-revalidate", "Last-Modified: {now-1000}").expect(
                .miss, rfc: .stored),
            get().after(99).expect(.miss, rfc: .hit.age(99))),
    ]
}
