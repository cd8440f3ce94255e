// How the freshness lifetime of a response is read: every form of max-age and s-maxage (RFC 9111 §4.2.1,
// §5.2.2).

extension Case {
    static let freshness: [Case] = [
        .lives("nothing is said", "RFC 9111 §4.2.1", for: nil, .because("no-freshness")),
        .lives("max-age", "RFC 9111 §5.2.2.1", "Cache-Control: max-age=60", for: 60),
        .lives("max-age of a second", "RFC 9111 §5.2.2.1", "Cache-Control: max-age=1", for: 1),
        .lives("max-age=0", "RFC 9111 §5.2.2.1", "Cache-Control: max-age=0", for: nil, .because("expired")),
        .lives(
            "an hour is shortened by the policy", "RFC 9111 §4.2", "Cache-Control: max-age=3600",
            pessimistic: 600,
            rfc: 3600),
        .lives(
            "a month is shortened by the policy", "RFC 9111 §4.2", "Cache-Control: max-age=2592000",
            pessimistic: 600,
            rfc: 604_800),
        .lives("s-maxage", "RFC 9111 §5.2.2.10", "Cache-Control: s-maxage=60", for: 60),
        .lives(
            "a longer s-maxage overrides max-age", "RFC 9111 §5.2.2.10",
            "Cache-Control: max-age=5, s-maxage=60",
            for: 60),
        .lives(
            "a shorter s-maxage overrides max-age", "RFC 9111 §5.2.2.10",
            "Cache-Control: max-age=60, s-maxage=5",
            for: 5),
        .lives(
            "s-maxage=0 overrides max-age", "RFC 9111 §5.2.2.10", "Cache-Control: s-maxage=0, max-age=60",
            for: nil,
            .because("expired")),
        .lives(
            "max-age on a line before that of s-maxage", "RFC 9111 §5.2.2.10", "Cache-Control: max-age=5",
            "Cache-Control: s-maxage=60", for: 60),
        .lives(
            "s-maxage overrides Expires", "RFC 9111 §5.2.2.10", "Cache-Control: s-maxage=60",
            "Expires: {now+5}",
            for: 60),
        .lives(
            "public adds no lifetime", "RFC 9111 §5.2.2.9", "Cache-Control: public", for: nil,
            .because("no-freshness")),
        .lives("public beside a lifetime", "RFC 9111 §5.2.2.9", "Cache-Control: public, max-age=60", for: 60),
        .lives("immutable", "RFC 8246 §2", "Cache-Control: max-age=60, immutable", for: 60),
        .lives(
            "immutable adds no lifetime", "RFC 8246 §2", "Cache-Control: immutable", for: nil,
            .because("no-freshness")),
        .lives("no-transform", "RFC 9111 §5.2.2.6", "Cache-Control: max-age=60, no-transform", for: 60),
    ]

