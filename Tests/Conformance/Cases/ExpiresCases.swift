// Expires (RFC 9111 §5.3), Date (RFC 9110 §6.6.1), and which field has precedence.

extension Case {
    static let expires: [Case] = [
        .lives("Expires", "RFC 9111 §5.3", "Expires: {now+60}", for: 60),
        .lives("Expires in the past", "RFC 9111 §5.3", "Expires: {now-60}", for: nil, .because("expired")),
        .lives("Expires now", "RFC 9111 §5.3", "Expires: {now}", for: nil, .because("expired")),
        .lives("Expires: 0", "RFC 9111 §5.3", "Expires: 0", for: nil, .because("expired")),
        .lives("Expires: -1", "RFC 9111 §5.3", "Expires: -1", for: nil, .because("expired")),
        .lives("Expires: never", "RFC 9111 §5.3", "Expires: never", for: nil, .because("expired")),
        .lives("an empty Expires", "RFC 9111 §5.3", "Expires:", for: nil, .because("expired")),
        .lives("seconds", "RFC 9111 §5.3", "Expires: 60", for: nil, .because("expired")),
        .lives(
            "two of Expires", "RFC 9111 §5.3", "Expires: {now+60}", "Expires: {now+60}", for: nil,
            .because("expired")),
        .lives(
            "two of Expires in one line", "RFC 9111 §5.3", "Expires: {now+60}, {now+60}", for: nil,
            .because("expired")),
        .lives("the form of RFC 850", "RFC 9110 §5.6.7", "Expires: {rfc850+60}", for: 60),
        .lives("the form of asctime", "RFC 9110 §5.6.7", "Expires: {asctime+60}", for: 60),
        .lives("blanks around a date", "RFC 9110 §5.5", "Expires:   {now+60}  ", for: 60),
        .lives(
            "a far date", "RFC 9111 §5.3", "Expires: Thu, 01 Jan 2099 00:00:00 GMT", pessimistic: 600,
            rfc: 604_800),
        .lives(
            "the last date", "RFC 9111 §5.3", "Expires: Fri, 31 Dec 9999 23:59:59 GMT", pessimistic: 600,
            rfc: 604_800),
        .lives(
            "the zone UTC", "RFC 9110 §5.6.7", "Expires: Thu, 01 Jan 2099 00:00:00 UTC", for: nil,
            .because("expired")),
        .lives(
            "a numeric zone", "RFC 9110 §5.6.7", "Expires: Thu, 01 Jan 2099 00:00:00 +0000", for: nil,
            .because("expired")),
        .lives(
            "no zone", "RFC 9110 §5.6.7", "Expires: Thu, 01 Jan 2099 00:00:00", for: nil, .because("expired")),
        .lives(
            "no day of the week", "RFC 9110 §5.6.7", "Expires: 01 Jan 2099 00:00:00 GMT", for: nil,
            .because("expired")),
        .lives(
            "a day of one digit", "RFC 9110 §5.6.7", "Expires: Thu, 1 Jan 2099 00:00:00 GMT", for: nil,
            .because("expired")),
        .lives(
            "an hour of one digit", "RFC 9110 §5.6.7", "Expires: Thu, 01 Jan 2099 0:00:00 GMT", for: nil,
            .because("expired")),
        .lives(
            "a year of two digits", "RFC 9110 §5.6.7", "Expires: Thu, 01 Jan 99 00:00:00 GMT", for: nil,
            .because("expired")),
        .lives(
            "lower case", "RFC 9110 §5.6.7", "Expires: thu, 01 jan 2099 00:00:00 gmt", for: nil,
            .because("expired")),
        .lives(
            "hyphens and a year of four digits", "RFC 9110 §5.6.7", "Expires: Thu, 01-Jan-2099 00:00:00 GMT",
            for: nil, .because("expired")),
        .lives(
            "two blanks", "RFC 9110 §5.6.7", "Expires: Thu,  01 Jan 2099 00:00:00 GMT", for: nil,
            .because("expired")),
        .lives(
            "the form of ISO 8601", "RFC 9110 §5.6.7", "Expires: 2099-01-01T00:00:00Z", for: nil,
            .because("expired")),
        .lives(
            "the 32nd of a month", "RFC 9110 §5.6.7", "Expires: Thu, 32 Jan 2099 00:00:00 GMT", for: nil,
            .because("expired")),
        .lives(
            "text behind the date", "RFC 9110 §5.6.7", "Expires: Thu, 01 Jan 2099 00:00:00 GMT; x", for: nil,
            .because("expired")),
        .lives(
            "a quoted date", "RFC 9110 §5.6.7", "Expires: \"Thu, 01 Jan 2099 00:00:00 GMT\"", for: nil,
            .because("expired")),
        .lives(
            "max-age overrides an earlier Expires", "RFC 9111 §5.3", "Expires: {now-60}",
            "Cache-Control: max-age=60", for: 60),
        .lives(
            "max-age overrides a later Expires", "RFC 9111 §5.3", "Expires: {now+60}",
            "Cache-Control: max-age=5",
            for: 5),
        .lives(
            "max-age overrides Expires: 0", "RFC 9111 §5.3", "Expires: 0", "Cache-Control: max-age=60",
            for: 60),
        .lives(
            "max-age=0 overrides Expires", "RFC 9111 §5.3", "Expires: {now+60}", "Cache-Control: max-age=0",
            for: nil, .because("expired")),
        .lives(
            "Expires beside directives without a lifetime", "RFC 9111 §4.2.1", "Expires: {now+60}",
            "Cache-Control: public, must-revalidate", for: 60),
        .lives(
            "Expires counts from Date", "RFC 9111 §4.2.1", "Date: {now-30}", "Expires: {now+30}", for: 31,
            .age(30)),
        .lives(
            "Expires without Date counts from receipt", "RFC 9111 §4.2.1", "Expires: {now+60}", for: 60,
            .undated),
        .lives(
            "Expires and a Date in the future", "RFC 9111 §4.2.1", "Date: {now+100}", "Expires: {now+160}",
            for: 60),
        .lives(
            "Expires before a Date in the future", "RFC 9111 §4.2.1", "Date: {now+100}", "Expires: {now+60}",
            for: nil, .because("expired")),
    ]

