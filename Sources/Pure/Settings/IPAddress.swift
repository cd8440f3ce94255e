internal import Bytes

/// An IP address: 16 bytes in two words, IPv4 in the form ::ffff:a.b.c.d. So an IPv4 client has the same
/// address on a dual-stack socket and on an IPv4 socket.
public struct IPAddress: Sendable, Hashable, BitwiseCopyable, CustomStringConvertible {
    public let high: UInt64
    public let low: UInt64

    @inlinable
    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// An IPv4 address; its first byte is the highest.
    @inlinable
    public init(ipv4 word: UInt32) { self.init(high: 0, low: 0xffff_0000_0000 | UInt64(word)) }

    /// 4 or 16 bytes in network order; nil for any other count.
    @inlinable
    public init?(bytes: borrowing Span<UInt8>) {
        var high: UInt64 = 0
        var low: UInt64 = 0
        switch bytes.count {
        case 4:
            for index in 0..<4 { low = low << 8 | UInt64(bytes[index]) }
            self.init(ipv4: UInt32(truncatingIfNeeded: low))
        case 16:
            for index in 0..<8 {
                high = high << 8 | UInt64(bytes[index])
                low = low << 8 | UInt64(bytes[index &+ 8])
            }
            self.init(high: high, low: low)
        default: return nil
        }
    }

    @inlinable
    public var isIPv4: Bool { high == 0 && low >> 32 == 0xffff }

    /// Is it `0.0.0.0` or `::`? For a listener, that means all addresses of the family.
    public var isUnspecified: Bool { high == 0 && (low == 0 || low == 0xffff_0000_0000) }

    /// Reads `192.0.2.1` (four decimal numbers, no leading zeros) or RFC 4291 text (`2001:db8::1`, without
    /// brackets or zone).
    public init?(parsing text: String) {
        let bytes = Array(text.utf8)
        if bytes.contains(UInt8(ascii: ":")) {
            guard let (high, low) = IPText.ipv6(bytes.span) else { return nil }
            self.init(high: high, low: low)
        } else {
            guard let word = IPText.ipv4(bytes.span) else { return nil }
            self.init(ipv4: word)
        }
    }

    /// `192.0.2.1`, or RFC 5952 text without brackets.
    public var description: String {
        if isIPv4 {
            return (0..<4).map { String(low >> UInt64(24 - 8 * $0) & 0xff) }.joined(separator: ".")
        }
        var text = ByteBuffer(capacity: 40)
        IPText.append(ipv6: high, low, to: &text)
        return String(decoding: text.span.copied, as: UTF8.self)
    }
}

/// A CIDR range. An IPv4 range contains IPv4 addresses (mapped ones, too). An IPv6 range contains none:
/// trusting `::/0` does not trust every IPv4 client.
public struct AddressRange: Sendable, Hashable, BitwiseCopyable, CustomStringConvertible {
    /// The lowest address.
    public let first: IPAddress
    /// The prefix length in the 128-bit form.
    @usableFromInline let bits: UInt8

    public enum Invalid: Error, Equatable, Sendable {
        case notAnAddress
        /// The prefix length is not a number from 0 to `limit`.
        case prefix(limit: Int)
        /// Bits behind the prefix are set. `meant` is the range that was probably intended.
        case hostBits(meant: String)
    }

    /// Reads `10.0.0.0/8`, `2001:db8::/32` or a single address.
    public init(parsing text: String) throws(Invalid) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = IPAddress(parsing: String(parts[0])) else { throw .notAnAddress }
        // The prefix of `::ffff:10.0.0.0/104` is counted in IPv6 bits.
        let isMapped = address.isIPv4 && parts[0].utf8.contains(UInt8(ascii: ":"))
        let offset = address.isIPv4 && !isMapped ? 96 : 0
        var bits = 128
        if parts.count == 2 {
            guard (1...3).contains(parts[1].utf8.count), parts[1].utf8.allSatisfy({ $0 &- 0x30 < 10 }),
                let prefix = Int(parts[1]), prefix + offset <= 128, !isMapped || prefix >= 96
            else { throw .prefix(limit: 128 - offset) }
            bits = prefix + offset
        }
        let first = IPAddress(
            high: address.high & Self.mask(bits).high, low: address.low & Self.mask(bits).low)
        guard first == address else {
            throw .hostBits(meant: AddressRange(first: first, bits: UInt8(bits)).description)
        }
        self.init(first: first, bits: UInt8(bits))
    }

    init(first: IPAddress, bits: UInt8) {
        self.first = first
        self.bits = bits
    }

    @inlinable
    public func contains(_ address: IPAddress) -> Bool {
        guard address.isIPv4 == first.isIPv4 else { return false }
        let mask = Self.mask(Int(bits))
        return address.high & mask.high == first.high && address.low & mask.low == first.low
    }

    /// 4 or 16 bytes in network order. Any other count is never contained.
    @inlinable
    public func contains(bytes: borrowing Span<UInt8>) -> Bool {
        guard let address = IPAddress(bytes: bytes) else { return false }
        return contains(address)
    }

    @inlinable
    static func mask(_ bits: Int) -> (high: UInt64, low: UInt64) {
        // Swift's smart shift gives 0 for 64 or more.
        (
            bits >= 64 ? .max : ~(UInt64.max >> UInt64(bits)),
            bits <= 64 ? 0 : ~(UInt64.max >> UInt64(bits &- 64))
        )
    }

    public var description: String {
        let size = Int(bits) - (first.isIPv4 ? 96 : 0)
        return size == (first.isIPv4 ? 32 : 128) ? first.description : "\(first)/\(size)"
    }
}
