// The data plane under test, in this process, in front of scripted origins. A test sets it up and it is taken
// down after the test.

internal import Glibc
package import Kernel
package import Logging
package import DataPlane
package import Settings
package import Store
internal import SystemPackage

package struct Stage {
    package let server: Server
    package let store: Store
    package let origins: [ScriptedOrigin]

    package var address: SocketAddress { server.addresses[0] }
    package var origin: ScriptedOrigin { origins[0] }

    package func client() throws -> Peer { try Peer.connect(to: address) }

    /// One request on a connection of its own.
    package func ask(
        _ method: String = "GET", _ target: String, _ fields: String..., body: String = ""
    ) throws -> Message {
        let client = try client()
        try client.send(request(method, target, fields, body: body))
        return try client.receiveAnswer(toHead: method == "HEAD")
    }

    /// Returns once Larder has processed what was sent to it before this call, for connections of one thread.
    /// Events come in the order of arrival: an answer to a later request proves that the earlier bytes were
    /// read.
    package func turn() throws {
        for _ in 0..<2 {
            let answer = try ask("OPTIONS", "*")
            guard answer.status == 204 else {
                throw Unexpected(description: "OPTIONS * came to \(answer.start)")
            }
        }
    }

    /// Waits until the store has an answer for `target`, without a request to the origin.
    package func stored(_ target: String) throws -> Message {
        try eventually("\(target) is stored") {
            let answer = try ask("GET", target, "Cache-Control: only-if-cached")
            return answer.status == 504 ? nil : answer
        }
    }

    /// Waits until no exchange with a server is in flight.
    package func settled(_ what: String) throws {
        _ = try eventually("nothing in flight after \(what): \(server.figures)") {
            server.figures.allSatisfy { $0.inFlight == 0 } ? true : nil
        }
    }

    /// Repeats `body` until it returns a value. Throws after the usual patience.
    package func eventually<T>(_ what: String, _ body: () throws -> T?) throws -> T {
        let deadline = Clock.monotonicMilliseconds() + UInt64(Peer.patienceMilliseconds)
        while Clock.monotonicMilliseconds() < deadline { if let found = try body() { return found } }
        throw Unexpected(description: "did not happen within 30 s: \(what)")
    }

    /// The address of a server that does not listen: connections to it are refused.
    package static func refusingAddress() throws -> SocketAddress {
        let listener = try Listener.bind(.ownLoopback())
        guard let address = listener.localAddress else { throw Unexpected(description: "no address") }
        return address
    }
}

/// The bytes of a request.
package func request(
    _ method: String = "GET", _ target: String, _ fields: [String] = [], body: String = ""
) -> String {
    var text = "\(method) \(target) HTTP/1.1\r\nHost: example.com\r\n"
    for field in fields { text += "\(field)\r\n" }
    if !body.isEmpty || method == "POST" || method == "PUT" {
        text += "Content-Length: \(body.utf8.count)\r\n"
    }
    return text + "\r\n" + body
}

extension Settings {
    /// Settings with one listener on loopback, one route with a default policy, and one upstream of these
    /// servers.
    package static func staged(_ servers: [SocketAddress]) -> Settings {
        var settings = Settings()
        if let bind = BindAddress(parsing: SocketAddress.ownLoopback().description) { settings.listeners = [Listener(bind: bind)] }
        settings.policies = [Policy(name: "pessimistic")]
        settings.routes = [Route(name: "all", policy: 0, upstream: 0)]
        settings.upstreams = [
            Upstream(
                name: "app",
                origin: .servers(servers.map { .init($0.asServer) }))
        ]
        settings.log.access = .none
        settings.limits.connections = 200
        return settings
    }
}

/// Paths for unix sockets. `deinit` removes the files.
package struct SocketPaths: ~Copyable {
    package let paths: [String]

    package init(_ count: Int) {
        let name = "/tmp/larder-test-\(UInt64.random(in: 0 ... .max))"
        paths = (0..<count).map { "\(name)-\($0)" }
    }

    package func address(_ index: Int) throws -> SocketAddress {
        guard let address = SocketAddress.unix(path: paths[index]) else {
            throw Unexpected(description: "no path")
        }
        return address
    }

    // The string is read during the call.
    deinit { for path in paths { _ = unsafe unlink(path) } }
}

/// Sets up Larder in front of `origins`, runs `body`, takes everything down, and throws the errors of
/// scripts.
/// - Parameters:
/// - clock: the clock that ages are counted on. Default: the kernel's clocks.
/// - notices: where the server writes its notices. Default: nowhere.
package func withStage(
    _ origins: ScriptedOrigin..., threads: Int = 1, servers: [SocketAddress]? = nil, memory: Int = 4 << 20,
    segment: Int? = nil, clock: SteeredClock? = nil,
    notices: Logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }), settings change: (inout Settings) -> Void = { _ in },
    _ body: (Stage) throws -> Void
) throws {
    var settings = Settings.staged(servers ?? origins.map(\.address))
    change(&settings)
    let store = try Store.create(
        StoreOptions(memory: memory, rows: 8, segmentBytes: segment), bans: .purgeScopes)
    let server = try Server(
        settings, threads: threads, store: store, clock: clock,
        notices: notices)
    defer {
        server.stop()
        server.join()
        for origin in origins { origin.stop() }
    }
    try body(Stage(server: server, store: store, origins: origins))
    for origin in origins where !origin.complaints.isEmpty {
        throw Unexpected(description: "errors in an origin's script: \(origin.complaints)")
    }
}
