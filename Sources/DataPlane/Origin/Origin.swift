internal import HTTP
internal import Kernel
internal import Loop

/// One connection to an origin server.
struct Origin: ~Copyable {
    enum Phase: Equatable {
        case connecting(Handle<Exchange>)
        case active(Handle<Exchange>)
        case idle
    }

    var channel: Channel
    /// Index in `Site.servers`.
    let server: Int
    var phase: Phase
    /// The turn in which it was last taken from the idle ones; 0 where it has served no request before.
    var takenIn: UInt32 = 0
    /// The turn in which it was last kept.
    var keptIn: UInt32 = 0
    var deferred = false
    var scan = HeadScan()

    /// Nothing is under way on it, either way: what is unread after an answer's end is a close, or bytes
    /// that nobody asked for.
    var isAtRest: Bool { !channel.readable && !channel.ending && !channel.ended && channel.isFlushed }

    init(_ socket: consuming Socket, server: Int, phase: Phase, _ ledger: BufferLedger) {
        channel = Channel(.plain(socket), ledger)
        self.server = server
        self.phase = phase
    }
}
