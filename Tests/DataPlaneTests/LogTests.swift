// A line of the access log for each kind of exchange, compared with what the client counted.

import Kernel
import DataPlane
import DataPlaneHarness
import Settings
import Testing

struct LogTests {
    /// One kind of exchange. The line under test is the last one. `act` returns the number of bytes that its
    /// client received.
    struct Kind: Sendable, CustomTestStringConvertible {
        let testDescription: String
        /// Status and cache result, separated by a blank.
        let line: String
        var reasons: [String] = []
        var cause: String?
        var rule: String?
        var hasServer = true
        /// Responses of the origin, by the request's number from 0. The last one repeats. A response that
        /// begins with "!" is followed by a close.
        var answers = [cacheable(String(repeating: "b", count: 1000), "ETag: \"a\"")]
        var settings: @Sendable (inout Settings) -> Void = { _ in }
        var act: @Sendable (Stage, SteeredClock) throws -> Int = { stage, _ in
            try count(stage, request("GET", "/"))
        }
    }

    /// Sends `text` on a connection of its own, and counts the bytes until the connection ends.
    static func count(_ stage: Stage, _ text: String) throws -> Int {
        let client = try stage.client()
        try client.send(text)
        if !text.contains("Connection: ") { client.shutdownWrite() }
        return try client.receiveAll().bytes.count
    }

    /// Sends one request that stores `/`, then `text`.
    static func again(_ text: String, after milliseconds: UInt64 = 0) -> Kind.Act {
        { stage, clock in
            _ = try stage.ask("GET", "/")
            if milliseconds > 0 {
                clock.advance(milliseconds: milliseconds)
                try stage.turn()
            }
            return try count(stage, text)
        }
    }

    static func asking(_ text: String) -> Kind.Act { { stage, _ in try count(stage, text) } }

    @Test(arguments: kinds)
    func theLineMatchesTheExchange(_ kind: Kind) throws {
        let origin = try ScriptedOrigin { peer, connection, origin in
            while try origin.receive(peer, connection) != nil {
                let text = kind.answers[min(origin.requests.count, kind.answers.count) - 1]
                try peer.send(text.hasSuffix("!") ? String(text.dropLast()) : text)
                if text.hasSuffix("!") { return }
            }
        }
        let clock = steered()
        var counted = -1
        let lines = try linesOf(
            origin, clock: clock,
            settings: { settings in
                settings.policies[0].compress.codings = []
                kind.settings(&settings)
            }
        ) { stage in counted = try kind.act(stage, clock) }
        let line = try #require(lines.last)
        #expect("\(line["status"] ?? "") \(line["cache"] ?? "")" == kind.line, "\(line)")
        #expect(line.bytes == counted, "\(line)")
        #expect(line.reasons == kind.reasons && line["reason"] == kind.reasons.first, "\(line)")
        #expect(line["cause"] == kind.cause && line["rule"] == kind.rule, "\(line)")
        #expect((line["server"] != nil) == kind.hasServer, "\(line)")
        #expect(line["duration_us"] != "0", "\(line)")
    }

    static let kinds: [Kind] = hits + misses + refusals + failures

    static let conditional = request("GET", "/", ["If-None-Match: \"a\""])

