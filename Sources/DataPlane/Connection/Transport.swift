internal import Bytes
internal import Kernel
internal import SystemPackage

/// Moves the bytes of one connection between this thread's buffers and the peer. `Channel` owns it and is the
/// only type that calls it.
///
/// To add a transport, add a case: every function below switches over all of them.
enum Transport: ~Copyable {
    /// Bytes go over the socket as they are.
    case plain(Socket)

    /// The socket under the transport.
    @inline(__always)
    var descriptor: CInt {
        switch self {
        case .plain(let socket): socket.raw
        }
    }

    /// Appends up to `limit` received bytes to `buffer`.
    @inline(__always)
    func receive(into buffer: inout ByteBuffer, atMost limit: Int) -> IOResult {
        switch self {
        case .plain(let socket): socket.receive(into: &buffer, atMost: limit)
        }
    }

    /// Sends what the peer takes of `run`. `more`: further bytes follow at once.
    @inline(__always)
    func send(_ run: Span<UInt8>, more: Bool = false) -> IOResult {
        switch self {
        case .plain(let socket): socket.send(run, more: more)
        }
    }

    /// Sends what the peer takes of the runs in their order.
    @inline(__always)
    func send(_ a: Span<UInt8>, _ b: Span<UInt8>, _ c: Span<UInt8>, more: Bool = false) -> IOResult {
        switch self {
        case .plain(let socket): socket.send(a, b, c, more: more)
        }
    }

    /// The kernel has bytes that were not received yet. Takes none.
    var hasQueuedInput: Bool {
        switch self {
        case .plain(let socket): socket.hasInput
        }
    }

    /// How connecting ended; nil for a connection that stands.
    func connectError() -> Errno? {
        switch self {
        case .plain(let socket): socket.connectError()
        }
    }

    /// Tells the peer that no more bytes follow.
    func endOutput() {
        switch self {
        case .plain(let socket): socket.shutdownWrite()
        }
    }

    /// Makes closing send a reset and drop the bytes that the peer's kernel has not taken.
    func resetOnClose() {
        switch self {
        case .plain(let socket): socket.setLingerReset()
        }
    }

    /// Whether the peer has acknowledged all bytes. To be asked once both sides have ended.
    func delivery() -> Socket.Delivery {
        switch self {
        case .plain(let socket): socket.delivery()
        }
    }
}
