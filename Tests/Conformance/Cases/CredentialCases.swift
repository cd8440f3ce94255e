// Credentials (RFC 9111 §3.5) and cookies (§7.3).

extension Case {
    static let credentials: [Case] = [
        .lives(
            "credentials and max-age", "RFC 9111 §3.5", "Cache-Control: max-age=60", for: nil,
            .asking("Authorization: Basic eDp5").because("authorization")),
        .lives(
            "credentials and public", "RFC 9111 §3.5", "Cache-Control: public, max-age=60", pessimistic: nil,
            rfc: 60,
            .asking("Authorization: Basic eDp5").because("authorization")),
        .lives(
            "credentials and s-maxage", "RFC 9111 §3.5", "Cache-Control: s-maxage=60", pessimistic: nil,
            rfc: 60,
            .asking("Authorization: Basic eDp5").because("authorization")),
        .lives(
            "credentials and must-revalidate", "RFC 9111 §3.5", "Cache-Control: max-age=60, must-revalidate",
            pessimistic: nil, rfc: 60, .asking("Authorization: Basic eDp5").because("authorization")),
        .lives(
            "credentials and proxy-revalidate", "RFC 9111 §3.5",
            "Cache-Control: max-age=60, proxy-revalidate",
            for: nil, .asking("Authorization: Basic eDp5").because("authorization")),
        .lives(
            "credentials and a public with an argument", "RFC 9111 §3.5",
            "Cache-Control: public=\"x\", max-age=60",
            for: nil, .asking("Authorization: Basic eDp5").because("authorization")),
        .lives(
            "credentials and Expires", "RFC 9111 §3.5", "Expires: {now+60}", for: nil,
            .asking("Authorization: Basic eDp5").because("authorization")),
        .lives(
            "credentials and immutable", "RFC 9111 §3.5", "Cache-Control: max-age=60, immutable", for: nil,
            .asking("Authorization: Basic eDp5").because("authorization")),
        Case(
            "credentials reach the origin", "RFC 9110 §11.6.2",
            get("Authorization: Basic eDp5").expect(.miss.sends("Authorization: Basic eDp5"))),
        Case(
            "an entry without leave does not answer credentials", "RFC 9111 §3.5",
            get().answered("Cache-Control: max-age=60"),
            get("Authorization: Basic eDp5").after(1).expect(.refused("authorization")),
            get().expect(.hit(1).age(1))),
        Case(
            "a public entry answers credentials", "RFC 9111 §3.5",
            get().answered("Cache-Control: public, max-age=60"),
            get("Authorization: Basic eDp5").after(1).expect(.refused("authorization"), rfc: .hit(1).age(1))),
        Case(
            "a response to credentials answers other clients", "RFC 9111 §3.5",
            get("Authorization: Basic eDp5").answered("Cache-Control: s-maxage=60").expect(.miss),
            get("Authorization: Basic ejp6").after(1).expect(.miss, rfc: .hit(1)),
            get().expect(.miss, rfc: .hit(1))),
    ]

    static let cookies: [Case] = [
        .lives(
            "a cookie and max-age", "RFC 9111 §7.3", "Cache-Control: max-age=60", for: nil,
            .asking("Cookie: a=1").because("cookie")),
        .lives(
            "a cookie and Expires", "RFC 9111 §7.3", "Expires: {now+60}", for: nil,
            .asking("Cookie: a=1").because("cookie")),
        .lives(
            "a cookie and public", "RFC 9111 §7.3", "Cache-Control: public, max-age=60", for: 60,
            .asking("Cookie: a=1")),
        .lives(
            "a cookie and s-maxage", "RFC 9111 §7.3", "Cache-Control: s-maxage=60", for: 60,
            .asking("Cookie: a=1")),
        .lives(
            "a cookie and must-revalidate", "RFC 9111 §7.3", "Cache-Control: max-age=60, must-revalidate",
            for: nil,
            .asking("Cookie: a=1").because("cookie")),
        Case(
            "an entry without leave does not answer cookies", "RFC 9111 §7.3",
            get().answered("Cache-Control: max-age=60"),
            get("Cookie: a=1").after(1).expect(.refused("cookie").sends("Cookie: a=1")),
            get().expect(.hit(1).age(1))),
        Case(
            "a public entry answers any cookie", "RFC 9111 §7.3",
            get("Cookie: a=1").answered("Cache-Control: public, max-age=60"),
            get("Cookie: b=2").after(1).expect(.hit(1)),
            get().expect(.hit(1))),
    ]
}
