// Invalidation (RFC 9111 §4.4) and groups (RFC 9875).

extension Case {
    /// A stored response, then this request. The case tells whether the entry survives.
    private static func changing(
        _ name: String, _ section: String, _ method: String, status: Int = 200, _ fields: String...,
        survives: Bool,
        stored: String = "", target: String? = nil
    ) -> Case {
        var change = send(method).after(1).answered(status, fields: fields, body: method == "HEAD" ? "" : nil)
        change.target = target
        return Case(
            name, section,
            get().at(stored).answered("Cache-Control: max-age=60").expect(.stored),
            change.expect(.miss.anyBody),
            get().at(stored).answered("Cache-Control: max-age=60").expect(survives ? .hit(1).age(1) : .stored)
        )
    }

    static let invalidation: [Case] =
        ["POST", "PUT", "DELETE", "PATCH", "FROB"].flatMap { method -> [Case] in
            [
                changing("\(method) and a 200", "RFC 9111 §4.4", method, survives: false),
                changing("\(method) and a 204", "RFC 9111 §4.4", method, status: 204, survives: false),
                changing(
                    "\(method) and a 303", "RFC 9111 §4.4", method, status: 303, "Location: /away",
                    survives: false),
                changing("\(method) and a 404", "RFC 9111 §4.4", method, status: 404, survives: true),
                changing("\(method) and a 500", "RFC 9111 §4.4", method, status: 500, survives: true),
            ]
        } + [
            changing("OPTIONS is safe", "RFC 9111 §4.4", "OPTIONS", survives: true),
            changing("a POST elsewhere", "RFC 9111 §4.4", "POST", survives: true, target: "{path}/elsewhere"),
            changing(
                "Location", "RFC 9111 §4.4", "POST", status: 201, "Location: {path}/it", survives: false,
                stored: "/it"),
            changing(
                "a whole URL as Location", "RFC 9111 §4.4", "POST", status: 201,
                "Location: http://example.com{path}/it", survives: false, stored: "/it"),
            changing(
                "Location without a scheme", "RFC 3986 §5.2", "POST", status: 201,
                "Location: //EXAMPLE.com:80{path}/it", survives: false, stored: "/it"),
            changing(
                "a relative Location", "RFC 3986 §5.2", "POST", status: 201, "Location: ./it",
                survives: false,
                stored: "/it", target: "{path}/form"),
            changing(
                "a Location with dot segments", "RFC 3986 §5.2.4", "POST", status: 201, "Location: ../it#top",
                survives: false, stored: "/it", target: "{path}/a/form"),
            changing(
                "a Location with a query", "RFC 9111 §4.4", "POST", status: 201, "Location: {path}/it?a=1",
                survives: false, stored: "/it?a=1"),
            changing(
                "a Location with another query", "RFC 9111 §4.4", "POST", status: 201,
                "Location: {path}/it?a=2",
                survives: true, stored: "/it?a=1"),
            changing(
                "a Location of another host", "RFC 9111 §4.4", "POST", status: 201,
                "Location: http://other.example{path}/it", survives: true, stored: "/it"),
            changing(
                "a Location of another port", "RFC 9111 §4.4", "POST", status: 201,
                "Location: http://example.com:8080{path}/it", survives: true, stored: "/it"),
            changing(
                "a Location of another scheme", "RFC 9111 §4.4", "POST", status: 201,
                "Location: https://example.com{path}/it", survives: true, stored: "/it"),
            changing(
                "Location in an error", "RFC 9111 §4.4", "POST", status: 409, "Location: {path}/it",
                survives: true,
                stored: "/it"),
            changing(
                "Content-Location", "RFC 9111 §4.4", "PUT", "Content-Location: {path}/it", survives: false,
                stored: "/it"),
            changing(
                "Content-Location of another host", "RFC 9111 §4.4", "PUT",
                "Content-Location: http://other.example{path}/it", survives: true, stored: "/it"),
            changing(
                "Location in an answer to OPTIONS", "RFC 9111 §4.4", "OPTIONS", "Location: {path}/it",
                survives: true, stored: "/it"),
            changing(
                "Location beside Content-Location", "RFC 9111 §4.4", "POST", status: 201, "Location: /x",
                "Content-Location: {path}/it", survives: false, stored: "/it"),
            changing(
                "a query that was not asked for", "RFC 9111 §4.4", "POST", survives: true, stored: "?a=1"),
            Case(
                "Content-Location in an answer to GET", "RFC 9111 §4.4",
                get().at("/it").answered("Cache-Control: max-age=60"),
                get().answered("Content-Location: {path}/it"),
                get().at("/it").after(1).expect(.hit(1))),
            Case(
                "all variants go", "RFC 9111 §4.4",
                get("X-A: 1").answered("Cache-Control: max-age=60", "Vary: X-A").expect(.miss),
                get("X-A: 2").answered("Cache-Control: max-age=60", "Vary: X-A").expect(.miss),
                send("DELETE").expect(.miss),
                get("X-A: 1").expect(.miss),
                get("X-A: 2").expect(.miss)),
            Case(
                "other hosts keep theirs", "RFC 9111 §4.4",
                get().of(host: "other.example").answered("Cache-Control: max-age=60"),
                send("POST").expect(.miss),
                get().of(host: "other.example").after(1).expect(.hit(1))),
            Case(
                "a request that no-store forbids to answer still invalidates", "RFC 9111 §4.4",
                get().answered("Cache-Control: max-age=60"),
                send("POST", "Cache-Control: no-store").answered("Cache-Control: no-store").expect(.miss),
                get().expect(.miss)),
            Case(
                "after the change it is stored again", "RFC 9111 §4.4",
                get().answered("Cache-Control: max-age=60"),
                send("PUT").answered(204).expect(.miss.bodyless),
                get().answered("Cache-Control: max-age=60").expect(.stored),
                get().after(1).expect(.hit(3).age(1))),
            Case(
                "an invalidated entry is not revalidated", "RFC 9111 §4.4",
                get().answered("Cache-Control: max-age=10", "ETag: \"a\""),
                send("POST").expect(.miss),
                get().after(20).expect(.miss.withholds("If-None-Match"))),
        ]

