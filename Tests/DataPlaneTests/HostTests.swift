// One host has one entry, one route and one name at the origin, however a client spells it. Also: what an
// origin gets where the client names no host.

import HTTP
import Kernel
import DataPlaneHarness
import Settings
import Testing

struct HostTests {
    /// Spellings of `private.example.test` on port 80, and of an address.
    static let spellings = [
        "private.example.test", "private.example.test.", "PRIVATE.example.TEST.", "private.example.test:80",
        "private.example.test.:80", "private.example.test:", "private.example.test.:",
        "Private.Example.Test.:",
    ]
    static let addresses = [
        "[2001:db8::1]", "[2001:DB8:0:0:0:0:0:1]", "[2001:db8::0001]:80", "[2001:db8:0::1]:",
    ]

    private static func origin() throws -> ScriptedOrigin {
        try ScriptedOrigin(answering: { cacheable("for \($0["host"] ?? "nobody")") })
    }

    /// Requests for each spelling: by Host, and in absolute-form with and without Host.
    private static func requests(_ host: String) -> [String] {
        [
            "GET / HTTP/1.1\r\nHost: \(host)\r\n\r\n",
            "GET http://\(host)/ HTTP/1.1\r\nHost: \(host)\r\n\r\n",
            "GET http://\(host)/ HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
            "GET http://\(host)/ HTTP/1.0\r\nHost:\r\nConnection: keep-alive\r\n\r\n",
        ]
    }

    /// A request of a route with `policy: none` is never stored, nor answered from what another route stored.
    @Test(arguments: ["private.example.test", "*.example.test", "[2001:db8::1]"])
    func noSpellingEscapesItsRoute(pattern: String) throws {
        let origin = try Self.origin()
        try withStage(
            origin,
            settings: { settings in
                guard let host = HostPattern(parsing: pattern) else { return }
                settings.routes.insert(Route(name: "private", host: host, policy: nil, upstream: 0), at: 0)
            }
        ) { stage in
            let client = try stage.client()
            for host in pattern.hasPrefix("[") ? Self.addresses : Self.spellings {
                for text in Self.requests(host) {
                    let before = origin.requests.count
                    for _ in 0..<2 {
                        try client.send(text)
                        let answer = try client.receiveAnswer()
                        #expect(answer.cacheStatus == "none" && answer.status == 200, "\(text)")
                        // A pass keeps the client's spelling.
                        #expect(answer.text == "for \(host)", "\(text)")
                    }
                    #expect(origin.requests.count == before + 2)
                }
            }
            try client.send(request("GET", "/"))
            #expect(try client.receiveAnswer().cacheStatus == "fwd=miss; stored")
        }
    }

    /// The first fetch stores for all spellings and sends the normal form.
    @Test(arguments: [(spellings, "private.example.test"), (addresses, "[2001:db8::1]")])
    func allSpellingsShareAnEntry(spellings: [String], normal: String) throws {
        for first in spellings {
            let origin = try Self.origin()
            try withStage(origin) { stage in
                let client = try stage.client()
                for host in [first] + spellings {
                    for text in Self.requests(host) {
                        try client.send(text)
                        #expect(try client.receiveAnswer().text == "for \(normal)", "\(text)")
                    }
                }
                #expect(origin.requests.count == 1)
                #expect(origin.requests.first?["x-forwarded-host"] == normal)
            }
        }
    }

    /// Another port is another host.
    @Test func portsAreKeptApart() throws {
        let origin = try Self.origin()
        try withStage(origin) { stage in
            let client = try stage.client()
            for (host, expected) in [
                ("Example.com.:8080", "example.com:8080"), ("example.com:8080", "example.com:8080"),
                ("example.com", "example.com"), ("example.com:443", "example.com:443"),
                ("[::01]:81", "[::1]:81"),
            ] {
                try client.send("GET / HTTP/1.1\r\nHost: \(host)\r\n\r\n")
                #expect(try client.receiveAnswer().text == "for \(expected)")
            }
            #expect(origin.requests.count == 4)
        }
    }

    /// HTTP/1.0 only: the server's own address stands in for the host, and nothing is stored.
    @Test(arguments: [
        "GET / HTTP/1.0\r\n", "HEAD / HTTP/1.0\r\n", "GET / HTTP/1.0\r\nHost:\r\n", "POST / HTTP/1.0\r\n",
    ])
    func anHTTP10ClientMayOmitTheHost(head: String) throws {
        let origin = try Self.origin()
        try withStage(origin) { stage in
            for _ in 0..<2 {
                let client = try stage.client()
                try client.send(head + "\r\n")
                let answer = try client.receiveAnswer(toHead: head.hasPrefix("HEAD"))
                #expect(answer.status == 200 && answer.closes)
                #expect(
                    answer.cacheStatus == "fwd=bypass; detail=key")
            }
            #expect(origin.requests.count == 2)
            for request in origin.requests {
                #expect(request.start.hasSuffix("HTTP/1.1"))
                #expect(request["host"] == origin.address.description)
            }
        }
    }

    /// A unix socket has no host name.
    @Test func anHTTP10ClientMayOmitTheHostForAUnixSocket() throws {
        let paths = SocketPaths(1)
        let origin = try ScriptedOrigin(at: try paths.address(0)) { peer, number, origin in
            while let request = try origin.receive(peer, number) {
                try peer.send(answer(request["host"] ?? ""))
            }
        }
        try withStage(origin) { stage in
            let client = try stage.client()
            try client.send("GET / HTTP/1.0\r\n\r\n")
            #expect(try client.receiveAnswer().text == "localhost")
        }
    }

    @Test(arguments: [
        "GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nHost:\r\n\r\n", "GET / HTTP/1.1\r\nHost: a..b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: .\r\n\r\n", "GET / HTTP/1.1\r\nHost: a..\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a:080\r\n\r\n", "GET / HTTP/1.1\r\nHost: a%2eb\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", "GET / HTTP/1.1\r\nHost: [1:2]\r\n\r\n",
        "GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n", "GET http://a/ HTTP/1.1\r\nHost: a:81\r\n\r\n",
    ])
    func aMalformedHostIsRefused(text: String) throws {
        let origin = try Self.origin()
        try withStage(origin) { stage in
            let client = try stage.client()
            try client.send(text)
            #expect(try client.receiveAnswer().status == 400)
            #expect(origin.requests.isEmpty)
        }
    }

    @Test(arguments: [
        (String(repeating: "M", count: 20_000), 501), ("GET /" + String(repeating: "a", count: 20_000), 414),
        ("GET / HTTP/1.1\r\nHost: a\r\nA: " + String(repeating: "a", count: 20_000), 431),
        ("GET / HTTP/1.1\r\nHost: a\r\n" + String(repeating: "A: b\r\n", count: 120) + "\r\n", 431),
        ("GET / HTTP/1.1" + String(repeating: "1", count: 20_000), 400),
        ("GET / HTTP/2.0\r\n\r\n", 505), ("TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", 501),
    ])
    func anOverlongHostIsRefused(text: String, status: Int) throws {
        let origin = try Self.origin()
        try withStage(origin) { stage in
            let client = try stage.client()
            try client.send(text)
            #expect(try client.receiveAnswer().status == status)
        }
    }
}
