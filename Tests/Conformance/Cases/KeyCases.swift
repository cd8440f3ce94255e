// What is part of the key, and what is neither part of the key nor forwarded (RFC 9111 §2, §7.1).

extension Case {
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
            "a field that is another one to a CGI", "RFC 3875 §4.1.18",
            get("X_Original_URL: /admin").answered("Cache-Control: max-age=60").expect(.refused("unkeyed")),
            get("SCRIPT_NAME: /a").answered("Cache-Control: max-age=60").expect(
                .refused("unkeyed").withholds("SCRIPT_NAME")),
            get().expect(.miss)),
        Case(
            "an untrusted client's claim is dropped, and the hit remains", "caching-rules",
            get(
                "X_Forwarded_Host: evil.example", "X-Real-IP: 192.0.2.1", "X-Forwarded-User: root",
                "CloudFront-Forwarded-Proto: https", "Content_Length: 5", "X-Request-Id: 1"
            ).answered("Cache-Control: max-age=60").expect(
                .stored.sends("X-Request-Id: 1").withholds(
                    "X_Forwarded_Host", "X-Real-IP", "X-Forwarded-User", "CloudFront-Forwarded-Proto",
                    "Content_Length")),
            get("X-Forwarded-For: 192.0.2.1", "X-Forwarded-Proto: https", "X-Forwarded-Port: 443").expect(
                .hit(1)),
            send("POST", "X-Forwarded-Prefix: /a", "X_Forwarded_For: 1", "X-HTTP-Method-Override: PATCH")
                .expect(
                    .miss.sends("X-HTTP-Method-Override: PATCH").withholds(
                        "X-Forwarded-Prefix", "X_Forwarded_For"))),
        Case(
            "a field that a CGI takes for the one that Vary names", "RFC 3875 §4.1.18",
            get("X-Lang: de").answered("Cache-Control: max-age=60", "Vary: X-Lang").expect(
                .refused("vary"), rfc: .stored),
            get("X_Lang: fr").answered("Cache-Control: max-age=60", "Vary: X-Lang").expect(
                .refused("vary"), rfc: .stored),
            get("X-Lang: de").expect(.miss, rfc: .hit(1)),
            get().expect(.miss)),
        Case(
            "a field that says another scheme is not sent", "caching-rules",
            get(
                "X-Forwarded-SSL: on", "X-Forwarded-Protocol: ssl", "Front-End-Https: on",
                "X-Url-Scheme: https",
                "X-Scheme: https"
            ).answered("Cache-Control: max-age=60").expect(
                .stored.withholds(
                    "X-Forwarded-SSL", "X-Forwarded-Protocol", "Front-End-Https", "X-Url-Scheme", "X-Scheme"))
        ),
        Case(
            "fields that claim another host are not sent", "caching-rules",
            get("X-Forwarded-Host: evil.example", "X-Forwarded-Port: 1").answered("Cache-Control: max-age=60")
                .expect(
                    .stored.sends("X-Forwarded-Host: example.com").withholds("X-Forwarded-Port"))),
    ]
}
