// Methods, credentials, cookies, and what is keyed (RFC 9111 §2, §3, §3.5, §4, RFC 9110 §9).

extension Case {
    static let methods: [Case] = [
        Case(
            "HEAD is answered from a stored GET", "RFC 9111 §4",
            get().answered("Cache-Control: max-age=60", "X-Field: 1", body: "0123456789"),
            head().after(1).expect(.headHit.age(1).has("Content-Length: 10", "X-Field: 1")),
            get().expect(.hit(1))),
        Case(
            "GET with a body", "RFC 9110 §9.3.1",
            get().with(body: "x").answered("Cache-Control: max-age=60").expect(.refused("method")),
            get().expect(.miss)),
        Case(
            "GET with a body does not use the store", "RFC 9110 §9.3.1",
            get().answered("Cache-Control: max-age=60"),
            get().with(body: "x").after(1).expect(.miss),
            get().expect(.hit(1))),
        Case(
            "an answer to POST", "RFC 9110 §9.3.3",
            send("POST").with(body: "x").answered("Cache-Control: max-age=60", "Content-Location: {path}")
                .expect(
                    .refused("method")),
            send("POST").with(body: "x").expect(.miss),
            get().expect(.miss)),
        Case(
            "an answer to PUT", "RFC 9110 §9.3.4",
            send("PUT").with(body: "x").answered("Cache-Control: max-age=60").expect(.refused("method")),
            get().expect(.miss)),
        Case(
            "an answer to OPTIONS", "RFC 9110 §9.3.7",
            send("OPTIONS").answered("Cache-Control: max-age=60").expect(.refused("method")),
            send("OPTIONS").expect(.miss),
            get().expect(.miss)),
        Case(
            "an answer to a method that nobody knows", "RFC 9111 §3",
            send("FROB").answered("Cache-Control: max-age=60").expect(.refused("method")),
            send("FROB").expect(.miss),
            get().expect(.miss)),
        Case(
            "methods in another case are other methods", "RFC 9110 §9.1",
            get().answered("Cache-Control: max-age=60"),
            send("get").after(1).answered(405).expect(.refused("method"))),
        Case(
            "HTTP/1.0", "RFC 9111 §4",
            get().http10.answered("Cache-Control: max-age=60").expect(.stored),
            get().http10.after(1).expect(.hit(1).age(1)),
            get().expect(.hit(1))),
        Case(
            "HTTP/1.0 without Host", "RFC 9112 §3.2",
            get().of(host: "").http10.answered("Cache-Control: max-age=60").expect(.refused("key")),
            get().of(host: "").http10.expect(.miss)),
    ]

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
            "what came by credentials answers others", "RFC 9111 §3.5",
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

    static let keys: [Case] = [
        Case(
            "the query is keyed", "RFC 9111 §2",
            get().at("?a=1").answered("Cache-Control: max-age=60"),
            get().at("?a=2").expect(.miss),
            get().expect(.miss),
            get().at("?a=1").expect(.hit(1))),
        Case(
            "an empty query is another URL", "RFC 3986 §6.2.3",
            get().answered("Cache-Control: max-age=60"),
            get().at("?").expect(.miss)),
        Case(
            "the path is keyed byte by byte", "RFC 9111 §2",
            get().at("/a").answered("Cache-Control: max-age=60"),
            get().at("/A").expect(.miss),
            get().at("/a/").expect(.miss),
            get().at("/%61").expect(.miss),
            get().at("/a").expect(.hit(1))),
        Case(
            "hosts are apart", "RFC 9111 §2",
            get().answered("Cache-Control: max-age=60"),
            get().of(host: "other.example").expect(.miss),
            get().expect(.hit(1))),
        Case(
            "a host in another case", "RFC 3986 §6.2.2.1",
            get().answered("Cache-Control: max-age=60"),
            get().of(host: "EXAMPLE.com").after(1).expect(.hit(1))),
        Case(
            "the default port", "RFC 3986 §6.2.3",
            get().answered("Cache-Control: max-age=60"),
            get().of(host: "example.com:80").after(1).expect(.hit(1)),
            get().of(host: "example.com:8080").expect(.miss)),
        Case(
            "the whole URL as a target", "RFC 9112 §3.2.2",
            get().answered("Cache-Control: max-age=60"),
            get().to("http://example.com{path}").after(1).expect(.hit(1))),
        Case(
            "a path that two servers read in two ways", "caching-rules",
            get().at("/a;b").answered("Cache-Control: max-age=60").expect(.refused("path")),
            get().at("/a%2fb").answered("Cache-Control: max-age=60").expect(.refused("path")),
            get().at("/a/%2e%2e/b").answered("Cache-Control: max-age=60").expect(.refused("path")),
            get().at("/a%00").answered("Cache-Control: max-age=60").expect(.refused("path"))),
        Case(
            "a field that names another URL", "RFC 9111 §7.1",
            get("X-Original-URL: /admin").answered("Cache-Control: max-age=60").expect(.refused("unkeyed")),
            get().expect(.miss)),
        Case(
            "a field that names another method", "RFC 9111 §7.1",
            get("X-HTTP-Method-Override: DELETE").answered("Cache-Control: max-age=60").expect(
                .refused("unkeyed")),
            get().expect(.miss)),
        Case(
            "what is not keyed is not sent", "caching-rules",
            get("X-Forwarded-Host: evil.example", "X-Forwarded-Port: 1").answered("Cache-Control: max-age=60")
                .expect(
                    .stored.sends("X-Forwarded-Host: example.com").withholds("X-Forwarded-Port"))),
    ]
}
