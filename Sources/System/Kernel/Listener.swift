internal import CKernel
public import SystemPackage

/// What `accept` came to.
public enum AcceptResult: ~Copyable, Sendable {
    case connection(Accepted)
    case wouldBlock
    /// Out of descriptors or socket memory: the connection stays queued. Stop polling the listener for a
    /// while, since it stays readable.
    case descriptorLimit
    case failed(Errno)
}

/// An accepted connection and its peer.
@frozen
public struct Accepted: ~Copyable, Sendable {
    public var socket: Socket
    public let peer: SocketAddress
}

/// A listening stream socket: non-blocking, close-on-exec. Several threads may poll it and accept from it.
///
/// An IPv6 listener takes IPv6 only, whatever the host's default. A unix socket file outlives the listener
/// (another process may have inherited it); whoever binds next replaces it once nobody listens.
public struct Listener: ~Copyable, Sendable {
    let descriptor: Descriptor

    /// Takes over a listening, non-blocking stream socket (inherited from another process).
    public init(owning descriptor: consuming Descriptor) {
        self.descriptor = descriptor
    }

    /// The same listener under a number of its own.
    public static func duplicate(_ raw: CInt) throws(Errno) -> Listener {
        Listener(owning: Descriptor(owning: try check(larder_duplicate_descriptor(raw))))
    }

    /// The descriptor's number; valid as long as this value lives.
    public var raw: CInt { descriptor.raw }

    /// Binds and listens.
    /// - Parameters:
    ///   - backlog: connections that may queue; the kernel caps it at net.core.somaxconn.
    ///   - reusePort: shares the address with listeners that did the same or `sharePort`, each with a queue
    ///     of its own (IP only). Without it the address must be free.
    /// Throws `.addressInUse`, `.permissionDenied`, `.addressNotAvailable`…, and `.fileExists` where the path
    /// of a unix socket names something else.
    public static func bind(
        _ address: SocketAddress, backlog: Int = 4096, reusePort: Bool = false
    ) throws(Errno) -> Listener {
        // The wrapper reads the address during the call only.
        let raw = unsafe address.withC { address, path in
            unsafe larder_listen(address, path, CInt(clamping: backlog), reusePort ? 1 : 0)
        }
        return Listener(owning: Descriptor(owning: try check(raw)))
    }

    /// The next queued connection. Connections that died in the queue are skipped.
    public func accept() -> AcceptResult {
        // Each skip takes one dead connection off the queue; the bound keeps a flood of them from holding the
        // turn.
        for _ in 0..<64 {
            var peer = larder_address()
            // `peer` is written when a connection is returned.
            let raw = unsafe larder_accept(descriptor.raw, &peer)
            if raw >= 0 {
                let socket = Socket(owning: Descriptor(owning: raw))
                // Listeners are of the three known families only.
                guard let address = SocketAddress(peer) else { continue }
                return .connection(Accepted(socket: socket, peer: address))
            }
            let error = Errno(rawValue: -raw)
            if error == .wouldBlock { return .wouldBlock }
            if error.isLackOfResources { return .descriptorLimit }
            if !Listener.concernsOneConnection(error) { return .failed(error) }
        }
        return .wouldBlock
    }

    /// Lets a connection queue only once its first bytes have come, or after about a second without any: for
    /// protocols whose client speaks first. On a unix listener it does nothing.
    public func deferUntilBytes() { _ = larder_defer_accept(descriptor.raw) }

    /// Lets further listeners of this user bind the same address with `reusePort`. Only a listener that was
    /// bound alone knows that no other program had the address: the kernel does not tell sharers of each
    /// other.
    public func sharePort() throws(Errno) { try check(larder_share_port(raw)) }

    /// Lets no further connection begin, so that the queue can be emptied before the listener is closed:
    /// closing resets what is in it. TCP: a new client's first packet is dropped, as if it was lost, and
    /// handshakes that are under way still end in the queue. Unix: connecting is refused. For good.
    /// Throws what the kernel says where it has no socket filters.
    public func stopHandshakes() throws(Errno) { try check(larder_stop_handshakes(raw)) }

    /// Is a connection queued?
    public var hasQueued: Bool { larder_poll(raw, 0, 0) != 0 }

    /// The bound address, with the port that the kernel chose.
    public var localAddress: SocketAddress? {
        // The wrapper writes only what `query` gives it room for.
        unsafe SocketAddress.query(descriptor.raw, larder_local_address)
    }

    /// Errors of the queued connection, not of the listener (accept(2), "Error handling").
    private static func concernsOneConnection(_ error: Errno) -> Bool {
        error == .connectionAbort || error == .protocolError || error == .networkDown
            || error == .protocolNotAvailable || error == .hostIsDown || error == .noRouteToHost
            || error == .notSupportedOnSocket || error == .networkUnreachable || error == .notPermitted
            || error == .timedOut || error.rawValue == noNetwork
    }
}

extension Errno {
    /// No descriptor, no socket memory, or no room for another watch: nothing that the other end has to do
    /// with.
    public var isLackOfResources: Bool {
        self == .tooManyOpenFiles || self == .tooManyOpenFilesInSystem || self == .noBufferSpace
            || self == .noMemory || self == .noSpace
    }
}

/// ENONET, which Errno does not name.
private let noNetwork: CInt = 64
