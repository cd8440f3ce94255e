// Which fields are forwarded: fields of one connection are not, and the origin is told of the client.

import DataPlaneHarness
import Settings
import Testing

struct ForwardingTests {
    @Test func fieldsNamedByConnectionAreNotForwarded() throws {
        let origin = try ScriptedOrigin(answering: { _ in
            answer(
                "text", "Connection: X-Answer-Hop, keep-alive", "X-Answer-Hop: 1", "Keep-Alive: timeout=5",
                "Proxy-Authenticate: x", "X-Stays: 1", "Upgrade: h2c")
        })
        try withStage(origin) { stage in
            let answer = try stage.ask(
                "GET", "/", "Connection: X-Hop, close", "X-Hop: 1", "Keep-Alive: 1", "TE: trailers",
                "Proxy-Connection: a",
                "Proxy-Authorization: a", "Upgrade: h2c", "HTTP2-Settings: a", "X-Stays: 1")
            let sent = origin.requests[0]
            for name in [
                "x-hop", "keep-alive", "te", "proxy-connection", "proxy-authorization", "upgrade",
                "http2-settings", "connection",
            ] { #expect(sent[name] == nil, "\(name)") }
            #expect(sent["x-stays"] == "1")
            for name in ["x-answer-hop", "keep-alive", "proxy-authenticate", "upgrade"] {
                #expect(answer[name] == nil, "\(name)")
            }
            #expect(answer["x-stays"] == "1" && answer["connection"] == "close")
        }
    }

    private static let lines = "A: 1\r\nB:2\r\nX-Hop: 3\r\nC:\t4\r\nD:  5 \t\r\nE: 6\r\nF:\r\nG: \r\n"

    /// Larder copies lines in runs where it can. White space around a value is dropped.
    @Test(
        arguments: [
            "HTTP/1.1 200 Fine by me", "HTTP/1.1 200 ", "HTTP/1.1 200", "HTTP/1.0 200 OK",
            "HTTP/1.1 200 Fine \t",
        ], ["", "\r\n"])
    func aForwardedLineIsNameAndValue(status: String, emptyLine: String) throws {
        let kept = ["A1", "B2", "C4", "D5", "E6", "F", "G"]
        let origin = try ScriptedOrigin(answering: { _ in
            "\(status)\r\nConnection: close, x-hop\r\n\(Self.lines)Content-Length: 2\r\n\r\nab"
        })
        try withStage(origin) { stage in
            let client = try stage.client()
            try client.send(
                "\(emptyLine)POST /x HTTP/1.1\r\nHost: a.example\r\nConnection: x-hop\r\n\(Self.lines)\r\n")
            let answer = try client.receiveAnswer()
            let reason = status.dropFirst(13)
            #expect(answer.start == "HTTP/1.1 200 \(reason)" && answer.text == "ab")
            #expect(answer.fields.prefix(7).map { $0.name + $0.value } == kept)
            let sent = origin.requests[0]
            #expect(sent.start == "POST /x HTTP/1.1")
            #expect(sent.fields.prefix(8).map { $0.name + $0.value } == ["Hosta.example"] + kept)
        }
    }

    struct Told: Sendable {
        var sends: Settings.ForwardedFields
        var trusts: Bool
        var expected: [String: String?]
    }

    static let own = ";host=\"example.com\";proto=http"

    static let told = [
        Told(
            sends: .xForwarded, trusts: false,
            expected: [
                "x-forwarded-for": "127.0.0.1", "x-forwarded-proto": "http",
                "x-forwarded-host": "example.com", "forwarded": nil, "via": "1.0 other",
            ]),
        Told(
            sends: .xForwarded, trusts: true,
            expected: [
                "x-forwarded-for": "192.0.2.1, 127.0.0.1", "x-forwarded-proto": "https",
                "x-forwarded-host": "first.example", "forwarded": "for=192.0.2.1",
            ]),
        Told(
            sends: .forwarded, trusts: false,
            expected: [
                "forwarded": "for=127.0.0.1\(own)", "x-forwarded-for": nil,
            ]),
        Told(
            sends: .forwarded, trusts: true,
            expected: ["forwarded": "for=192.0.2.1, for=127.0.0.1\(own)", "x-forwarded-for": "192.0.2.1"]),
        Told(
            sends: .via, trusts: false,
            expected: ["via": "1.0 other, 1.1 larder", "x-forwarded-for": nil, "forwarded": nil]),
        Told(
            sends: [], trusts: false,
            expected: [
                "via": "1.0 other", "x-forwarded-for": nil, "x-forwarded-host": nil, "x-forwarded-proto": nil,
            ]),
    ]

    @Test(arguments: told, ["GET", "POST"])
    func theOriginIsToldOfTheClient(told: Told, method: String) throws {
        let origin = try ScriptedOrigin(answering: { _ in answer("text") })
        let loopback = try AddressRange(parsing: "127.0.0.0/8")
        try withStage(
            origin,
            settings: {
                $0.forwarded = told.sends
                $0.trustedProxies = told.trusts ? [loopback] : []
            }
        ) { stage in
            _ = try stage.ask(
                method, "/", "X-Forwarded-For: 192.0.2.1", "X-Forwarded-Proto: https",
                "X-Forwarded-Host: first.example", "Forwarded: for=192.0.2.1", "Via: 1.0 other")
            let sent = origin.requests[0]
            for (name, value) in told.expected { #expect(sent[name] == value, "\(name)") }
        }
    }

    private static let loopback = try? AddressRange(parsing: "127.0.0.0/8")

    /// The origin is told what a trusted proxy says of the host and the scheme. Where that differs from the
    /// key, the response is not stored, and no stored one is served.
    static let words: [(fields: [String], isKeyed: Bool)] = [
        (["X-Forwarded-Host: example.com"], true), (["X-Forwarded-Host: EXAMPLE.com:80"], true),
        (["X-Forwarded-Host: example.com, example.com"], true),
        (["X-Forwarded-Host: evil.example"], false), (["X-Forwarded-Host:"], false),
        (["X-Forwarded-Host: evil.example, example.com"], false),
        (["X-Forwarded-Host: example.com", "X-Forwarded-Host: evil.example"], false),
        (["X-Forwarded-Host: example.com:8080"], false), (["X-Forwarded-Host: example.com/"], false),
        (["X-Forwarded-Host: example.com:443", "X-Forwarded-Proto: https"], true),
        (["X-Forwarded-Host: example.com:80", "X-Forwarded-Proto: https"], false),
        (["X-Forwarded-Proto: https, http"], true),
        (["Forwarded: for=192.0.2.1; Host=\"example.com\" ;proto=http"], true),
        (["Forwarded: for=192.0.2.1"], true), (["Forwarded: for=\"[::1]:80\", proto=https"], true),
        (["Forwarded: host=evil.example, for=192.0.2.1;host=example.com"], false),
        (["Forwarded: for=192.0.2.1", "Forwarded: for=192.0.2.1;HOST = \"evil.example\""], false),
        (["Forwarded: for=\"a;host=evil.example\""], false), (["Forwarded: proto=https, for=a"], false),
        (["Forwarded: proto=http, for=a;proto=https"], false),
        (["Forwarded: proto=https", "X-Forwarded-Proto: http"], false),
        (["Forwarded: proto=wss, for=a;proto=http"], false), (["Forwarded: for=a;proto=\"http\\s\""], false),
    ]

    @Test(arguments: words, [true, false])
    func aTrustedProxysHostAndSchemeAreKeyedOrNotStored(
        word: (fields: [String], isKeyed: Bool), isTrusted: Bool
    ) throws {
        let origin = try ScriptedOrigin(answering: { _ in cacheable("text") })
        let trusted = PeerSet(isTrusted ? [try #require(Self.loopback)] : [])
        try withStage(origin, settings: { $0.trustedProxies = trusted }) { stage in
            for round in 1...2 {
                let client = try stage.client()
                try client.send(request("GET", "/", word.fields))
                let status = try client.receiveAnswer().cacheStatus
                if !word.isKeyed, isTrusted {
                    #expect(status == "fwd=bypass; detail=unkeyed")
                } else {
                    #expect(status.hasPrefix(round == 1 ? "fwd=miss; stored" : "hit"))
                }
            }
        }
    }

    /// The last word is the proxy's own. The words before it come from its client.
    @Test(arguments: [
        (["X-Forwarded-Proto: https"], "https"), (["X-Forwarded-Proto: http, HTTPS"], "https"),
        (["X-Forwarded-Proto: https, http"], "http"),
        (["X-Forwarded-Proto: https", "X-Forwarded-Proto: http"], "http"),
        (["Forwarded: for=a;proto=https"], "https"),
        (["Forwarded: proto=http,proto=\"https\";for=a"], "https"),
        (["Forwarded: proto=https, for=a;proto=http"], "http"), (["Forwarded: proto=https, for=a"], "http"),
        (["Forwarded: proto=https", "Forwarded: for=a"], "http"),
        (["Forwarded: proto=http", "X-Forwarded-Proto: https"], "https"),
    ])
    func theSchemeComesFromTheLastProxy(fields: [String], scheme: String) throws {
        let origin = try ScriptedOrigin(answering: { _ in cacheable("text") })
        let trusted = PeerSet([try #require(Self.loopback)])
        try withStage(origin, settings: { $0.trustedProxies = trusted }) { stage in
            let client = try stage.client()
            try client.send(request("GET", "/", fields))
            _ = try client.receiveAnswer()
            #expect(origin.requests[0]["x-forwarded-proto"] == scheme)
        }
    }

    /// X-Forwarded-Proto lines that are passed on unchanged are read by the origin as they came.
    @Test func aForwardedSchemeIsKeyedOrNotStored() throws {
        let origin = try ScriptedOrigin(answering: { _ in cacheable("text") })
        let trusted = PeerSet([try #require(Self.loopback)])
        try withStage(
            origin,
            settings: {
                $0.trustedProxies = trusted
                $0.forwarded = []
            }
        ) { stage in
            let mixed = try stage.ask("GET", "/", "X-Forwarded-Proto: https, http")
            #expect(mixed.cacheStatus == "fwd=bypass; detail=unkeyed")
            #expect(origin.requests[0]["x-forwarded-proto"] == "https, http")
            let other = try stage.ask("GET", "/", "X-Forwarded-Proto: wss, http")
            #expect(other.cacheStatus == "fwd=bypass; detail=unkeyed")
            #expect(try stage.ask("GET", "/", "X-Forwarded-Proto: https").cacheStatus == "fwd=miss; stored")
        }
    }

    @Test func aStorableFetchSendsTheKeyedHostAndTarget() throws {
        let origin = try ScriptedOrigin(answering: { _ in cacheable("text") })
        try withStage(origin, settings: { $0.policies[0].query = .only(["v"]) }) { stage in
            let client = try stage.client()
            try client.send(
                "GET /a?x=1&v=2 HTTP/1.1\r\nHost: EXAMPLE.com:80\r\n"
                    + "Accept-Encoding: gzip;q=0.2, deflate, br\r\n"
                    + "If-None-Match: \"a\"\r\nUser-Agent: me\r\n\r\n")
            _ = try client.receiveAnswer()
            let sent = origin.requests[0]
            #expect(sent.target == "/a?v=2" && sent["host"] == "example.com" && sent["user-agent"] == "me")
            #expect(sent["accept-encoding"]?.contains("deflate") == false && sent["if-none-match"] == nil)
            #expect(
                try stage.ask("GET", "/a?v=2&y=3", "Accept-Encoding: br, gzip").cacheStatus.hasPrefix("hit"))
        }
    }

    @Test func theOriginsFieldsReachTheClientUnchanged() throws {
        let origin = try ScriptedOrigin(answering: { request in
            answer(
                "text", status: 299,
                request.target == "/a" ? "Date: Tue, 01 Jan 2030 00:00:00 GMT" : "X-A: b", "Set-Cookie: a=1",
                "Set-Cookie: b=2", "Cache-Status: other; hit", "X-Empty: ")
        })
        try withStage(origin) { stage in
            let dated = try stage.ask("GET", "/a")
            #expect(dated.start == "HTTP/1.1 299 Fine" && dated["date"] == "Tue, 01 Jan 2030 00:00:00 GMT")
            #expect(dated["set-cookie"] == "a=1, b=2" && dated["x-empty"] == "")
            #expect(dated["cache-status"] == "other; hit, larder; fwd=miss; detail=status")
            #expect(try stage.ask("GET", "/b")["date"] != nil)
        }
    }

    /// RFC 9110 §7.6.2: each hop subtracts one; at 0 the request goes no further.
    @Test(arguments: [
        ("0", nil), ("000", nil), ("1", "0"), ("10", "09"), ("100", "099"), ("7", "6"),
        ("99999999999999999999990", "99999999999999999999989"), ("x", "x"), ("-1", "-1"), ("", ""),
    ])
    func maxForwardsEndsAnOptionsRequest(value: String, sent: String?) throws {
        let origin = try ScriptedOrigin(answering: { _ in answer("text") })
        try withStage(origin) { stage in
            let client = try stage.client()
            for _ in 0..<2 {
                try client.send(
                    request("OPTIONS", "/x", ["Accept: a/b", "Max-forwards:\t\(value) ", "X: 1"]))
                let answer = try client.receiveAnswer()
                #expect(sent == nil ? answer.status == 204 && answer["allow"] != nil : answer.text == "text")
            }
            #expect(origin.requests.map { $0["max-forwards"] } == (sent == nil ? [] : [sent, sent]))
            // Max-Forwards means nothing to other methods.
            _ = try stage.ask("GET", "/x", "Max-Forwards: \(value)")
            #expect(origin.requests.last?["max-forwards"] == value)
        }
    }

    @Test func anyOfSeveralMaxForwardsEndsTheRequest() throws {
        let origin = try ScriptedOrigin(answering: { _ in answer("text") })
        try withStage(origin) { stage in
            let first = try stage.ask("OPTIONS", "/", "Max-Forwards: 3", "Max-Forwards: 0")
            #expect(first.status == 204 && origin.requests.isEmpty)
            let second = try stage.ask("OPTIONS", "/", "Max-Forwards: 3", "Max-Forwards: 1")
            #expect(second.status == 200 && origin.requests[0]["max-forwards"] == "2, 0")
            let body = try stage.ask("OPTIONS", "/", "Max-Forwards: 0", body: "text")
            #expect(body.status == 204 && body.closes && origin.requests.count == 1)
        }
    }

    /// OPTIONS in absolute-form without a path is about the server, as `*` is (RFC 9112 §3.2.4).
    @Test func larderAnswersOptionsOfTheServer() throws {
        let origin = try ScriptedOrigin(answering: { _ in answer("text") })
        try withStage(origin) { stage in
            for target in ["*", "http://example.com", "http://example.com:80"] {
                let answer = try stage.ask("OPTIONS", target)
                #expect(answer.status == 204)
            }
            #expect(try stage.ask("OPTIONS", "http://example.com?a").text == "text")
            #expect(try stage.ask("OPTIONS", "http://example.com/").text == "text")
            let targets = origin.requests.map(\.target)
            #expect(targets == ["/?a", "/"])
        }
    }
}
