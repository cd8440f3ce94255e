// One end of a connection that a test holds. Calls block, every wait has a deadline, and bytes are passed on
// unchanged. It waits by the kernel's readiness. One thread uses a peer.

internal import Bytes
package import Kernel
internal import SystemPackage

package struct Unexpected: Error, CustomStringConvertible {
    package let description: String

    package init(description: String) { self.description = description }
}
/// The peer reset the connection.
package struct Reset: Error {}
/// The stage is being taken down: the threads of origins end.
package struct Stopped: Error {}

/// How a connection ended.
package enum Ending: Equatable { case end, reset }

package final class Peer {
    package static let patienceMilliseconds = 30_000

    private var socket: Socket?
    private var poller: Poller
    private let stop: Gate?
    /// Received and not yet consumed.
    package private(set) var inbox: [UInt8] = []
    package private(set) var ended = false

    package init(_ socket: consuming Socket, stop: Gate? = nil) throws {
        poller = try Poller(capacity: 4)
        try poller.add(socket.raw, token: 1)
        if let stop { try poller.addReadable(stop.raw, token: 2) }
        self.stop = stop
        self.socket = consume socket
    }

    package static func connect(to address: SocketAddress) throws -> Peer {
        let connecting = try Socket.connect(to: address)
        let inProgress = connecting.inProgress
        let peer = try Peer(connecting.socket)
        if inProgress { try peer.finishConnecting() }
        return peer
    }

    private func finishConnecting() throws {
        try wait(until: Self.deadline())
        if let error = socket?.connectError() { throw error }
    }

    private static func deadline() -> UInt64 { Clock.monotonicMilliseconds() + UInt64(patienceMilliseconds) }

    private func wait(until deadline: UInt64) throws {
        let now = Clock.monotonicMilliseconds()
        guard now < deadline else {
            throw Unexpected(description: "nothing happened for 30 s; inbox \(inbox.text.prefix(400))")
        }
        let count = poller.wait(timeoutMilliseconds: Int(deadline - now))
        for index in 0..<count where poller[index].token == 2 { throw Stopped() }
    }

    /// Waits until the gate opens. Throws `Stopped` if the stage is taken down first.
    package func wait(for gate: Gate) throws { try gate.wait(stop: stop) }

    // MARK: Sending

    package func send(_ text: String) throws { try send(Array(text.utf8)) }

    package func send(_ bytes: [UInt8]) throws {
        var sent = 0
        let deadline = Self.deadline()
        while sent < bytes.count {
            switch try sendSome(bytes[sent...]) {
            case 0: try wait(until: deadline)
            case let n: sent += n
            }
        }
    }

    /// Sends as many bytes as the socket takes at once.
    package func sendSome(_ bytes: ArraySlice<UInt8>) throws -> Int {
        guard let result = socket?.send(bytes.span) else { throw Unexpected(description: "closed here") }
        switch result {
        case .bytes(let n): return n
        case .wouldBlock: return 0
        case .endOfStream, .failed: throw Reset()
        }
    }

    /// Sends copies of `block` until `limit` bytes are sent, or until the socket takes no byte before and
    /// after a call of `settled`. Returns the number of bytes sent.
    package func flood(_ block: [UInt8], limit: Int, settled: () throws -> Void) throws -> Int {
        var total = 0
        while total < limit {
            let before = total
            while total < limit {
                let n = try sendSome(block[..<min(block.count, limit - total)])
                if n == 0 { break }
                total += n
            }
            // The socket took nothing before and after `settled`: the other side does not read.
            try settled()
            if total == before { return total }
        }
        return total
    }

    package func shutdownWrite() { socket?.shutdownWrite() }

    package func close() { socket = nil }

    /// Closes with a reset.
    package func reset() {
        socket?.setLingerReset()
        socket = nil
    }

    package var localPort: UInt16 { socket?.localAddress?.port ?? 0 }

    // MARK: Receiving

    /// Takes some bytes into the inbox; false at the end of the stream.
    package func receiveSome(limit: Int = 65_536) throws -> Bool {
        let deadline = Self.deadline()
        var scratch = ByteBuffer(capacity: limit)
        while true {
            guard let result = socket?.receive(into: &scratch, atMost: limit) else {
                throw Unexpected(description: "closed here")
            }
            switch result {
            case .bytes:
                inbox += scratch.span.copied
                return true
            case .wouldBlock: try wait(until: deadline)
            case .endOfStream:
                ended = true
                return false
            case .failed: throw Reset()
            }
        }
    }

    /// Whether the connection is open and no byte has come, as far as the kernel knows now.
    package func isQuiet() -> Bool {
        var scratch = ByteBuffer(capacity: 1)
        guard inbox.isEmpty, let result = socket?.receive(into: &scratch, atMost: 1) else { return false }
        if case .wouldBlock = result { return true }
        return false
    }

    package func receive(_ count: Int) throws -> [UInt8] {
        while inbox.count < count {
            guard try receiveSome() else {
                throw Unexpected(
                    description: "end after \(inbox.count) of \(count) bytes: \(inbox.text.prefix(200))")
            }
        }
        return take(count)
    }

    package func take(_ count: Int) -> [UInt8] {
        defer { inbox.removeFirst(count) }
        return Array(inbox[..<count])
    }

    /// All bytes until the connection ends, and how it ended.
    package func receiveAll() throws -> (bytes: [UInt8], ending: Ending) {
        do {
            while try receiveSome() {}
            return (take(inbox.count), .end)
        } catch is Reset {
            return (take(inbox.count), .reset)
        }
    }

    /// Waits for the end of the stream. Throws if a byte comes first.
    @discardableResult
    package func ending() throws -> Ending {
        let (bytes, ending) = try receiveAll()
        guard bytes.isEmpty else {
            throw Unexpected(description: "bytes before the end: \(bytes.text.prefix(400))")
        }
        return ending
    }
}

/// A signal between threads: any thread may open it, and several may wait for it.
package final class Gate: Sendable {
    private let counter: EventCounter

    package init() {
        do { counter = try EventCounter() } catch { preconditionFailure("no event counter: \(error)") }
    }

    package var raw: CInt { counter.raw }

    package func open() { counter.signal() }

    /// Closes the gate so that it can be used again.
    package func close() { counter.drain() }

    /// Waits until the gate was opened `count` times since it was made or closed.
    package func wait(count: Int) throws {
        var left = count
        while left > 0 {
            try wait()
            left -= drained
        }
    }

    /// How many times the gate was opened since it was made or closed. Closes it.
    package var drained: Int { counter.drain() }

    package func wait(stop: Gate? = nil) throws {
        var poller = try Poller(capacity: 2)
        try poller.addReadable(counter.raw, token: 1)
        if let stop { try poller.addReadable(stop.raw, token: 2) }
        let count = poller.wait(timeoutMilliseconds: Peer.patienceMilliseconds)
        guard count > 0 else { throw Unexpected(description: "a gate stayed shut for 30 s") }
        for index in 0..<count where poller[index].token == 2 { throw Stopped() }
    }
}

extension [UInt8] {
    package var text: String { String(decoding: self, as: UTF8.self) }
}