    static let freshnessSyntax: [Case] = [
        .lives("upper case", "RFC 9111 §5.2", "CACHE-CONTROL: MAX-AGE=60", for: 60),
        .lives("mixed case", "RFC 9111 §5.2", "Cache-control: Max-Age=60", for: 60),
        .lives("s-maxage in mixed case", "RFC 9111 §5.2", "Cache-Control: S-MaxAge=60", for: 60),
        .lives("a quoted argument", "RFC 9111 §5.2", "Cache-Control: max-age=\"60\"", for: 60),
        .lives("a quoted s-maxage", "RFC 9111 §5.2", "Cache-Control: s-maxage=\"60\"", for: 60),
        .lives(
            "an empty quoted argument", "RFC 9111 §4.2.1", "Cache-Control: max-age=\"\"", for: nil,
            .because("no-freshness")),
        .lives(
            "an unfinished quote", "RFC 9111 §4.2.1", "Cache-Control: max-age=\"60", for: nil,
            .because("no-freshness")),
        .lives(
            "single quotes", "RFC 9111 §4.2.1", "Cache-Control: max-age='60'", for: nil,
            .because("no-freshness")),
        .lives(
            "a blank before the equals sign", "RFC 9111 §4.2.1", "Cache-Control: max-age =60", for: nil,
            .because("no-freshness")),
        .lives(
            "a blank behind the equals sign", "RFC 9111 §4.2.1", "Cache-Control: max-age= 60", for: nil,
            .because("no-freshness")),
        .lives(
            "blanks on both sides", "RFC 9111 §4.2.1", "Cache-Control: max-age = 60", for: nil,
            .because("no-freshness")),
        .lives(
            "a decimal", "RFC 9111 §1.2.2", "Cache-Control: max-age=60.5", for: nil, .because("no-freshness")),
        .lives(
            "a negative number", "RFC 9111 §1.2.2", "Cache-Control: max-age=-60", for: nil,
            .because("no-freshness")),
        .lives(
            "a plus sign", "RFC 9111 §1.2.2", "Cache-Control: max-age=+60", for: nil, .because("no-freshness")
        ),
        .lives("leading zeros", "RFC 9111 §1.2.2", "Cache-Control: max-age=0060", for: 60),
        .lives(
            "many leading zeros", "RFC 9111 §1.2.2", "Cache-Control: max-age=000000000000000000000000060",
            for: 60),
        .lives(
            "2^31", "RFC 9111 §1.2.2", "Cache-Control: max-age=2147483648", pessimistic: 600, rfc: 604_800),
        .lives(
            "2^32 + 1", "RFC 9111 §1.2.2", "Cache-Control: max-age=4294967297", pessimistic: 600, rfc: 604_800
        ),
        .lives(
            "2^63", "RFC 9111 §1.2.2", "Cache-Control: max-age=9223372036854775808", pessimistic: 600,
            rfc: 604_800),
        .lives(
            "2^64 + 1", "RFC 9111 §1.2.2", "Cache-Control: max-age=18446744073709551617", pessimistic: 600,
            rfc: 604_800),
        .lives(
            "forty digits", "RFC 9111 §1.2.2", "Cache-Control: s-maxage=\(String(repeating: "9", count: 40))",
            pessimistic: 600, rfc: 604_800),
        .lives(
            "an empty argument", "RFC 9111 §4.2.1", "Cache-Control: max-age=", for: nil,
            .because("no-freshness")),
        .lives(
            "no argument", "RFC 9111 §4.2.1", "Cache-Control: max-age", for: nil, .because("no-freshness")),
        .lives("a unit", "RFC 9111 §1.2.2", "Cache-Control: max-age=60s", for: nil, .because("no-freshness")),
        .lives(
            "hexadecimal", "RFC 9111 §1.2.2", "Cache-Control: max-age=0x3c", for: nil,
            .because("no-freshness")),
        .lives(
            "an exponent", "RFC 9111 §1.2.2", "Cache-Control: max-age=6e1", for: nil, .because("no-freshness")
        ),
        .lives(
            "a word", "RFC 9111 §1.2.2", "Cache-Control: max-age=long", for: nil, .because("no-freshness")),
        .lives(
            "two equals signs", "RFC 9111 §4.2.1", "Cache-Control: max-age==60", for: nil,
            .because("no-freshness")),
        .lives("a colon", "RFC 9111 §5.2", "Cache-Control: max-age:60", for: nil, .because("no-freshness")),
        .lives(
            "an unreadable s-maxage hides max-age", "RFC 9111 §4.2.1",
            "Cache-Control: s-maxage=x, max-age=60",
            for: nil, .because("no-freshness")),
        .lives(
            "an unreadable max-age hides Expires", "RFC 9111 §4.2.1", "Cache-Control: max-age=x",
            "Expires: {now+60}", for: nil, .because("no-freshness")),
        .lives(
            "a name that begins alike", "RFC 9111 §5.2.3", "Cache-Control: max-agex=60", for: nil,
            .because("no-freshness")),
        .lives(
            "a name that ends alike", "RFC 9111 §5.2.3", "Cache-Control: xmax-age=60", for: nil,
            .because("no-freshness")),
        .lives(
            "an underscore", "RFC 9111 §5.2.3", "Cache-Control: max_age=60", for: nil,
            .because("no-freshness")),
        .lives("twice the same", "RFC 9111 §4.2.1", "Cache-Control: max-age=60, max-age=60", for: 60),
        .lives(
            "twice the same, spelt differently", "RFC 9111 §4.2.1",
            "Cache-Control: max-age=60, Max-Age=\"060\"",
            for: 60),
        .lives(
            "two that differ", "RFC 9111 §4.2.1", "Cache-Control: max-age=60, max-age=5", pessimistic: nil,
            rfc: 60),
        .lives(
            "two that differ, the shorter first", "RFC 9111 §4.2.1", "Cache-Control: max-age=5, max-age=60",
            pessimistic: nil, rfc: 5),
        .lives(
            "two lines that differ", "RFC 9111 §4.2.1", "Cache-Control: max-age=60",
            "Cache-Control: max-age=5",
            pessimistic: nil, rfc: 60),
        .lives(
            "two of s-maxage that differ", "RFC 9111 §4.2.1", "Cache-Control: s-maxage=60, s-maxage=5",
            pessimistic: nil, rfc: 60),
        .lives(
            "an unknown directive before it", "RFC 9111 §5.2.3", "Cache-Control: foo=bar, max-age=60", for: 60
        ),
        .lives(
            "an unknown directive behind it", "RFC 9111 §5.2.3", "Cache-Control: max-age=60, foo", for: 60),
        .lives(
            "a directive within a quoted string", "RFC 9111 §5.2",
            "Cache-Control: foo=\"max-age=5\", max-age=60",
            for: 60),
        .lives(
            "a prohibition within a quoted string", "RFC 9111 §5.2",
            "Cache-Control: foo=\"no-store, private\", max-age=60", for: 60),
        .lives(
            "an escaped quote within a quoted string", "RFC 9110 §5.6.4",
            "Cache-Control: foo=\"a\\\", no-store, \\\"b\", max-age=60", for: 60),
        .lives(
            "an unfinished quote before it", "RFC 9110 §5.6.4", "Cache-Control: foo=\"bar, max-age=60",
            for: nil,
            .because("no-freshness")),
        .lives(
            "semicolons for commas", "RFC 9111 §5.2", "Cache-Control: max-age=60; public", for: nil,
            .because("no-freshness")),
        .lives(
            "blanks for commas", "RFC 9111 §5.2", "Cache-Control: public max-age=60", for: nil,
            .because("no-freshness")),
        .lives("empty members", "RFC 9110 §5.6.1", "Cache-Control: , max-age=60,, ,", for: 60),
        .lives("a tab for a blank", "RFC 9110 §5.6.3", "Cache-Control: public,\tmax-age=60", for: 60),
        .lives("no blanks", "RFC 9110 §5.6.1", "Cache-Control: public,max-age=60,immutable", for: 60),
        .lives("blanks around the value", "RFC 9110 §5.5", "Cache-Control:   max-age=60  ", for: 60),
        .lives(
            "spread over three lines", "RFC 9110 §5.3", "Cache-Control: public", "X-Between: 1",
            "cache-control: max-age=60", "CACHE-CONTROL: immutable", for: 60),
        .lives(
            "an empty line beside it", "RFC 9110 §5.3", "Cache-Control:", "Cache-Control: max-age=60", for: 60
        ),
        .lives("an empty field", "RFC 9111 §5.2", "Cache-Control:", for: nil, .because("no-freshness")),
    ]
}
