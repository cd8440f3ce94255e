// Vary (RFC 9111 §4.1, RFC 9110 §12.5.5): under `pessimistic` only Accept-Encoding, under `rfc9111` every
// field by which requests can be distinguished.

extension Case {
    /// Stored under `rfc9111` for a request with `first`. The case tells whether it answers a request with
    /// `second`.
    private static func selecting(
        _ name: String, _ section: String, vary: [String] = ["Vary: X-A"], first: [String] = ["X-A: 1"],
        second: [String], matches: Bool
    ) -> Case {
        Case(
            name, section,
            Step(fields: first).answered(200, fields: ["Cache-Control: max-age=60"] + vary, body: nil).expect(
                .refused("vary"), rfc: .stored),
            Step(fields: second).after(1).answered(
                200, fields: ["Cache-Control: max-age=60"] + vary, body: nil
            ).expect(
                .miss, rfc: matches ? .hit(1).age(1) : .stored),
            Step(fields: first).after(1).expect(.miss, rfc: .hit(1).age(2)))
    }

    static let varySelection: [Case] = [
        selecting("the same value", "RFC 9111 §4.1", second: ["X-A: 1"], matches: true),
        selecting("another value", "RFC 9111 §4.1", second: ["X-A: 2"], matches: false),
        selecting("a value in another case", "RFC 9111 §4.1", second: ["X-A: x"], matches: false),
        selecting("a name in another case", "RFC 9110 §5.1", second: ["x-a: 1"], matches: true),
        selecting("a longer value", "RFC 9111 §4.1", second: ["X-A: 1, 2"], matches: false),
        selecting("a field that is missing", "RFC 9111 §4.1", second: [], matches: false),
        selecting("a field that came", "RFC 9111 §4.1", first: [], second: ["X-A: 1"], matches: false),
        selecting("missing both times", "RFC 9111 §4.1", first: [], second: [], matches: true),
        selecting("missing and empty", "RFC 9111 §4.1", first: [], second: ["X-A:"], matches: false),
        selecting("empty both times", "RFC 9111 §4.1", first: ["X-A:"], second: ["X-A: "], matches: true),
        selecting("blanks around a value", "RFC 9111 §4.1", second: ["X-A:   1  "], matches: true),
        selecting(
            "lines that come to the same", "RFC 9111 §4.1", first: ["X-A: 1", "X-A: 2"],
            second: ["X-A: 1, 2"],
            matches: true),
        selecting(
            "lines in another order", "RFC 9111 §4.1", first: ["X-A: 1", "X-A: 2"],
            second: ["X-A: 2", "X-A: 1"],
            matches: false),
        selecting(
            "fields that Vary does not name", "RFC 9111 §4.1", second: ["X-B: 1", "X-A: 1"], matches: true),
        selecting(
            "two fields", "RFC 9111 §4.1", vary: ["Vary: X-A, X-B"], first: ["X-A: 1", "X-B: 2"],
            second: ["X-B: 2", "X-A: 1"], matches: true),
        selecting(
            "two fields, the second another", "RFC 9111 §4.1", vary: ["Vary: X-A, X-B"],
            first: ["X-A: 1", "X-B: 2"], second: ["X-A: 1", "X-B: 3"], matches: false),
        selecting(
            "two fields, values exchanged", "RFC 9111 §4.1", vary: ["Vary: X-A, X-B"],
            first: ["X-A: 1", "X-B: 2"], second: ["X-A: 2", "X-B: 1"], matches: false),
        selecting(
            "two lines of Vary", "RFC 9110 §5.3", vary: ["Vary: X-A", "Vary: X-B"],
            first: ["X-A: 1", "X-B: 2"],
            second: ["X-A: 1", "X-B: 3"], matches: false),
        selecting(
            "two lines of Vary, all the same", "RFC 9110 §5.3", vary: ["Vary: X-A", "Vary: X-B"],
            first: ["X-A: 1", "X-B: 2"], second: ["X-A: 1", "X-B: 2"], matches: true),
        selecting(
            "Vary in lower case", "RFC 9110 §5.1", vary: ["vary: x-a"], second: ["X-A: 1"], matches: true),
        selecting(
            "Vary in upper case", "RFC 9110 §5.1", vary: ["VARY: X-A"], second: ["x-a: 2"], matches: false),
        selecting(
            "Vary with empty members", "RFC 9110 §5.6.1", vary: ["Vary: ,X-A,, "], second: ["X-A: 2"],
            matches: false),
        selecting(
            "Vary names a field twice", "RFC 9110 §12.5.5", vary: ["Vary: X-A, X-A"], second: ["X-A: 1"],
            matches: true),
        selecting(
            "Vary by User-Agent", "RFC 9110 §12.5.5", vary: ["Vary: User-Agent"], first: ["User-Agent: a"],
            second: ["User-Agent: b"], matches: false),
        selecting(
            "Vary by Accept-Language", "RFC 9110 §12.5.5", vary: ["Vary: Accept-Language"],
            first: ["Accept-Language: de"], second: ["Accept-Language: de"], matches: true),
        selecting(
            "Vary by Origin", "RFC 9110 §12.5.5", vary: ["Vary: Origin"], first: ["Origin: http://a.example"],
            second: ["Origin: http://b.example"], matches: false),
        selecting(
            "a field with the same beginning of its name", "RFC 9111 §4.1", vary: ["Vary: X-A"],
            first: ["X-A: 1", "X-AB: 1"],
            second: ["X-A: 1", "X-AB: 2"], matches: true),
    ]

