import Bytes
import Kernel
import SystemPackage
import Testing

// Shared by the socket tests. They wait by the kernel's own readiness, with a bound; nothing sleeps.

struct Unexpected: Error {
    let what: String
}

/// Both ends of an accepted connection.
struct Connection: ~Copyable {
    var client: Socket
    var server: Socket
    let peer: SocketAddress
}

/// Waits until `raw` has an event and returns it.
func ready(_ raw: CInt) throws -> Event {
    var poller = try Poller()
    try poller.addReadable(raw, token: 1)
    guard poller.wait(timeoutMilliseconds: 10_000) == 1 else { throw Unexpected(what: "nothing in 10 s") }
    return poller[0]
}

/// The address of a listener.
func bound(_ listener: borrowing Listener) throws -> SocketAddress {
    guard let address = listener.localAddress else { throw Unexpected(what: "no local address") }
    return address
}

func acceptOne(_ listener: borrowing Listener) throws -> Accepted {
    _ = try ready(listener.raw)
    switch listener.accept() {
    case .connection(let accepted): return accepted
    case .wouldBlock: throw Unexpected(what: "wouldBlock")
    case .descriptorLimit: throw Unexpected(what: "descriptorLimit")
    case .failed(let error): throw error
    }
}

func connection(at address: SocketAddress = .anyLoopbackPort) throws -> Connection {
    let listener = try Listener.bind(address)
    let connecting = try Socket.connect(to: bound(listener))
    let accepted = try acceptOne(listener)
    let peer = accepted.peer
    return Connection(client: connecting.socket, server: accepted.socket, peer: peer)
}

func buffer(_ text: String) -> ByteBuffer {
    var buffer = ByteBuffer(capacity: text.utf8.count)
    buffer.append(text: text)
    return buffer
}

/// Reads until `count` bytes have come or the stream ends.
func receive(_ count: Int, from socket: borrowing Socket) throws -> [UInt8] {
    var received = ByteBuffer(capacity: 65536)
    while received.count < count {
        switch socket.receive(into: &received, atMost: 65536) {
        case .bytes: continue
        case .wouldBlock: _ = try ready(socket.raw)
        case .endOfStream: return received.span.copied
        case .failed(let error): throw error
        }
    }
    return received.span.copied
}

func text(_ count: Int, from socket: borrowing Socket) throws -> String {
    String(decoding: try receive(count, from: socket), as: UTF8.self)
}

/// A directory of its own in the temporary directory, removed by `deinit`.
struct TemporaryDirectory: ~Copyable {
    let path: String

    init() throws {
        let name = "/tmp/larder-\(ProcessInfoID.current)-\(UInt64.random(in: 0 ... .max))"
        try makeDirectory(name)
        path = name
    }

    deinit { removeDirectory(path) }
}
