// Lines of the access log for exchanges with an unusual end: clients that leave, connections with many
// requests, servers that fail, proxies in front.

import Kernel
import Logging
import DataPlane
import DataPlaneHarness
import Settings
import Synchronization
import Testing

struct LogEndTests {
    static let large = String(repeating: "b", count: 4 << 20)

    /// Every byte that a client gets is counted in one line: pipelined requests, kept connections, every kind
    /// of answer.
    @Test func linesAddUpToTheConnectionsBytes() throws {
        let origin = try ScriptedOrigin(answering: { request in
            request.target == "/large" ? cacheable(Self.large) : cacheable("body")
        })
        var counted = 0
        let targets = ["/large", "/a", "/a", "/large", "/b", "/large"]
        let lines = try linesOf(origin, settings: { $0.policies[0].store.maxBodyBytes = 1 << 20 }) { stage in
            let client = try Peer.connectNarrowly(to: stage.address)
            try client.send(targets.map { request("GET", $0) }.joined())
            client.shutdownWrite()
            counted = try client.receiveAll().bytes.count
        }
        #expect(lines.map { $0["target"] } == targets)
        #expect(lines.map(\.bytes).reduce(0, +) == counted && counted > 3 * Self.large.utf8.count)
        #expect(lines.allSatisfy { $0["status"] == "200" && $0.bytes > 4 })
    }

    /// A client that leaves in the middle of a large hit or miss, or before any answer, is logged as 499 with
    /// the bytes that the kernel had taken.
    @Test(arguments: ["/stored", "/passed", "/never"])
    func aClientThatLeavesIs499(target: String) throws {
        let (arrived, release) = (Gate(), Gate())
        let origin = try ScriptedOrigin { peer, connection, origin in
            while let request = try origin.receive(peer, connection) {
                arrived.open()
                switch request.target {
                case "/stored": try peer.send(cacheable(Self.large))
                case "/passed": try peer.send(answer(Self.large))
                default:
                    try peer.wait(for: release)
                    return
                }
            }
        }
        let lines = try linesOf(origin, settings: { $0.policies[0].store.maxBodyBytes = 8 << 20 }) { stage in
            if target == "/stored" { _ = try stage.ask("GET", target) }
            let client = try Peer.connectNarrowly(to: stage.address)
            try client.send(request("GET", target))
            if target == "/never" { try arrived.wait() } else { _ = try client.receive(100) }
            try stage.turn()
            client.reset()
            try stage.turn()
            release.open()
        }
        let line = try #require(lines.first { $0["status"] == "499" }, "\(lines)")
        #expect(line["target"] == target && line["cause"] == "client-left")
        let range = target == "/never" ? 0...0 : 100...(Self.large.utf8.count)
        #expect(range.contains(line.bytes), "\(line)")
        #expect(lines.count { $0["target"] == target } == (target == "/stored" ? 2 : 1))
    }

