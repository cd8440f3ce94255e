// An origin server whose every byte a test decides: one thread accepts, each connection runs the script on a
// thread of its own. What it saw is kept: requests in their order, and on which connection each came.

internal import Bytes
package import Kernel
internal import SystemPackage

package final class ScriptedOrigin: Sendable {
    /// Runs on the connection's thread; `number` counts connections from 0. Returning closes.
    package typealias Script =
        @Sendable (_ peer: Peer, _ number: Int, _ origin: ScriptedOrigin) throws -> Void

    package struct Seen: Sendable {
        package let connection: Int
        package let request: Message
    }

    private struct State {
        var seen: [Seen] = []
        var connections = 0
        var complaints: [String] = []
        var threads: [RunningThread] = []
    }

    package let address: SocketAddress
    private let script: Script
    private let stopGate = Gate()
    private let state = Locked(State())
    private let changes = Gate()

    /// - Parameter narrow: takes little at once (see `Peer.narrow`).
    package init(
        at bind: SocketAddress = .anyLoopbackPort, narrow: Bool = false, _ script: @escaping Script
    ) throws {
        let listener = try Listener.bind(bind)
        if narrow { try Peer.narrow(listener.raw) }
        guard let address = listener.localAddress else { throw Unexpected(description: "no address") }
        self.address = address
        self.script = script
        try spawn(AcceptSeed(listener: listener, origin: self)) { $0.origin.accept($0.listener) }
    }

    /// Answers each request with what `respond` makes of it: any number of requests a connection.
    package convenience init(answering respond: @escaping @Sendable (Message) -> String) throws {
        try self.init { peer, number, origin in
            while let request = try origin.receive(peer, number) { try peer.send(respond(request)) }
        }
    }

    /// The next request of a connection, noted.
    package func receive(_ peer: Peer, _ number: Int) throws -> Message? {
        guard let request = try peer.receiveRequest() else { return nil }
        note(request, number)
        return request
    }

    package func note(_ request: Message, _ number: Int) {
        state.withLock { $0.seen.append(Seen(connection: number, request: request)) }
    }

    package var seen: [Seen] { state.withLock { $0.seen } }
    package var requests: [Message] { seen.map(\.request) }
    package var connections: Int { state.withLock { $0.connections } }
    /// What scripts threw that a test should hear of.
    package var complaints: [String] { state.withLock { $0.complaints } }

    /// Ends every script and waits for their threads.
    package func stop() {
        stopGate.open()
        while let thread = state.withLock({ $0.threads.popLast() }) { thread.join() }
    }

    // MARK: Threads

    private struct AcceptSeed: ~Copyable, Sendable {
        let listener: Listener
        let origin: ScriptedOrigin
    }

    private struct ConnectionSeed: ~Copyable, Sendable {
        var socket: Socket?
        let number: Int
        let origin: ScriptedOrigin
    }

    private func spawn<Seed: ~Copyable & Sendable>(
        _ seed: consuming Seed, body: @escaping @Sendable (consuming Seed) -> Void
    ) throws {
        let thread = RunningThread(try Thread.spawn(name: "origin", seed: seed, body: body))
        state.withLock { $0.threads.append(thread) }
    }

    private func accept(_ listener: borrowing Listener) {
        do {
            var poller = try Poller(capacity: 2)
            try poller.addReadable(listener.raw, token: 1)
            try poller.addReadable(stopGate.raw, token: 2)
            while true {
                let count = poller.wait(timeoutMilliseconds: nil)
                for index in 0..<count where poller[index].token == 2 { return }
                while case .connection(let accepted) = listener.accept() {
                    let number = state.withLock { state in
                        state.connections += 1
                        return state.connections - 1
                    }
                    try spawn(ConnectionSeed(socket: accepted.socket, number: number, origin: self)) { seed in
                        var seed = seed
                        if let socket = seed.socket.take() { seed.origin.run(socket, seed.number) }
                    }
                }
            }
        } catch {
            complain(error)
        }
    }

    private func run(_ socket: consuming Socket, _ number: Int) {
        do {
            let peer = try Peer(socket, stop: stopGate)
            try script(peer, number, self)
            peer.close()
        } catch is Stopped {
        } catch is Reset {
        } catch {
            complain(error)
        }
    }

    private func complain(_ error: any Error) { state.withLock { $0.complaints.append("\(error)") } }
}

/// Holds a thread's handle until it is joined.
