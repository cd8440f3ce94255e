/// Descriptors of one thread alone, and how they can be reached from outside.

import Bytes
import Kernel
import SystemPackage
import Testing

@Suite struct DescriptorTableTests {
    private final class Signals: Sendable {
        let ready: EventCounter
        let done: EventCounter

        init() throws {
            ready = try EventCounter()
            done = try EventCounter()
        }

        var descriptors: [CInt] { [ready.raw, done.raw] }
    }

    /// A descriptor that the thread does not keep is closed for the thread alone. A kept one means the same
    /// to both sides. A descriptor that the thread closes stays open for the others.
    @Test func aThreadWithItsOwnTableKeepsOnlyItsDescriptors() throws {
        let signals = try Signals()
        let kept = try Socket.pair()
        let forgotten = try Socket.pair()
        let (keptRaw, forgottenRaw) = (kept.first.raw, forgotten.first.raw)
        let thread = try Thread.spawn(name: "apart", seed: signals) { signals in
            #expect(DescriptorTable.separate(keeping: signals.descriptors + [keptRaw]))
            #expect(!isOpen(forgottenRaw))
            send("abc", from: Socket(owning: Descriptor(owning: keptRaw)))
            #expect(!isOpen(keptRaw))
            signals.ready.signal()
            signals.done.wait(timeoutMilliseconds: nil)
        }
        #expect(signals.ready.wait(timeoutMilliseconds: nil) == 1)
        var buffer = ByteBuffer(capacity: 64)
        #expect(kept.second.receive(into: &buffer, atMost: 64) == .bytes(3))
        // The thread has closed its copy, and this one is open: the stream has not ended.
        #expect(kept.second.receive(into: &buffer, atMost: 64) == .wouldBlock)
        #expect(isOpen(keptRaw) && isOpen(forgottenRaw))
        // The thread holds no copy of this pair: closing one end here ends the other. (A process that another
        // test starts holds a copy until it executes its program, so the test waits for the end.)
        let other = second(of: forgotten)
        _ = try ready(other.raw)
        #expect(other.receive(into: &buffer, atMost: 64) == .endOfStream)
        signals.done.signal()
        thread.join()
    }

    /// A duplicated listener keeps its queue when its first owner has closed it.
    @Test func aDuplicatedListenerGoesOnListening() throws {
        let first = try Listener.bind(.ipv4(0x7f00_0001, port: 0))
        guard let address = first.localAddress else { throw Unexpected(what: "no address") }
        let second = try Listener.duplicate(first.raw)
        drop(first)
        #expect(second.localAddress == address)
        _ = try Socket.connect(to: address)
    }

    @Test func aPrivateListenerAcceptsItsOwnConnections() throws {
        let listener = try PrivateListener()
        let other = try PrivateListener()
        guard case .wouldBlock = listener.accept() else { throw Unexpected(what: "nobody came") }
        let client = try Socket.connect(to: listener.name)
        guard case .connection(let accepted) = listener.accept() else {
            throw Unexpected(what: "no connection")
        }
        guard case .wouldBlock = other.accept() else { throw Unexpected(what: "a connection of the other listener") }
        send("GET", from: client)
        var buffer = ByteBuffer(capacity: 16)
        #expect(accepted.socket.receive(into: &buffer, atMost: 16) == .bytes(3))
    }
}

private func drop(_ listener: consuming Listener) {}

private func second(of pair: consuming Socket.Pair) -> Socket { pair.second }

/// Sends, and closes.
private func send(_ text: String, from socket: consuming Socket) {
    #expect(socket.send(buffer(text).span) == .bytes(text.utf8.count))
}