    private static let nine: [Step] =
        (1...9).map { number in
            Step(fields: ["X-A: \(number)"]).answered("Cache-Control: max-age=60", "Vary: X-A").expect(.miss)
        } + [
            get("X-A: 9").expect(.miss, rfc: .hit(9)), get("X-A: 2").expect(.miss, rfc: .hit(2)),
            get("X-A: 1").expect(.miss),
        ]

    static let vary: [Case] = [
        .lives(
            "Vary by Accept-Encoding", "RFC 9111 §4.1", "Cache-Control: max-age=60", "Vary: Accept-Encoding",
            for: 60),
        .lives(
            "Vary by accept-encoding", "RFC 9110 §5.1", "Cache-Control: max-age=60", "Vary: accept-encoding",
            for: 60),
        .lives("an empty Vary", "RFC 9110 §12.5.5", "Cache-Control: max-age=60", "Vary:", for: 60),
        .lives(
            "Vary: *", "RFC 9111 §4.1", "Cache-Control: max-age=60", "Vary: *", for: nil, .because("vary")),
        .lives(
            "Vary: * beside a name", "RFC 9111 §4.1", "Cache-Control: max-age=60", "Vary: Accept-Encoding, *",
            for: nil, .because("vary")),
        .lives(
            "Vary: * before a name", "RFC 9111 §4.1", "Cache-Control: max-age=60", "Vary: *, Accept-Encoding",
            for: nil, .because("vary")),
        .lives(
            "Vary: * on a second line", "RFC 9110 §5.3", "Cache-Control: max-age=60", "Vary: Accept-Encoding",
            "Vary: *", for: nil, .because("vary")),
        .lives(
            "a malformed name in Vary", "RFC 9110 §12.5.5", "Cache-Control: max-age=60", "Vary: X A", for: nil,
            .because("vary")),
        .lives(
            "a quoted name in Vary", "RFC 9110 §12.5.5", "Cache-Control: max-age=60",
            "Vary: \"Accept-Encoding\"",
            for: nil, .because("vary")),
        .lives(
            "Vary by Host", "caching-rules", "Cache-Control: max-age=60", "Vary: Host", pessimistic: nil,
            rfc: 60,
            .because("vary")),
        .lives(
            "Vary by a field that Larder writes", "caching-rules", "Cache-Control: max-age=60",
            "Vary: X-Forwarded-For",
            for: nil, .because("vary")),
        Case(
            "Accept-Encoding selects by the accepted codings", "caching-rules",
            get("Accept-Encoding: gzip").answered("Cache-Control: max-age=60", "Vary: Accept-Encoding"),
            get("Accept-Encoding: br").after(1).expect(.hit(1)),
            get().expect(.hit(1))),
        Case(
            "two variants, each for its own", "RFC 9111 §4.1",
            get("X-A: 1").answered("Cache-Control: max-age=60", "Vary: X-A").expect(.miss),
            get("X-A: 2").answered("Cache-Control: max-age=60", "Vary: X-A").expect(.miss),
            get("X-A: 1").after(1).expect(.miss, rfc: .hit(1)),
            get("X-A: 2").expect(.miss, rfc: .hit(2)),
            get("X-A: 3").expect(.miss)),
        Case(
            "a variant is renewed alone", "RFC 9111 §4.3.4",
            get("X-A: 1").answered("Cache-Control: max-age=10", "Vary: X-A", "ETag: \"1\"").expect(.miss),
            get("X-A: 2").answered("Cache-Control: max-age=60", "Vary: X-A", "ETag: \"2\"").expect(.miss),
            get("X-A: 1").after(20).answered(304, "ETag: \"1\"").expect(
                .failure(502), rfc: .revalidated(1).sends("If-None-Match: \"1\"")),
            get("X-A: 2").expect(.miss, rfc: .hit(2).age(20)),
            get("X-A: 1").after(1).expect(.miss, rfc: .hit(1).age(1))),
        Case(
            "the newest of those that match", "RFC 9111 §4.1",
            get("X-A: 1").answered("Cache-Control: max-age=60", "Vary: X-A").expect(.miss),
            get("X-A: 2").after(1).answered("Cache-Control: max-age=60"),
            get("X-A: 2").after(1).expect(.hit(2).age(1)),
            get("X-A: 1").expect(.hit(2).age(1))),
        Case(
            "Vary that is new", "RFC 9111 §4.1",
            get("X-A: 1").answered("Cache-Control: max-age=10"),
            get("X-A: 1").after(20).answered("Cache-Control: max-age=60", "Vary: X-A").expect(.miss),
            get("X-A: 2").after(1).expect(.miss),
            get("X-A: 1").expect(.miss, rfc: .hit(2).age(1))),
        Case(
            "Vary by Cookie, public", "RFC 9111 §4.1",
            get("Cookie: a=1").answered("Cache-Control: public, max-age=60", "Vary: Cookie").expect(
                .refused("vary"), rfc: .stored),
            get("Cookie: a=1").after(1).expect(.miss, rfc: .hit(1)),
            get("Cookie: a=2").expect(.miss),
            get().expect(.miss)),
        Case("eight variants, and one more", "caching-rules", steps: nine),
    ]
}
