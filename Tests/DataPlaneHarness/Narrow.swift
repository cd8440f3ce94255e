// Connections that take few bytes at once. They use small segments and a small receive buffer: a sender has a
// backlog after about ten KiB, and the backlog shrinks in steps smaller than Larder's window.

internal import Glibc
package import Kernel
internal import SystemPackage

extension Peer {
    /// As `connect`, to an IPv4 address.
    package static func connectNarrowly(to address: SocketAddress) throws -> Peer {
        let raw = socket(AF_INET, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        guard raw >= 0 else { throw Errno(rawValue: errno) }
        let descriptor = Descriptor(owning: raw)
        try narrow(raw)
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = in_port_t(address.port.bigEndian)
        name.sin_addr.s_addr = in_addr_t(address.ipv4 ?? 0x7f00_0001).bigEndian
        // The kernel reads the address during the call.
        let result = unsafe withUnsafeBytes(of: &name) { bytes in
            unsafe Glibc.connect(
                raw, bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self), socklen_t(bytes.count))
        }
        guard result == 0, fcntl(raw, F_SETFL, O_NONBLOCK) == 0 else { throw Errno(rawValue: errno) }
        return try Peer(Socket(owning: descriptor))
    }

    /// Makes a socket take few bytes at once. Call it before the socket connects, or on a listener: accepted
    /// sockets inherit it.
    static func narrow(_ raw: CInt) throws {
        try set(raw, CInt(IPPROTO_TCP), CInt(TCP_MAXSEG), 536)
        try set(raw, SOL_SOCKET, SO_RCVBUF, 2048)
    }

    private static func set(_ raw: CInt, _ level: CInt, _ option: CInt, _ value: CInt) throws {
        // The kernel reads the value during the call.
        let result = unsafe withUnsafeBytes(of: value) { bytes in
            unsafe setsockopt(raw, level, option, bytes.baseAddress, socklen_t(bytes.count))
        }
        guard result == 0 else { throw Errno(rawValue: errno) }
    }
}