    static let hits: [Kind] = [
        Kind("a hit", "200 hit", again(request("GET", "/"))),
        Kind("a large hit", "200 hit", again(request("GET", "/"))).with {
            $0.answers = [cacheable(String(repeating: "b", count: 20_000))]
        },
        Kind("a hit that closes", "200 hit", again(request("GET", "/", ["Connection: close"]))),
        Kind("a hit of HTTP/1.0", "200 hit", again("GET / HTTP/1.0\r\nHost: example.com\r\n\r\n")),
        Kind("a hit, 304", "304 hit", again(conditional)),
        Kind("a hit, 206", "206 hit", again(request("GET", "/", ["Range: bytes=0-9"]))),
        Kind("a hit, 416", "416 hit", again(request("GET", "/", ["Range: bytes=5000-"]))),
        Kind("a hit to HEAD", "200 hit", again(request("HEAD", "/"))),
        Kind("a renewed entry", "200 revalidated", again(request("GET", "/"), after: 100_000)).with {
            $0.answers.append(notModified)
            $0.hasServer = true
        },
        Kind("a stale entry instead of an error", "200 stale", again(request("GET", "/"), after: 100_000)).with {
            $0.answers = [cacheable("body", "Cache-Control: stale-if-error=1000"), answer("", status: 503)]
            $0.hasServer = true
            $0.cause = "error-status"
        },
        Kind("a stale entry while it is revalidated", "200 stale", again(request("GET", "/"), after: 70_000)).with {
            $0.answers = [cacheable("body", "ETag: \"a\"", "Cache-Control: stale-while-revalidate=1000")]
        },
        Kind("one that waited for another's fetch", "200 hit", { stage, _ in
            let first = try stage.client()
            try first.send(request("GET", "/"))
            return try count(stage, request("GET", "/"))
        }),
    ]

    static let misses: [Kind] = [
        Kind("a miss that is stored", "200 miss"),
        Kind("a miss to HEAD", "200 miss", reasons: ["method"], asking(request("HEAD", "/"))).with {
            $0.answers = ["HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"]
        },
        Kind("a miss that is not stored", "200 miss", reasons: ["set-cookie", "no-store", "no-freshness"]).with {
            $0.answers = [answer("body", "Set-Cookie: a=b", "Cache-Control: no-store")]
        },
        Kind(
            "a miss found to be too large behind its head", "200 miss", reasons: ["too-large"],
            settings: { $0.policies[0].store.maxBodyBytes = 100 }
        ).with {
            $0.answers = [
                "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nTransfer-Encoding: chunked\r\n\r\nc8\r\n"
                    + String(repeating: "b", count: 200) + "\r\n0\r\n\r\n"
            ]
        },
        Kind(
            "a request and an answer that both refuse", "200 bypass",
            reasons: ["authorization", "unkeyed", "private", "no-cache", "vary", "no-freshness"],
            asking(request("GET", "/", ["Authorization: x", "X-Original-URL: /b"]))
        ).with { $0.answers = [answer("body", "Cache-Control: private, no-cache", "Vary: User-Agent")] },
        Kind("a pass", "200 bypass", reasons: ["method"], asking(request("POST", "/", body: "text"))),
        Kind("a pass, chunked", "200 bypass", reasons: ["method"], asking(request("POST", "/", body: "x"))).with {
            $0.answers = ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"]
        },
        Kind(
            "a pass, delimited by the close", "200 bypass", reasons: ["method"],
            asking(request("POST", "/", body: "x"))
        ).with { $0.answers = ["HTTP/1.1 200 OK\r\n\r\nabc!"] },
        Kind("interim answers", "200 miss").with {
            $0.answers = ["HTTP/1.1 103 Hints\r\nLink: </a>\r\n\r\n" + cacheable("body")]
        },
        Kind("a client's own copy is current", "304 miss", asking(conditional)),
        Kind("an origin's 404", "404 miss", reasons: ["no-freshness"]).with {
            $0.answers = [answer("none", status: 404)]
        },
        Kind("a tunnel", "101 bypass", reasons: ["connection"], { stage, _ in
            let client = try stage.client()
            try client.send(request("GET", "/", TunnelTests.upgrade))
            client.shutdownWrite()
            return try client.receiveAll().bytes.count
        }).with { $0.answers = [TunnelTests.switching + "hello!"] },
    ]

