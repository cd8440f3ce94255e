// A request that returns to its Larder is answered 508 at once. Two Larders one behind the other pass it on.

import Kernel
import DataPlane
import DataPlaneHarness
import Settings
import Testing

struct LoopTests {
    /// A Larder whose upstream is its own listener.
    private static func loop(cdnID: String? = nil, _ body: (Stage) throws -> Void) throws {
        let paths = SocketPaths(1)
        let own = try paths.address(0)
        let unused = try ScriptedOrigin(answering: { _ in answer("never") })
        try withStage(
            unused, servers: [own],
            settings: { settings in
                settings.cdnID = cdnID
                if let bind = BindAddress(parsing: "unix:\(paths.paths[0])") {
                    settings.listeners = [Settings.Listener(bind: bind)]
                }
            }
        ) { stage in
            try body(stage)
            try stage.settled("a loop")
        }
    }

    @Test(arguments: [
        request("GET", "/"), request("HEAD", "/"), request("POST", "/", body: "text"),
        request("GET", "/", ["Cookie: a"]), request("GET", "/", ["CDN-Loop: other"]),
        request("GET", "/", ["CDN-Loop: a;b=\"c", "Connection: CDN-Loop"]), request("PROPFIND", "/"),
        request("GET", "/", ["Upgrade: websocket", "Connection: upgrade"]),
        "GET / HTTP/1.0\r\n\r\n",
    ])
    func aLoopIsDetected(text: String) throws {
        for id in [nil, "edge-1.example.com"] {
            try Self.loop(cdnID: id) { stage in
                for _ in 0..<2 {
                    let client = try stage.client()
                    try client.send(text)
                    let answer = try client.receiveAnswer(toHead: text.hasPrefix("HEAD"))
                    #expect(answer.status == 508)
                    #expect(answer["cache-control"] == "no-store")
                }
                // Logged once on the way out and once on the way back.
                #expect(stage.server.figures[0].requests == 2)
            }
        }
    }

    /// Many requests for one key cause one fetch. It returns to this Larder, and must not wait for itself.
    @Test func aReturningFetchDoesNotWaitForItself() throws {
        try Self.loop { stage in
            let crowd = try stage.crowd(20)
            for client in crowd { #expect(try client.receiveAnswer().status == 508) }
        }
    }

    /// Each tier has an id of its own and keeps the CDN-Loop members of other tiers.
    @Test(arguments: [([], 0), (["CDN-Loop: other;v=1, third"], 1), (["CDN-Loop: a", "CDN-Loop: b"], 2)])
    func twoTiersPassItOn(fields: [String], others: Int) throws {
        for target in ["/miss", "/pass"] {
            let origin = try ScriptedOrigin(answering: { _ in cacheable("text") })
            try withStage(origin) { inner in
                let none = try ScriptedOrigin(answering: { _ in answer("never") })
                try withStage(none, servers: [inner.address]) { outer in
                    let client = try outer.client()
                    let extra = target == "/pass" ? ["Authorization: Basic eA=="] : []
                    try client.send(
                        request("GET", target, fields + extra + ["Connection: cdn-loop"]))
                    #expect(try client.receiveAnswer().text == "text")
                }
                let lines = origin.requests[0].fields.filter { $0.name.lowercased() == "cdn-loop" }.map(
                    \.value)
                #expect(lines.count == others + 2 && Set(lines).count == lines.count)
                #expect(lines.prefix(others).map { "CDN-Loop: \($0)" } == fields)
                for line in lines.suffix(2) { #expect(line.hasPrefix("larder-") && line.utf8.count == 23) }
            }
        }
    }

    /// The same machine and listeners give the same id; others give another.
    @Test func theIDFollowsFromMachineAndListeners() throws {
        let paths = SocketPaths(1)
        func id() throws -> String? {
            let origin = try ScriptedOrigin(answering: { _ in answer("text") })
            var seen: String?
            try withStage(
                origin,
                settings: { settings in
                    if let bind = BindAddress(parsing: "unix:\(paths.paths[0])") {
                        settings.listeners = [Settings.Listener(bind: bind)]
                    }
                }
            ) { stage in
                _ = try stage.ask("GET", "/")
                seen = origin.requests[0]["cdn-loop"]
            }
            return seen
        }
        let first = try id()
        #expect(try first != nil && id() == first)
    }

    @Test(arguments: [
        ("127.0.0.1:8080", "127.0.0.1:8080", true), ("0.0.0.0:8080", "127.0.0.1:8080", true),
        ("0.0.0.0:8080", "127.9.9.9:8080", true), ("127.0.0.1:8080", "0.0.0.0:8080", true),
        ("0.0.0.0:8080", "0.0.0.0:8080", true), ("127.0.0.1:8080", "127.0.0.1:8081", false),
        ("127.0.0.1:8080", "127.0.0.2:8080", false), ("127.0.0.1:8080", "localhost:8080", true),
        ("0.0.0.0:8080", "localhost:8080", true), ("0.0.0.0:8080", "192.0.2.1:8080", false),
        ("192.0.2.1:8080", "0.0.0.0:8080", false), ("[::]:8080", "[::1]:8080", true),
        ("[::1]:8080", "[::1]:8080", true), ("[::1]:8080", "127.0.0.1:8080", false),
        ("[::]:8080", "127.0.0.1:8080", false), ("[::]:8080", "[2001:db8::1]:8080", false),
        ("unix:/run/larder.sock", "unix:/run/larder.sock", true),
        ("unix:/run/a.sock", "unix:/run/b.sock", false),
        ("127.0.0.1:0", "127.0.0.1:0", false), ("0.0.0.0:8080", "no-such-name.invalid:8080", false),
    ])
    func ownListenersAreFound(bind: String, server: String, isFound: Bool) throws {
        let bind = try #require(BindAddress(parsing: bind))
        let address = try #require(
            ServerAddress(parsing: server) ?? (server.hasSuffix(":0") ? .host("127.0.0.1", port: 0) : nil))
        var settings = Settings()
        settings.listeners = [Settings.Listener(bind: bind)]
        settings.upstreams = [
            Upstream(name: "other", origin: .servers([.init(.host("192.0.2.7", port: 1))])),
            Upstream(name: "app", origin: .servers([.init(.host("192.0.2.8", port: 1)), .init(address)])),
        ]
        let found = OwnListeners.find(in: settings)
        #expect(found.map(\.upstream) == (isFound ? [1] : []) && found.map(\.server) == (isFound ? [1] : []))
    }
}