    /// An entry in these groups, then this response to a request for another URL.
    private static func grouping(
        _ name: String, _ section: String, groups: String, invalidating: String, method: String = "POST",
        host: String = "example.com", survives: Bool
    ) -> Case {
        Case(
            name, section,
            Step().at("/it").answered(200, fields: ["Cache-Control: max-age=60", groups], body: nil),
            Step(method: method).of(host: host).at("/elsewhere").after(1).answered(
                200, fields: [invalidating], body: nil
            ).expect(.miss),
            get().at("/it").expect(survives ? .hit(1).age(1) : .miss))
    }

    static let groups: [Case] = [
        grouping(
            "a group", "RFC 9875 §3", groups: "Cache-Groups: \"{path}\"",
            invalidating: "Cache-Group-Invalidation: \"{path}\"", survives: false),
        grouping(
            "another group", "RFC 9875 §3", groups: "Cache-Groups: \"{path}\"",
            invalidating: "Cache-Group-Invalidation: \"{path}x\"", survives: true),
        grouping(
            "groups are compared by case", "RFC 9875 §2", groups: "Cache-Groups: \"{path}a\"",
            invalidating: "Cache-Group-Invalidation: \"{path}A\"", survives: true),
        grouping(
            "one of several groups", "RFC 9875 §2", groups: "Cache-Groups: \"{path}x\", \"{path}y\"",
            invalidating: "Cache-Group-Invalidation: \"{path}y\"", survives: false),
        grouping(
            "several groups at once", "RFC 9875 §3", groups: "Cache-Groups: \"{path}\"",
            invalidating: "Cache-Group-Invalidation: \"{path}x\", \"{path}\"", survives: false),
        grouping(
            "a blank in a group's name", "RFC 9875 §2", groups: "Cache-Groups: \"{path} a\"",
            invalidating: "Cache-Group-Invalidation: \"{path} a\"", survives: false),
        grouping(
            "parameters mean nothing", "RFC 9875 §2", groups: "Cache-Groups: \"{path}\";x=1",
            invalidating: "Cache-Group-Invalidation: \"{path}\";y", survives: false),
        grouping(
            "a safe method invalidates no group", "RFC 9875 §3", groups: "Cache-Groups: \"{path}\"",
            invalidating: "Cache-Group-Invalidation: \"{path}\"", method: "GET", survives: true),
        grouping(
            "OPTIONS invalidates no group", "RFC 9875 §3", groups: "Cache-Groups: \"{path}\"",
            invalidating: "Cache-Group-Invalidation: \"{path}\"", method: "OPTIONS", survives: true),
        grouping(
            "a group of another host", "RFC 9875 §2", groups: "Cache-Groups: \"{path}\"",
            invalidating: "Cache-Group-Invalidation: \"{path}\"", host: "other.example", survives: true),
        grouping(
            "a group that is a token", "RFC 9875 §3", groups: "Cache-Groups: \"group{path}\"",
            invalidating: "Cache-Group-Invalidation: group{path}", survives: true),
        grouping(
            "a list of groups that does not parse", "RFC 9651 §4.2", groups: "Cache-Groups: \"{path}\"",
            invalidating: "Cache-Group-Invalidation: \"{path}\", &", survives: true),
        grouping(
            "groups that do not parse", "RFC 9651 §4.2", groups: "Cache-Groups: \"{path}\", &",
            invalidating: "Cache-Group-Invalidation: \"{path}\"", survives: true),
    ]
}