    static let dates: [Case] = [
        Case(
            "a missing Date is the time of receipt", "RFC 9110 §6.6.1",
            get().answered("Cache-Control: max-age=60").undated.expect(.stored.has("Date: {start}")),
            get().after(10).expect(.hit.age(10).has("Date: {start}"))),
        Case(
            "Date is kept as it came", "RFC 9111 §4",
            get().answered("Cache-Control: max-age=60", "Date: {now-5}").expect(
                .stored.has("Date: {start-5}")),
            get().after(10).expect(.hit.age(15).has("Date: {start-5}"))),
        .lives(
            "a malformed Date", "RFC 9110 §6.6.1", "Cache-Control: max-age=60", "Date: yesterday",
            for: nil,
            .because("date")),
        .lives(
            "an empty Date", "RFC 9110 §6.6.1", "Cache-Control: max-age=60", "Date:", for: nil,
            .because("date")),
        .lives(
            "two Dates", "RFC 9110 §6.6.1", "Cache-Control: max-age=60", "Date: {now}", "Date: {now}",
            for: nil,
            .because("date")),
        .lives(
            "a Date in the form of RFC 850", "RFC 9110 §5.6.7", "Cache-Control: max-age=60",
            "Date: {rfc850-10}",
            for: 51, .age(10)),
        .lives(
            "a Date in the form of asctime", "RFC 9110 §5.6.7", "Cache-Control: max-age=60",
            "Date: {asctime-10}",
            for: 51, .age(10)),
        .lives(
            "a Date an hour old", "RFC 9111 §4.2.3", "Cache-Control: max-age=7200", "Date: {now-3600}",
            pessimistic: 600, rfc: 3601, .age(3600)),
        .lives(
            "a Date older than the lifetime", "RFC 9111 §4.2.3", "Cache-Control: max-age=60",
            "Date: {now-61}",
            for: nil, .because("expired")),
        .lives(
            "a Date a minute ahead", "RFC 9111 §4.2.3", "Cache-Control: max-age=60", "Date: {now+60}", for: 60
        ),
        .lives(
            "a Date two days old", "caching-rules", "Cache-Control: max-age=604800", "Date: {now-172800}",
            for: nil,
            .because("date")),
        .lives(
            "a Date two days ahead", "caching-rules", "Cache-Control: max-age=60", "Date: {now+172800}",
            for: nil,
            .because("date")),
        .lives(
            "a Date two days old, and an Age that says so", "caching-rules", "Cache-Control: max-age=604800",
            "Date: {now-172800}", "Age: 172800", pessimistic: 600, rfc: 432_000, .age(172_800)),
    ]
}
