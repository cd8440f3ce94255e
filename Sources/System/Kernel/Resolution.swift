internal import CKernel

/// Names to addresses by the system's resolver (getaddrinfo). Blocks: at start and on helper threads only.
public enum Resolution {
    /// Why a name has no address.
    public struct Failure: Error, Sendable, Equatable, CustomStringConvertible {
        public let host: String
        /// The system's words.
        public let message: String

        public var description: String { "\(host): \(message)" }
    }

    /// Every address of `host` (a name or an IP literal) in the system's order of preference, each once,
    /// never empty.
    public static func resolve(host: String, port: UInt16) throws(Failure) -> [SocketAddress] {
        if let literal = SocketAddress(ip: host, port: port) { return [literal] }
        guard !host.isEmpty, !host.utf8.contains(0) else {
            throw Failure(host: host, message: "not a host name")
        }
        var found: [SocketAddress] = []
        // `found` and the C string outlive the call; the callback runs only during it.
        let code = unsafe host.withCString { host in
            unsafe withUnsafeMutablePointer(to: &found) { found in
                unsafe larder_resolve(host, found) { context, address in
                    guard let list = unsafe context?.assumingMemoryBound(to: [SocketAddress].self),
                        let address = unsafe SocketAddress(address.pointee)
                    else { return }
                    unsafe list.pointee.append(address)
                }
            }
        }
        guard code == 0 else {
            // Static text of the C library.
            throw Failure(host: host, message: unsafe String(cString: larder_resolve_error(code)))
        }
        var unique: [SocketAddress] = []
        for var address in found {
            address.port = port
            if !unique.contains(address) { unique.append(address) }
        }
        guard !unique.isEmpty else { throw Failure(host: host, message: "no address") }
        return unique
    }
}
