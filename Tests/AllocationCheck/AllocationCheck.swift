// Counts the allocations of the data plane for each answer from the store. There must be none.
//
// `swift run -c release AllocationCheck` prints a line for each kind of hit and fails if one allocates, or
// allocates more often per hit than an argument allows. Under a sanitizer nothing is counted, and the program
// says so.

import AllocationCounter
import Bytes
import Glibc
import Kernel
import Logging
import DataPlane
import Settings
import Store
import SystemPackage

struct Unexpected: Error { let what: String }

/// One client connection that sends a request repeatedly and reads answers of one size.
final class Client {
    private let socket: Socket
    private var poller: Poller
    private var received: [UInt8] = []

    init(_ address: SocketAddress) throws {
        let connecting = try Socket.connect(to: address)
        poller = try Poller(capacity: 2)
        try poller.add(connecting.socket.raw, token: 1)
        socket = connecting.socket
    }

    func send(_ bytes: [UInt8]) throws {
        var sent = 0
        while sent < bytes.count {
            switch socket.send(bytes.span.extracting(droppingFirst: sent)) {
            case .bytes(let n): sent += n
            case .wouldBlock: try wait()
            case .endOfStream, .failed: throw Unexpected(what: "the connection ended")
            }
        }
    }

    private func wait() throws {
        guard poller.wait(timeoutMilliseconds: 30_000) > 0 else {
            throw Unexpected(what: "nothing came for 30 s")
        }
    }

    /// Receives an answer; returns its head.
    func answer(bodiless: Bool) throws -> String {
        received.removeAll()
        let headEnd = Array("\r\n\r\n".utf8)
        while true {
            if let end = (0..<max(0, received.count - 3)).first(where: {
                received[$0..<($0 + 4)].elementsEqual(headEnd)
            }) {
                let head = String(decoding: received[..<end], as: UTF8.self)
                if bodiless { return head }
                let length = head.split(separator: "\r\n").first { $0.hasPrefix("Content-Length: ") }
                if let length, let count = Int(length.dropFirst(16)) {
                    while received.count < end + 4 + count { try receiveSome() }
                } else {
                    let lastChunk = Array("\r\n0\r\n\r\n".utf8)
                    while !received.suffix(7).elementsEqual(lastChunk) { try receiveSome() }
                }
                return head
            }
            try receiveSome()
        }
    }

    private func receiveSome() throws {
        var buffer = ByteBuffer(capacity: 65_536)
        while true {
            switch socket.receive(into: &buffer, atMost: 65_536) {
            case .bytes:
                received += buffer.span.copied
                return
            case .wouldBlock: try wait()
            case .endOfStream, .failed: throw Unexpected(what: "the connection ended")
            }
        }
    }
}

/// Answers each request with a body as long as the path says; /t… is text.
func serveOrigin(_ listener: borrowing Listener) throws {
    larder_allocations_exclude_thread()
    var poller = try Poller(capacity: 2)
    try poller.addReadable(listener.raw, token: 1)
    _ = poller.wait(timeoutMilliseconds: 30_000)
    guard case .connection(let accepted) = listener.accept() else { throw Unexpected(what: "no connection") }
    var ready = try Poller(capacity: 2)
    try ready.add(accepted.socket.raw, token: 1)
    while true {
        _ = ready.wait(timeoutMilliseconds: nil)
        var request = ByteBuffer(capacity: 65_536)
        switch accepted.socket.receive(into: &request, atMost: 65_536) {
        case .bytes: break
        case .wouldBlock: continue
        case .endOfStream, .failed: return
        }
        let path = request.span.string.dropFirst(5)
        let isText = path.hasPrefix("t")
        let digits = path.dropFirst(isText ? 1 : 0).prefix { $0.isNumber }
        let body = String(repeating: "x", count: Int(digits) ?? 0)
        let text =
            "HTTP/1.1 200 OK\r\nContent-Type: \(isText ? "text/plain" : "image/png")\r\nETag: \"v\"\r\nVary: Accept-Encoding\r\n"
            + "Cache-Control: max-age=600\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
        let bytes = Array(text.utf8)
        var sent = 0
        while sent < bytes.count {
            if case .bytes(let n) = accepted.socket.send(bytes.span.extracting(droppingFirst: sent)) {
                sent += n
            }
        }
    }
}

