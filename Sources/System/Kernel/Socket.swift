public import Bytes
public import CKernel
public import SystemPackage

/// A connected (or connecting) stream socket: non-blocking, close-on-exec, Nagle's algorithm off.
///
/// One owner, closed by `deinit`. Nothing here allocates; sending never raises SIGPIPE.
/// With an edge-triggered poller, fewer bytes than asked for means drained (or full): no further call is
/// needed to hear `.wouldBlock`.
@frozen
public struct Socket: ~Copyable, Sendable {
    @usableFromInline let descriptor: Descriptor

    /// Takes over a connected stream socket, which must be non-blocking.
    public init(owning descriptor: consuming Descriptor) {
        self.descriptor = descriptor
    }

    /// The descriptor's number, for the poller; valid as long as this value lives.
    @inlinable public var raw: CInt { descriptor.raw }

    /// A socket on its way.
    @frozen
    public struct Connecting: ~Copyable, Sendable {
        public var socket: Socket
        /// The handshake is under way: when the socket becomes writable, `connectError` tells how it ended.
        public let inProgress: Bool
    }

    /// Starts connecting. Never blocks.
    ///
    /// Throws what the kernel says at once (`.networkUnreachable`; `.resourceTemporarilyUnavailable` when a
    /// unix listener's queue is full, or no port is left).
    public static func connect(to address: SocketAddress) throws(Errno) -> Connecting {
        var inProgress: CInt = 0
        // The wrapper reads the address and writes the flag during the call only.
        let raw = unsafe address.withC { unsafe larder_connect($0, $1, &inProgress) }
        let socket = Socket(owning: Descriptor(owning: try check(raw)))
        return Connecting(socket: socket, inProgress: inProgress != 0)
    }

    /// Two connected unix stream sockets.
    public static func pair() throws(Errno) -> Pair {
        var first: CInt = -1
        var second: CInt = -1
        // Writes both numbers, or neither and fails.
        try check(unsafe larder_socket_pair(&first, &second))
        return Pair(
            first: Socket(owning: Descriptor(owning: first)),
            second: Socket(owning: Descriptor(owning: second)))
    }

    @frozen
    public struct Pair: ~Copyable, Sendable {
        public var first: Socket
        public var second: Socket
    }

    /// How a connect ended, or a pending asynchronous error; asking clears it.
    public func connectError() -> Errno? {
        let error = larder_socket_error(raw)
        return error == 0 ? nil : Errno(rawValue: abs(error))
    }

    // MARK: Moving bytes
    // Inlined, the system call with them: behind one the processor has forgotten where it was called from,
    // and each return on the way up costs some ten nanoseconds.

    /// Appends up to `limit` (> 0) received bytes to `buffer`, which grows if its spare part is smaller.
    @inlinable @inline(__always)
    public func receive(into buffer: inout ByteBuffer, atMost limit: Int) -> IOResult {
        precondition(limit > 0)
        return buffer.append(capacity: limit) { output in
            IOResult(
                received: unsafe output.withUnsafeMutableBufferPointer { spare, count in
                    // `spare` has room for `limit` bytes; exactly the received ones are initialised.
                    let received = unsafe larder_receive(raw, spare.baseAddress!, limit)
                    count = max(0, Int(received))
                    return received
                })
        }
    }

    /// Sends what the socket takes of `a`. `more`: further bytes follow at once, so wait for them to fill a
    /// segment.
    @inlinable @inline(__always)
    public func send(_ a: borrowing Span<UInt8>, more: Bool = false) -> IOResult {
        // The kernel reads inside the span during the call.
        let sent = unsafe a.withUnsafeBufferPointer { a in
            unsafe larder_send1(raw, a.baseAddress, a.count, more ? 1 : 0)
        }
        return IOResult(sent: sent)
    }

    /// Sends what the socket takes of the runs in their order, with one system call.
    public func send(_ a: borrowing Span<UInt8>, _ b: borrowing Span<UInt8>, more: Bool = false) -> IOResult {
        send(a, b, Span(), Span(), more: more)
    }

    public func send(
        _ a: borrowing Span<UInt8>, _ b: borrowing Span<UInt8>, _ c: borrowing Span<UInt8>, more: Bool = false
    ) -> IOResult {
        send(a, b, c, Span(), more: more)
    }

    public func send(
        _ a: borrowing Span<UInt8>, _ b: borrowing Span<UInt8>, _ c: borrowing Span<UInt8>,
        _ d: borrowing Span<UInt8>, more: Bool = false
    ) -> IOResult {
        // The kernel reads inside the spans during the call.
        let sent = unsafe a.withUnsafeBufferPointer { a in
            unsafe b.withUnsafeBufferPointer { b in
                unsafe c.withUnsafeBufferPointer { c in
                    unsafe d.withUnsafeBufferPointer { d in
                        unsafe larder_send4(
                            raw, a.baseAddress, a.count, b.baseAddress, b.count, c.baseAddress, c.count,
                            d.baseAddress, d.count, more ? 1 : 0)
                    }
                }
            }
        }
        return IOResult(sent: sent)
    }

    /// Are there bytes to receive now? Takes none.
    public var hasInput: Bool { larder_has_input(raw) != 0 }

    // MARK: Ending

    public enum Delivery: Equatable {
        /// The peer has acknowledged all bytes.
        case acknowledged
        /// No acknowledgement yet: an event follows.
        case pending
        /// The connection broke.
        case lost
    }

    /// What became of the bytes sent, once both sides have said their last. Asking clears a pending error.
    public func delivery() -> Delivery {
        switch larder_delivery(raw) {
        case 1: .acknowledged
        case 0: .pending
        default: .lost
        }
    }

    /// Tells the peer that no more bytes follow. Errors don't matter: the peer is gone then.
    public func shutdownWrite() { _ = larder_shutdown_write(raw) }

    /// Makes closing send a reset and drop what is unsent (TCP).
    public func setLingerReset() { _ = larder_linger_reset(raw) }

    // MARK: Ends

    /// Our end; nil when the kernel no longer knows.
    // The wrappers write only what `query` gives them room for.
    public var localAddress: SocketAddress? { unsafe SocketAddress.query(raw, larder_local_address) }

    /// The other end; nil when not connected (any more).
    public var peerAddress: SocketAddress? { unsafe SocketAddress.query(raw, larder_peer_address) }

    /// The process at the other end of a unix socket, as it was when it connected.
    public var peerCredentials: PeerCredentials? { PeerCredentials(of: raw) }
}

/// Who is at the other end of a unix socket.
public struct PeerCredentials: Sendable, Hashable {
    public let processID: Int32
    public let userID: UInt32
    public let groupID: UInt32

    init?(of raw: CInt) {
        var pid: CInt = 0
        var user: UInt32 = 0
        var group: UInt32 = 0
        // Writes all three, or none and fails.
        guard unsafe larder_peer_credentials(raw, &pid, &user, &group) == 0 else { return nil }
        processID = pid
        userID = user
        groupID = group
    }
}

extension SocketAddress {
    static func query(
        _ raw: CInt, _ ask: (CInt, UnsafeMutablePointer<larder_address>, UnsafeMutablePointer<CChar>) -> CInt
    ) -> SocketAddress? {
        var address = larder_address()
        // Room for the longest path and its NUL, as the wrapper asks for.
        return unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: longestUnixPath + 2) { path in
            guard unsafe ask(raw, &address, path.baseAddress!) == 0 else { return nil }
            let isUnix = CInt(address.kind) == CInt(LARDER_UNIX)
            return SocketAddress(address, path: isUnix ? unsafe String(cString: path.baseAddress!) : "")
        }
    }
}
