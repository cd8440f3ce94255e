internal import CKernel
public import SystemPackage

/// What a start needs, tried without serving.
public enum Trial {
    /// A port that nobody else can have as long as this lives. It does not listen: nobody can connect.
    public final class Port: Sendable {
        private let descriptor: Descriptor

        /// Throws `.addressInUse`, `.permissionDenied`, `.addressNotAvailable`….
        /// - Parameter address: an IP address.
        public init(claiming address: SocketAddress) throws(Errno) {
            // The wrapper reads the address during the call only.
            let raw = unsafe address.withC { address, _ in unsafe larder_claim_port(address) }
            descriptor = Descriptor(owning: try check(raw))
        }
    }

    /// May this process write to the file, or make files in the folder?
    public static func mayWrite(_ path: String) throws(Errno) {
        // The path is read during the call.
        try check(unsafe path.withCString { unsafe larder_may_write($0) })
    }
}