/// A kind of hit.
struct Kind {
    let name: String
    let request: String
    let bodiless: Bool

    init(
        _ name: String, _ path: String, _ fields: String = "", method: String = "GET", bodiless: Bool = false
    ) {
        self.name = name
        self.bodiless = bodiless
        request =
            "\(method) \(path) HTTP/1.1\r\nHost: example.com\r\nUser-Agent: check\r\nAccept: */*\r\n"
            + "Accept-Encoding: gzip, deflate, br\r\n\(fields)\r\n"
    }
}

@main
struct AllocationCheck {
    static let rounds = 2000
    static let kinds = [
        Kind("1 KiB", "/1024"), Kind("16 KiB", "/16384"), Kind("br", "/t16384"),
        Kind("HEAD", "/1024", method: "HEAD", bodiless: true),
        Kind("304", "/1024", "If-None-Match: \"v\"\r\n", bodiless: true),
        Kind(
            "a query and cookies", "/1024?a=b&c=d", "Cookie: a=b\r\nReferer: http://example.com/\r\n"),
    ]

    static func main() throws {
        larder_allocations_exclude_thread()
        let bound = CommandLine.arguments.dropFirst().first.flatMap { UInt64($0) } ?? 0
        guard larder_allocations_are_counted() == 1 else {
            print("not counted: a sanitizer has malloc")
            return
        }
        let listener = try Listener.bind(.anyLoopbackPort)
        guard let origin = listener.localAddress else { throw Unexpected(what: "no address") }
        let thread = try Thread.spawn(name: "origin", seed: listener) { listener in
            do { try serveOrigin(listener) } catch { print("origin: \(error)") }
        }
        var settings = Settings()
        if let bind = BindAddress(parsing: "127.0.0.1:0") { settings.listeners = [.init(bind: bind)] }
        var policy = Policy(name: "check")
        policy.store.cookies = .strip
        settings.policies = [policy]
        settings.routes = [Route(name: "all", policy: 0, upstream: 0)]
        settings.upstreams = [
            Upstream(name: "app", origin: .servers([.init(.host("127.0.0.1", port: origin.port))]))
        ]
        settings.log.access = .none
        let store = try Store.create(StoreOptions(memory: 16 << 20, rows: 4))
        let server = try Server(
            settings, threads: 1, store: store,
            notices: Logger(label: "check") { _ in SwiftLogNoOpLogHandler() })
        // The end of the start allocates beside the first hits. Those allocations are not counted.
        _ = try allocations(of: kinds[0], at: server.addresses[0])
        var failed = false
        for kind in kinds {
            let count = try allocations(of: kind, at: server.addresses[0])
            print("\(kind.name): \(count) allocations in \(rounds) hits")
            if count > bound * UInt64(rounds) { failed = true }
        }
        server.stop()
        server.join()
        thread.join()
        if failed {
            print("more than \(bound) for each")
            exit(1)
        }
    }

    /// The allocations of the worker for `rounds` requests on one connection that was used before.
    static func allocations(of kind: Kind, at address: SocketAddress) throws -> UInt64 {
        let client = try Client(address)
        let bytes = Array(kind.request.utf8)
        // The first requests fill the store and let buffers reach their size.
        for _ in 0..<20 {
            try client.send(bytes)
            _ = try client.answer(bodiless: kind.bodiless)
        }
        let before = larder_allocations()
        for _ in 0..<rounds {
            try client.send(bytes)
            let head = try client.answer(bodiless: kind.bodiless)
            guard head.contains("larder; hit") else { throw Unexpected(what: "no hit: \(head)") }
        }
        return larder_allocations() - before
    }
}