    /// A client that gives up waiting closes. Larder sees that when the kernel refuses its answer. A client
    /// that only ended its own side gets the answer.
    @Test(arguments: [true, false])
    func aClientThatClosesWhileItWaitsIs499(isGone: Bool) throws {
        let (arrived, release) = (Gate(), Gate())
        let origin = try ScriptedOrigin { peer, connection, origin in
            _ = try origin.receive(peer, connection)
            arrived.open()
            try peer.wait(for: release)
            try peer.send(answer("body"))
        }
        let lines = try linesOf(origin) { stage in
            let client = try stage.client()
            try client.send(request("POST", "/", body: "x"))
            try arrived.wait()
            if isGone { client.close() } else { client.shutdownWrite() }
            try stage.turn()
            release.open()
            if !isGone { #expect(try client.receiveAnswer().text == "body") }
            try stage.settled("the answer")
        }
        let line = try #require(lines.last { $0["method"] == "POST" })
        #expect(line["status"] == (isGone ? "499" : "200"), "\(line)")
        #expect(line["cause"] == (isGone ? "client-left" : nil), "\(line)")
    }

    /// A folder of files is an origin like any other.
    @Test func answersFromFilesHaveLines() throws {
        let here = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        var counts: [Int] = []
        let lines = try linesOf(
            servers: [],
            settings: { settings in
                settings.upstreams[0].origin = .files(.init(root: "/\(here)/cache-policies"))
            }
        ) { stage in
            for target in ["/pessimistic.yaml", "/pessimistic.yaml", "/none", "/../"] {
                counts.append(try LogTests.count(stage, request("GET", target)))
            }
        }
        #expect(lines.map(\.bytes) == counts, "\(lines)")
        #expect(lines.map { $0["status"] } == ["200", "200", "404", "404"], "\(lines)")
        #expect(lines[0]["server"] == "app" || lines[0]["server"]?.hasPrefix("app/") == true, "\(lines)")
    }

    /// Requests in progress when Larder is told to stop have a line too.
    @Test func whatAStopCutsOffIsLogged() throws {
        let arrived = Gate()
        let origin = try ScriptedOrigin { peer, connection, origin in
            _ = try origin.receive(peer, connection)
            arrived.open()
            try peer.ending()
        }
        let lines = try linesOf(origin) { stage in
            let client = try stage.client()
            try client.send(request("GET", "/cut"))
            try arrived.wait()
            stage.server.stop()
            try client.ending()
        }
        let line = try #require(lines.last)
        #expect(line["target"] == "/cut" && line["status"] == "0" && line["cause"] == "stopped")
    }

    /// One server refuses the connection and another answers: the line names both.
    @Test func aRetryNamesTheServerThatFailed() throws {
        let origin = try ScriptedOrigin(answering: { _ in answer("body") })
        let dead = try Stage.refusingAddress()
        let lines = try linesOf(origin, servers: [dead, origin.address]) { stage in
            for index in 0..<20 {
                let answer = try stage.ask("GET", "/\(index)")
                #expect(answer.status == 200)
            }
        }
        let retried = lines.filter { $0["choice"] == "retry" }
        #expect(!retried.isEmpty)
        for line in retried {
            #expect(line["cause"] == "refused" && line["failed_server"] == "app/\(dead)")
            #expect(line["server"] == "app/\(origin.address)")
        }
        #expect(lines.allSatisfy { $0["choice"] != nil || $0["cause"] == nil })
    }

    @Test(arguments: [false, true])
    func aDeadServerIsNamedWithItsCause(isStale: Bool) throws {
        let paths = SocketPaths(1)
        let text = cacheable("body", isStale ? "Cache-Control: stale-if-error=1000" : "A: b")
        let origin = try ScriptedOrigin(at: paths.address(0)) { peer, connection, origin in
            while try origin.receive(peer, connection) != nil { try peer.send(text) }
        }
        let clock = steered()
        let lines = try linesOf(
            origin, clock: clock, settings: { $0.upstreams[0].connections.reuse = .never }
        ) { stage in
            _ = try stage.ask("GET", "/")
            clock.advance(milliseconds: 100_000)
            try stage.turn()
            origin.stop()
            let answer = try stage.ask("GET", "/")
            #expect(answer.status == (isStale ? 200 : 502))
            if !isStale {
                #expect(answer.text == "502 Bad Gateway\nThe server refused the connection.\n")
            }
        }
        let line = try #require(lines.last)
        #expect(line["cache"] == (isStale ? "stale" : "miss") && line["cause"] == "refused", "\(line)")
        #expect(line["server"]?.hasPrefix("app/") == true, "\(line)")
    }

    /// The line shows the bytes that break a rule, escaped and bounded in length.
    @Test func theOffendingBytesAreShown() throws {
        let long = "X y: " + String(repeating: "z", count: 500)
        let origin = try ScriptedOrigin(answering: { request in
            request.target == "/long"
                ? "HTTP/1.1 200 OK\r\n\(long)\r\n\r\n" : "HTTP/1.1 200 OK\r\nA: \u{1}\"\r\nB: c\r\n\r\n"
        })
        let lines = try linesOf(origin) { stage in
            let text = try stage.ask("GET", "/short").text
            #expect(text == "502 Bad Gateway\nThe server's answer breaks a rule of HTTP.\n")
            _ = try stage.ask("GET", "/long")
            let client = try stage.client()
            try client.send("GET / HTTP/1.1\r\nHost: a\r\nA\u{1}: c\r\n\r\n")
            #expect(
                try client.receiveAnswer().text
                    == "400 Bad Request\nA header line is not: name, colon, value.\n")
        }
        let found = lines.map { $0["found"] ?? "" }
        #expect(found == [#"A: \u0001\""#, String(long.prefix(96)), #"A\u0001: c"#])
        #expect(lines.map { $0["rule"] } == ["field-value", "field-line", "field-line"])
    }

