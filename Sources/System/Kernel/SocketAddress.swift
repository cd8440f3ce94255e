public import Bytes
internal import CKernel

/// An address that a stream socket can have: IPv4, IPv6, or a unix path.
///
/// IP addresses are stored inline, so that copying one allocates nothing. An IPv4 address mapped into IPv6
/// (`::ffff:1.2.3.4`) comes from the kernel as IPv4. A unix peer without a name has the empty path.
public struct SocketAddress: Sendable, Hashable {
    enum Kind: Sendable, Hashable {
        case ipv4(UInt32)
        case ipv6(high: UInt64, low: UInt64, scope: UInt32)
        case unix(String)
    }

    var kind: Kind
    /// The TCP port; 0 for unix addresses, and for "any free port" when binding.
    public var port: UInt16

    init(kind: Kind, port: UInt16) {
        self.kind = kind
        self.port = port
    }

    /// `bits` in host order: 127.0.0.1 is 0x7f000001.
    public static func ipv4(_ bits: UInt32, port: UInt16) -> SocketAddress {
        SocketAddress(kind: .ipv4(bits), port: port)
    }

    /// The two halves in host order: `::1` is (0, 1).
    public static func ipv6(high: UInt64, low: UInt64, port: UInt16) -> SocketAddress {
        SocketAddress(kind: .ipv6(high: high, low: low, scope: 0), port: port)
    }

    /// The longest path that the kernel takes, in bytes.
    public static var longestUnixPath: Int { LARDER_PATH_CAPACITY - 1 }

    /// A socket file; nil unless the path is absolute, of 107 bytes at most and free of NUL.
    public static func unix(path: String) -> SocketAddress? {
        let bytes = path.utf8
        guard bytes.first == UInt8(ascii: "/"), bytes.count <= longestUnixPath, !bytes.contains(0) else {
            return nil
        }
        return SocketAddress(kind: .unix(path), port: 0)
    }

    /// 127.0.0.1 with a port that the kernel chooses, for tests and tools.
    public static var anyLoopbackPort: SocketAddress { .ipv4(0x7f00_0001, port: 0) }

    /// The 32 bits of an IPv4 address in host order.
    public var ipv4: UInt32? {
        if case .ipv4(let bits) = kind { return bits }
        return nil
    }

    /// The two halves of an IPv6 address in host order.
    public var ipv6: (high: UInt64, low: UInt64)? {
        if case .ipv6(let high, let low, _) = kind { return (high, low) }
        return nil
    }

    /// The path of a unix address, empty for an unnamed peer.
    public var unixPath: String? {
        if case .unix(let path) = kind { return path }
        return nil
    }

    public var isUnix: Bool {
        if case .unix = kind { return true }
        return false
    }

    /// Reachable from this host only: 127.0.0.0/8, `::1`, or unix.
    public var isLoopback: Bool {
        switch kind {
        case .ipv4(let bits): bits >> 24 == 127
        case .ipv6(let high, let low, _): high == 0 && low == 1
        case .unix: true
        }
    }
}

// MARK: Text

extension SocketAddress: CustomStringConvertible {
    /// What `init(parsing:)` reads: `1.2.3.4:80`, `[::1]:80`, `unix:/path`.
    public var description: String {
        var text = ByteBuffer(capacity: 64)
        switch kind {
        case .ipv4:
            appendHost(to: &text)
            text.append(UInt8(ascii: ":"))
            text.append(decimal: UInt64(port))
        case .ipv6:
            text.append(UInt8(ascii: "["))
            appendHost(to: &text)
            text.append("]:")
            text.append(decimal: UInt64(port))
        case .unix:
            appendHost(to: &text)
        }
        return text.span.string
    }

    /// Appends the address without its port: `1.2.3.4`, `::1` (RFC 5952, without brackets), `unix:/path`.
    /// Allocates nothing for IP addresses if the buffer has room.
    public func appendHost(to text: inout ByteBuffer) {
        switch kind {
        case .ipv4(let bits):
            for octet: UInt32 in 0..<4 {
                if octet > 0 { text.append(UInt8(ascii: ".")) }
                text.append(decimal: UInt64((bits >> (24 &- 8 &* octet)) & 0xff))
            }
        case .ipv6(let high, let low, _):
            text.append(capacity: 46) { output in
                unsafe output.withUnsafeMutableBufferPointer { spare, count in
                    // 46 bytes (INET6_ADDRSTRLEN) were reserved; the terminating NUL is not counted as
                    // written.
                    unsafe spare.withMemoryRebound(to: CChar.self) { characters in
                        count = unsafe Int(max(0, larder_format_ipv6(high, low, characters.baseAddress!)))
                    }
                }
            }
        case .unix(let path):
            text.append("unix:")
            text.append(text: path)
        }
    }
}

// MARK: The C form

extension SocketAddress {
    /// nil for what the wrappers do not know.
    init?(_ address: larder_address, path: String = "") {
        switch CInt(address.kind) {
        case CInt(LARDER_IPV4):
            self.init(kind: .ipv4(UInt32(truncatingIfNeeded: address.low)), port: address.port)
        case CInt(LARDER_IPV6):
            self.init(
                kind: .ipv6(high: address.high, low: address.low, scope: address.scope), port: address.port)
        case CInt(LARDER_UNIX):
            self.init(kind: .unix(path), port: 0)
        default:
            return nil
        }
    }

    /// Calls `body` with the C form and, for unix, the path; both are valid only during the call.
    func withC<R>(_ body: (UnsafePointer<larder_address>, UnsafePointer<CChar>?) -> R) -> R {
        var address = larder_address()
        address.port = port
        switch kind {
        case .ipv4(let bits):
            address.kind = UInt8(LARDER_IPV4)
            address.low = UInt64(bits)
            return unsafe body(&address, nil)
        case .ipv6(let high, let low, let scope):
            address.kind = UInt8(LARDER_IPV6)
            address.high = high
            address.low = low
            address.scope = scope
            return unsafe body(&address, nil)
        case .unix(let path):
            address.kind = UInt8(LARDER_UNIX)
            return unsafe path.withCString { unsafe body(&address, $0) }
        }
    }
}
