// Age: received from a cache in front of the origin (RFC 9111 §5.1), computed (§4.2.3) and sent (§4, §5.1).

extension Case {
    static let age: [Case] = [
        .lives("an Age of 0", "RFC 9111 §5.1", "Cache-Control: max-age=60", "Age: 0", for: 60),
        .lives(
            "an Age counts against the lifetime", "RFC 9111 §4.2", "Cache-Control: max-age=60", "Age: 30",
            for: 30,
            .age(30)),
        .lives(
            "an Age that leaves a second", "RFC 9111 §4.2", "Cache-Control: max-age=60", "Age: 59", for: 1,
            .age(59)),
        .lives(
            "an Age as long as the lifetime", "RFC 9111 §4.2", "Cache-Control: max-age=60", "Age: 60",
            for: nil,
            .because("expired")),
        .lives(
            "an Age beyond the lifetime", "RFC 9111 §4.2", "Cache-Control: max-age=60", "Age: 3600", for: nil,
            .because("expired")),
        .lives("an Age of 2^31", "RFC 9111 §1.2.2", "Cache-Control: max-age=60", "Age: 2147483648", for: nil),
        .lives(
            "an Age of 2^64", "RFC 9111 §1.2.2", "Cache-Control: max-age=60", "Age: 18446744073709551616",
            for: nil),
        .lives("an Age against Expires", "RFC 9111 §4.2", "Expires: {now+60}", "Age: 30", for: 30, .age(30)),
        .lives(
            "leading zeros of an Age", "RFC 9111 §1.2.2", "Cache-Control: max-age=60", "Age: 0030", for: 30,
            .age(30)),
        .lives(
            "an Age that is a word", "RFC 9111 §5.1", "Cache-Control: max-age=60", "Age: old",
            pessimistic: nil,
            rfc: 60, .because("age")),
        .lives(
            "a negative Age", "RFC 9111 §5.1", "Cache-Control: max-age=60", "Age: -30", pessimistic: nil,
            rfc: 60,
            .because("age")),
        .lives(
            "a decimal Age", "RFC 9111 §5.1", "Cache-Control: max-age=60", "Age: 30.5", pessimistic: nil,
            rfc: 60,
            .because("age")),
        .lives(
            "an empty Age", "RFC 9111 §5.1", "Cache-Control: max-age=60", "Age:", pessimistic: nil, rfc: 60,
            .because("age")),
        .lives(
            "a quoted Age", "RFC 9111 §5.1", "Cache-Control: max-age=60", "Age: \"30\"", pessimistic: nil,
            rfc: 60,
            .because("age")),
        .lives(
            "an Age with a parameter", "RFC 9111 §5.1", "Cache-Control: max-age=60", "Age: 30;x=1",
            pessimistic: nil,
            rfc: 60, .because("age")),
        Case(
            "two Ages", "RFC 9111 §5.1",
            get().answered("Cache-Control: max-age=60", "Age: 10", "Age: 50").expect(
                .refused("age"), rfc: .stored),
            get().after(49).expect(.miss, rfc: .hit(1).age(59)),
            get().after(1).expect(.miss)),
        Case(
            "two Ages in one line", "RFC 9111 §5.1",
            get().answered("Cache-Control: max-age=60", "Age: 10, 50").expect(.refused("age"), rfc: .stored),
            get().after(49).expect(.miss, rfc: .hit(1).age(59)),
            get().after(1).expect(.miss)),
        .lives(
            "a Date older than Age", "RFC 9111 §4.2.3", "Cache-Control: max-age=60", "Age: 10",
            "Date: {now-30}",
            for: 31, .age(30)),
        .lives(
            "an Age older than Date", "RFC 9111 §4.2.3", "Cache-Control: max-age=60", "Age: 30",
            "Date: {now-10}",
            for: 30, .age(30)),
        Case(
            "the time an answer takes counts", "RFC 9111 §4.2.3",
            get().answered("Cache-Control: max-age=60").delayed(5).expect(.stored),
            get().after(54).expect(.hit.age(59)),
            get().after(1).expect(.miss)),
        Case(
            "the time an answer takes counts on top of Age", "RFC 9111 §4.2.3",
            get().answered("Cache-Control: max-age=60", "Age: 10").delayed(5).expect(.stored),
            get().after(44).expect(.hit.age(59)),
            get().after(1).expect(.miss)),
        Case(
            "an answer that takes longer than it lives", "RFC 9111 §4.2.3",
            get().answered("Cache-Control: max-age=5").delayed(6).expect(.refused("expired")),
            get().expect(.miss)),
        Case(
            "Age grows by the second", "RFC 9111 §4",
            get().answered("Cache-Control: max-age=60"),
            get().expect(.hit.age(0)),
            get().after(1).expect(.hit.age(1)),
            get().after(milliseconds: 1001).expect(.hit.age(3)),
            get().after(milliseconds: 999).expect(.hit.age(3))),
        Case(
            "Age of an answer just fetched is the origin's", "RFC 9111 §5.1",
            get().answered("Cache-Control: max-age=60", "Age: 30").expect(.stored.has("Age: 30")),
            get("X-Again: 1").after(1).expect(.hit.has("Age: 31"))),
        Case(
            "the wall clock is set forward", "RFC 9111 §4.2.3",
            get().answered("Cache-Control: max-age=60"),
            get().after(1).wallSet(by: 30).expect(.hit.age(31)),
            get().wallSet(by: 30).expect(.miss)),
        Case(
            "the wall clock is set back", "RFC 9111 §4.2.3",
            get().answered("Cache-Control: max-age=60"),
            get().after(10).wallSet(by: -3600).expect(.hit.age(10)),
            get().after(50).expect(.miss)),
        Case(
            "the wall clock stands still", "RFC 9111 §4.2.3",
            get().answered("Cache-Control: max-age=60"),
            get().after(59).wallSet(by: -59).expect(.hit.age(59)),
            get().after(1).wallSet(by: -1).expect(.miss)),
        Case(
            "HEAD and 304 say Age too", "RFC 9111 §5.1",
            get().answered("Cache-Control: max-age=60", "ETag: \"a\""),
            head().after(5).expect(.headHit.age(5)),
            get("If-None-Match: \"a\"").after(5).expect(.notModified.age(10))),
    ]

    static let pragma: [Case] = [
        .lives(
            "Pragma: no-cache in an answer", "RFC 9111 §5.4", "Cache-Control: max-age=60", "Pragma: no-cache",
            pessimistic: nil, rfc: 60, .because("no-cache")),
        .lives(
            "Pragma: no-cache beside Expires", "RFC 9111 §5.4", "Expires: {now+60}", "Pragma: no-cache",
            pessimistic: nil, rfc: 60, .because("no-cache")),
        .lives(
            "another Pragma in an answer", "RFC 9111 §5.4", "Cache-Control: max-age=60", "Pragma: foo",
            for: 60),
    ]
}
