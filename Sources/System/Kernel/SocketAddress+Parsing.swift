internal import CKernel

/// Strict reading of addresses: one spelling for each form, no names, no whitespace, no zone ids.
extension SocketAddress {
    /// `1.2.3.4:80`, `[::1]:80` or `unix:/absolute/path`; nil for anything else.
    ///
    /// Ports are 0 to 65535 without leading zeros; IPv4 has four decimal octets without leading zeros;
    /// an IPv4 address mapped into IPv6 becomes IPv4.
    public init?(parsing text: String) {
        let unixPrefix = "unix:"
        if text.hasPrefix(unixPrefix) {
            let path = String(text.dropFirst(unixPrefix.count))
            guard let address = SocketAddress.unix(path: path) else { return nil }
            self = address
            return
        }
        guard let colon = text.utf8.lastIndex(of: UInt8(ascii: ":")),
            let port = SocketAddress.parsePort(text.utf8[text.utf8.index(after: colon)...])
        else { return nil }
        var host = text.utf8[..<colon]
        if host.first == UInt8(ascii: "[") {
            guard host.last == UInt8(ascii: "]"), host.count > 2 else { return nil }
            host = host.dropFirst().dropLast()
            guard let kind = SocketAddress.parseIPv6(host) else { return nil }
            self.init(kind: kind, port: port)
        } else {
            guard let bits = SocketAddress.parseIPv4(host) else { return nil }
            self.init(kind: .ipv4(bits), port: port)
        }
    }

    /// An IP literal without brackets (`1.2.3.4`, `::1`) and a port; nil for names.
    public init?(ip text: String, port: UInt16) {
        let bytes = text.utf8[...]
        if let bits = SocketAddress.parseIPv4(bytes) {
            self.init(kind: .ipv4(bits), port: port)
        } else if let kind = SocketAddress.parseIPv6(bytes) {
            self.init(kind: kind, port: port)
        } else {
            return nil
        }
    }

    private static func parsePort(_ text: Substring.UTF8View) -> UInt16? {
        let zero = UInt8(ascii: "0")
        guard (1...5).contains(text.count), text.first != zero || text.count == 1 else { return nil }
        var value = 0
        for byte in text {
            guard (zero...zero + 9).contains(byte) else { return nil }
            value = value * 10 + Int(byte - zero)
        }
        return UInt16(exactly: value)
    }

    private static func parseIPv4(_ text: Substring.UTF8View) -> UInt32? {
        let octets = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard octets.count == 4 else { return nil }
        var bits: UInt32 = 0
        for octet in octets {
            guard octet.count <= 3, let value = parsePort(octet), value <= 255 else { return nil }
            bits = bits << 8 | UInt32(value)
        }
        return bits
    }

    private static func parseIPv6(_ text: Substring.UTF8View) -> Kind? {
        // A NUL would end the C string early and let garbage behind it pass.
        guard !text.contains(0) else { return nil }
        var high: UInt64 = 0
        var low: UInt64 = 0
        // The C string and both words live for the call.
        let result = unsafe String(Substring(text)).withCString { unsafe larder_parse_ipv6($0, &high, &low) }
        guard result == 0 else { return nil }
        if high == 0, low >> 32 == 0xffff { return .ipv4(UInt32(truncatingIfNeeded: low)) }
        return .ipv6(high: high, low: low, scope: 0)
    }
}
