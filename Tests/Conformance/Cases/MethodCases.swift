// Methods and versions (RFC 9111 §3, §4, RFC 9110 §9).

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
            "a response to an unknown method", "RFC 9111 §3",
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
        Case(
            "an answer of HTTP/1.0", "RFC 9112 §2.3",
            get().answered("Expires: {now+60}").answeredByHTTP10.expect(.stored),
            get().after(59).expect(.hit(1).age(59)),
            get().after(1).expect(.miss)),
        Case(
            "an answer of HTTP/1.0 that the close ends", "RFC 9112 §6.3",
            get().answered("Cache-Control: max-age=60").answeredByHTTP10.framed(.close).expect(
                .refused("incomplete")),
            get().expect(.miss)),
        Case(
            "an answer of HTTP/1.0 and Cache-Control", "RFC 9111 §5.2",
            get().answered("Cache-Control: max-age=60", "Expires: 0").answeredByHTTP10.expect(.stored),
            get().after(1).expect(.hit(1).age(1))),
    ]
}
