/// A connection's bytes, over a pair of connected sockets.

import Bytes
import Kernel
import Testing

@testable import DataPlane

private func text(_ bytes: borrowing ByteBuffer) -> String { bytes.span.string }

@Suite struct ChannelTests {
    /// Unread and unsent bytes go with a connection that is taken apart, before those that come later.
    @Test func takenApartAndPutTogether() throws {
        let pair = try Socket.pair()
        let near = pair.first
        let far = pair.second
        let ledger = BufferLedger()
        var channel = Channel(.plain(near), ledger)
        let large = ByteBuffer(repeating: UInt8(ascii: "x"), count: 4 << 20)
        let isSent = channel.send(large)
        #expect(isSent)
        let unsent = channel.backlog
        #expect(unsent > 0)
        let unread = ByteBuffer(text: "first ")
        channel.keep(unread)
        #expect(ledger.bytes > 0)

        let parts = channel.takeApart()
        #expect(ledger.bytes == 0)
        let unreadText = text(parts.unread)
        let unsentCount = parts.unsent.count
        #expect(unreadText == "first ")
        #expect(unsentCount == unsent)

        var again = Channel(parts, ledger)
        let backlog = again.backlog
        #expect(backlog == unsent)
        _ = far.send(ByteBuffer(text: "second").span)
        var received = ByteBuffer()
        let step = again.receive(into: &received)
        #expect(step == .some)
        let got = text(received)
        #expect(got == "first second")

        var count = 0
        while count < large.count {
            var bytes = ByteBuffer()
            if case .bytes(let n) = far.receive(into: &bytes, atMost: 1 << 20) { count += n }
            let flushed = again.flush()
            #expect(flushed != .failed)
        }
        let isFlushed = again.isFlushed
        #expect(isFlushed)
    }

    /// A connection with nothing under way has nothing to hand over but its socket.
    @Test func takenApartWhileIdle() throws {
        let pair = try Socket.pair()
        let near = pair.first
        let far = pair.second
        let ledger = BufferLedger()
        let parts = Channel(.plain(near), ledger).takeApart()
        let isBare = parts.unread.isEmpty && parts.unsent.isEmpty
        #expect(isBare)
        var again = Channel(parts, ledger)
        let (isFlushed, hasInput) = (again.isFlushed, again.hasInput)
        #expect(isFlushed && !hasInput)
        _ = far.send(ByteBuffer(text: "hello").span)
        let hasQueued = again.hasQueuedInput
        #expect(hasQueued)
        var received = ByteBuffer()
        let step = again.receive(into: &received)
        #expect(step == .some)
        let got = text(received)
        #expect(got == "hello")
    }
}

extension ByteBuffer {
    fileprivate init(text: String) {
        self.init(capacity: text.utf8.count)
        append(text: text)
    }

    fileprivate init(repeating byte: UInt8, count: Int) {
        self.init(capacity: count)
        for _ in 0..<count { append(byte) }
    }
}