    /// Behind trusted proxies the client is the last address that is not a trusted proxy.
    @Test(arguments: [
        (["X-Forwarded-For: 198.51.100.9"], "198.51.100.9"),
        (["X-Forwarded-For: 203.0.113.1, 198.51.100.9"], "198.51.100.9"),
        (["X-Forwarded-For: 198.51.100.9, 127.0.0.2, 127.0.0.3"], "198.51.100.9"),
        (["X-Forwarded-For: 203.0.113.1", "X-Forwarded-For: 198.51.100.9:4711"], "198.51.100.9"),
        (["X-Forwarded-For: [2001:db8::1]:443"], "2001:db8::1"), (["X-Forwarded-For: 2001:db8::1"], "2001:db8::1"),
        (["X-Forwarded-For: 127.0.0.3, 127.0.0.2"], "127.0.0.3"),
        (["X-Forwarded-For: 198.51.100.9, unknown, 127.0.0.2"], "127.0.0.2"),
        (["X-Forwarded-For: unknown"], nil), (["X-Forwarded-For: "], nil), ([], nil),
        ([#"Forwarded: for=203.0.113.1, for="[2001:db8::1]:4711";proto=https"#], "2001:db8::1"),
        (["Forwarded: proto=https; for=198.51.100.9"], "198.51.100.9"), (["Forwarded: for=_hidden"], nil),
    ] as [([String], String?)])
    func theClientIsTheAddressThatATrustedProxyNames(fields: [String], client: String?) throws {
        let origin = try ScriptedOrigin(answering: { _ in cacheable("body") })
        for isTrusted in [true, false] {
            let lines = try linesOf(
                origin,
                settings: { settings in
                    if isTrusted { settings.trustedProxies = (try? [AddressRange(parsing: "127.0.0.0/8")]) ?? [] }
                }
            ) { stage in
                let peer = try stage.client()
                for target in ["/", "/", "*"] {
                    let method = target == "*" ? "OPTIONS" : "GET"
                    try peer.send(request(method, target, fields))
                    _ = try peer.receiveAnswer()
                }
            }
            for line in lines {
                let told = isTrusted ? client : nil
                #expect(line["client"] == told ?? "127.0.0.1" && line["peer"] == told.map { _ in "127.0.0.1" })
            }
            #expect(lines.count == 3)
        }
    }

    // MARK: Notices

    private struct Recorder: LogHandler {
        let lines: Lines
        var logLevel = Logger.Level.info
        var metadata: Logger.Metadata = [:]

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let all = (event.metadata ?? [:]).map { "\($0.key)=\($0.value)" }.sorted()
            lines.all.withLock { $0.append(([event.message.description] + all).joined(separator: " ")) }
        }
    }

    private final class Lines: Sendable {
        let all = Mutex<[String]>([])
    }

    /// The first failure is told at once with its cause and a remedy. Later failures are counted. At the end
    /// Larder tells how many responses were stored.
    @Test func aFailingServerCausesANotice() throws {
        let lines = Lines()
        let origin = try ScriptedOrigin(answering: { _ in answer("body") })
        let dead = try Stage.refusingAddress()
        try withStage(
            origin, servers: [dead], notices: Logger(label: "test") { _ in Recorder(lines: lines) },
            settings: { settings in
                settings.upstreams.append(settings.upstreams[0])
                settings.upstreams[1].name = "live"
                settings.upstreams[1].origin = .servers([.init(origin.address.asServer)])
                settings.routes.insert(Route(name: "live", policy: 0, upstream: 1), at: 0)
                settings.routes[0].path = Array("/live".utf8)
            }
        ) { stage in
            #expect(try stage.ask("GET", "/a").status == 502)
            let first: String = try stage.eventually("a notice of the dead server") {
                lines.all.withLock { $0.first { $0.contains("cause=refused") } }
            }
            #expect(first.hasPrefix("The server refused the connection. "))
            #expect(first.contains("remedy=answered 502 requests=1 server=app/\(dead)"))
            for _ in 0..<10 { #expect(try stage.ask("GET", "/a").status == 502) }
            for _ in 0..<3 { #expect(try stage.ask("GET", "/live").status == 200) }
        }
        let all = lines.all.withLock { $0 }
        #expect(all.count { $0.contains("cause=refused") } == 2, "\(all)")
        #expect(all.contains { $0.contains("remedy=10 answered 502 requests=10") }, "\(all)")
        let share = "0 of 3 answers stored; not stored: 100 % no-freshness (see larder reasons no-freshness)"
        #expect(all.contains(share), "\(all)")
    }
}
