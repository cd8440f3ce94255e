internal import HTTP
internal import Kernel
internal import Loop

/// One client connection.
struct Client: ~Copyable {
    enum Phase: Equatable {
        /// Between requests, or in the middle of a request head.
        case idle
        /// One request is with an origin: the handle of its `Exchange`.
        case exchange(Handle<Exchange>)
        /// Our answer is sent and our side shut: what still comes is read and dropped, so that the kernel
        /// does not reset the connection while the answer is on its way (RFC 9112 §9.6).
        case lingering
    }

    var channel: Channel
    var peer: ClientAddress
    var phase = Phase.idle
    /// Close once everything is sent; no further request is read.
    var closing = false
    /// Unread input may be on its way when we close.
    var lingers = false
    /// Waits in the worker's list of connections to go on with.
    var deferred = false
    /// Bytes of a head have come and its time runs.
    var headStarted = false
    /// A request was answered on this connection.
    var served = false
    /// Of the bytes that the kernel took: those that lines of the log tell of. What follows them belongs to
    /// the answer under way.
    var logged: UInt64 = 0
    /// Bytes of input read and dropped while lingering.
    var dropped = 0
    var scan = HeadScan()

    init(_ socket: consuming Socket, peer: SocketAddress, _ ledger: BufferLedger) {
        channel = Channel(.plain(socket), ledger)
        self.peer = ClientAddress(peer)
    }

    /// May a request be read now: between two, with all of the last answer on its way?
    var takesRequest: Bool { phase == .idle && !closing && channel.isFlushed }

    /// Is nothing under way on it: no request, nothing unread, all of the last answer sent?
    var isIdle: Bool {
        guard case .idle = phase else { return false }
        return !headStarted && !closing && !deferred && channel.isFlushed && !channel.wantsReading
            && !channel.ending
    }

    /// A whole head has come: its time is over.
    mutating func noteHead() {
        scan = HeadScan()
        headStarted = false
        served = true
    }
}