    static let refusals: [Kind] = [
        Kind("OPTIONS *", "204 none", asking(request("OPTIONS", "*"))).with { $0.hasServer = false },
        Kind("400", "400 none", asking("GET / HTTP/1.1\r\nHost: a\r\nA b: c\r\n\r\n")).with {
            $0.refused("malformed-request", "field-line")
        },
        Kind("400 in a body", "400 bypass", reasons: ["method"], asking(
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n")
        ).with {
            $0.refused("malformed-request", "chunk")
            $0.hasServer = true
        },
        Kind("404 without a route", "404 none", asking(request("GET", "/")), settings: {
            $0.routes[0].path = Array("/only".utf8)
        }).with { $0.refused("no-route") },
        Kind("408", "408 none", asking("GET / HTTP/1.1\r\nHost: a\r\nConnection: "), settings: {
            $0.limits.headTimeoutMilliseconds = 50
        }).with { $0.refused("request-head-timeout") },
        Kind("413", "413 none", asking(request("POST", "/", body: "0123456789")), settings: {
            $0.limits.requestBodyBytes = 5
        }).with { $0.refused("body-too-large", "body-too-large") },
        Kind("414", "414 none", asking("GET /" + String(repeating: "a", count: 70_000))).with {
            $0.refused("target-too-long", "target-too-long")
        },
        Kind("431", "431 none", asking(request("GET", "/", ["A: " + String(repeating: "a", count: 70_000)]))).with {
            $0.refused("head-too-large", "head-too-large")
        },
        Kind("501", "501 none", asking(request("TRACE", "/"))).with { $0.refused("method", "method") },
        Kind("505", "505 none", asking("GET / HTTP/3.1\r\nHost: a\r\n\r\n")).with {
            $0.refused("version", "version")
        },
        Kind("504 of only-if-cached", "504 none", reasons: ["client-refresh"], asking(
            request("GET", "/", ["Cache-Control: only-if-cached"]))).with { $0.refused("only-if-cached") },
    ]

    static let failures: [Kind] = [
        Kind("502, closed", "502 miss").with { $0.answers = ["!"]; $0.cause = "closed" },
        Kind("502, malformed", "502 miss").with {
            $0.answers = ["HTTP/1.1 200 OK\r\nA b: \u{1}\r\n\r\n"]
            ($0.cause, $0.rule) = ("malformed", "field-line")
        },
        Kind("502, no HTTP", "502 miss").with {
            $0.answers = ["SSH-2.0-OpenSSH_9\r\n"]
            ($0.cause, $0.rule) = ("malformed", "start-line")
        },
        Kind("502, half a head", "502 miss").with {
            $0.answers = ["HTTP/1.1 200 OK\r\nA: b\r\n!"]
            $0.cause = "truncated"
        },
        Kind("an answer cut off", "200 miss").with {
            $0.answers = ["HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc!"]
            $0.reasons = ["no-freshness"]
            $0.cause = "truncated"
        },
        Kind("a malformed chunk", "200 miss").with {
            $0.answers = ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nxyz\r\n"]
            $0.reasons = ["no-freshness"]
            ($0.cause, $0.rule) = ("malformed", "chunk")
        },
        Kind("504", "504 miss", settings: { $0.upstreams[0].timeouts.responseMilliseconds = 50 }).with {
            $0.answers = [""]
            $0.cause = "response-timeout"
        },
        Kind("a body that stops", "200 miss", settings: { $0.upstreams[0].timeouts.idleMilliseconds = 50 }).with {
            $0.answers = ["HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"]
            $0.reasons = ["no-freshness"]
            $0.cause = "body-timeout"
        },
    ]
}

extension LogTests.Kind {
    typealias Act = @Sendable (Stage, SteeredClock) throws -> Int

    init(
        _ name: String, _ line: String, reasons: [String] = [], _ act: Act? = nil,
        settings: @escaping @Sendable (inout Settings) -> Void = { _ in }
    ) {
        testDescription = name
        self.line = line
        self.reasons = reasons
        self.settings = settings
        if let act { self.act = act }
        hasServer = !line.hasSuffix("hit") && !line.hasSuffix("stale")
    }

    func with(_ change: (inout Self) -> Void) -> Self {
        var kind = self
        change(&kind)
        return kind
    }

    mutating func refused(_ cause: String, _ rule: String? = nil) {
        (self.cause, self.rule, hasServer) = (cause, rule, false)
    }
}
