/// Connections between threads of one process.

internal import CKernel
public import SystemPackage

/// A stream listener that only its own process can reach, for threads whose descriptor tables differ, so that
/// one could not hand a socket to the other: a unix socket under an abstract name of the kernel's choice.
public struct PrivateListener: ~Copyable, Sendable {
    let listener: Listener
    /// How the others reach it.
    public let name: Name
    /// Of a listener these are the credentials of whoever listens.
    private let own: PeerCredentials?

    public struct Name: Sendable, BitwiseCopyable {
        var bytes: InlineArray<6, UInt8>
    }

    public init() throws(Errno) {
        var name = Name(bytes: InlineArray(repeating: 0))
        var bytes = name.bytes.mutableSpan
        // Writes the name's six bytes.
        let raw = unsafe bytes.withUnsafeMutableBufferPointer {
            unsafe larder_listen_privately(4096, $0.baseAddress!)
        }
        listener = Listener(owning: Descriptor(owning: try check(raw)))
        self.name = name
        own = PeerCredentials(of: raw)
    }

    /// The descriptor's number; valid as long as this value lives.
    public var raw: CInt { listener.raw }

    /// As `Listener.accept`. Other processes see the name, too: whoever comes from one is turned away.
    public func accept() -> AcceptResult {
        while true {
            switch listener.accept() {
            case .connection(let accepted):
                if accepted.socket.peerCredentials?.processID == own?.processID {
                    return .connection(accepted)
                }
            case .wouldBlock: return .wouldBlock
            case .descriptorLimit: return .descriptorLimit
            case .failed(let error): return .failed(error)
            }
        }
    }
}

extension Socket {
    /// A connection to a listener of this process; connected at once.
    /// Throws at the limit of descriptors; `.resourceTemporarilyUnavailable` when 4 096 wait to be accepted.
    public static func connect(to name: PrivateListener.Name) throws(Errno) -> Socket {
        let bytes = name.bytes.span
        // Reads the name's six bytes.
        let raw = unsafe bytes.withUnsafeBufferPointer { unsafe larder_connect_privately($0.baseAddress!) }
        return Socket(owning: Descriptor(owning: try check(raw)))
    }
}
