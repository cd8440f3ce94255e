// Loopback addresses that one listener alone uses.
//
// The kernel remembers properties of TCP connections for each pair of addresses (`ip tcp_metrics`), among them the
// congestion window. Heavy load on 127.0.0.1 leaves a large window behind, and then more bytes of a later connection
// are in flight than a test expects. So every listener of a test has an address of its own in 127.0.0.0/8. Clients
// still come from 127.0.0.1.

package import Kernel
package import Settings
internal import Synchronization

extension SocketAddress {
    /// An address that no other listener of this process has, with a port that the kernel chooses. Processes begin at
    /// random places of the range.
    package static func ownLoopback() -> SocketAddress {
        let number = nextLoopback.wrappingAdd(1, ordering: .relaxed).newValue
        // From 127.1.0.0 to 127.254.255.255: neither 127.0.0.1 nor the broadcast address.
        return .ipv4(0x7f01_0000 + number % 0xfe_0000, port: 0)
    }

    /// The address in the form of a server's setting.
    package var asServer: ServerAddress {
        if let path = unixPath { return .unix(path: path) }
        guard let server = ServerAddress(parsing: description) else { preconditionFailure("no server: \(self)") }
        return server
    }
}

private let nextLoopback = Atomic<UInt32>(.random(in: 0...0xffff_ffff))
