/// IP addresses and ranges of them, as values: 16 bytes in two words, IPv4 in the form ::ffff:a.b.c.d, so
/// that a client of a dual-stack socket and one of an IPv4 socket are the same address.
public struct IPAddress: Sendable, Hashable, BitwiseCopyable, CustomStringConvertible {
    public let high: UInt64
    public let low: UInt64

    @inlinable
    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// An IPv4 address, its first byte the highest.
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

    /// `0.0.0.0` or `::`: to a listener, all addresses of the family.
    public var isUnspecified: Bool { high == 0 && (low == 0 || low == 0xffff_0000_0000) }

    /// Reads `192.0.2.1` (four decimal numbers, no leading zeros) or RFC 4291 text (`2001:db8::1`, without
    /// brackets or zone).
    public init?(parsing text: String) {
        let bytes = Array(text.utf8)
        if bytes.contains(UInt8(ascii: ":")) {
            guard let groups = Self.groups(bytes) else { return nil }
            var words: (UInt64, UInt64) = (0, 0)
            for index in 0..<4 {
                words.0 = words.0 << 16 | UInt64(groups[index])
                words.1 = words.1 << 16 | UInt64(groups[index + 4])
            }
            self.init(high: words.0, low: words.1)
        } else {
            guard let word = Self.ipv4(bytes[...]) else { return nil }
            self.init(ipv4: word)
        }
    }

    private static func ipv4(_ bytes: ArraySlice<UInt8>) -> UInt32? {
        let parts = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var word: UInt32 = 0
        for part in parts {
            guard (1...3).contains(part.count), part.count == 1 || part.first != UInt8(ascii: "0") else {
                return nil
            }
            var value: UInt32 = 0
            for byte in part {
                guard byte &- 0x30 < 10 else { return nil }
                value = value * 10 + UInt32(byte - 0x30)
            }
            guard value <= 255 else { return nil }
            word = word << 8 | value
        }
        return word
    }

    /// The eight 16-bit groups of an IPv6 address; the last two may be written as IPv4.
    private static func groups(_ bytes: [UInt8]) -> [UInt16]? {
        var before: [UInt16] = []
        var after: [UInt16]?
        var rest = bytes[...]
        if rest.starts(with: [0x3a, 0x3a]) {
            after = []
            rest = rest.dropFirst(2)
        }
        while !rest.isEmpty {
            let part = rest.prefix { $0 != 0x3a }
            var groups: [UInt16] = []
            if part.contains(UInt8(ascii: ".")) {
                guard part.count == rest.count, let word = ipv4(part) else { return nil }
                groups = [UInt16(word >> 16), UInt16(word & 0xffff)]
            } else {
                guard let group = group(part) else { return nil }
                groups = [group]
            }
            if after == nil { before += groups } else { after! += groups }
            rest = rest.dropFirst(part.count)
            guard let colon = rest.first else { break }
            precondition(colon == 0x3a)
            rest = rest.dropFirst()
            if rest.first == 0x3a {
                guard after == nil else { return nil }
                after = []
                rest = rest.dropFirst()
            } else if rest.isEmpty {
                return nil
            }
        }
        guard let after else { return before.count == 8 ? before : nil }
        guard before.count + after.count <= 7 else { return nil }
        return before + Array(repeating: 0, count: 8 - before.count - after.count) + after
    }

    private static func group(_ part: ArraySlice<UInt8>) -> UInt16? {
        guard (1...4).contains(part.count) else { return nil }
        return UInt16(String(decoding: part, as: UTF8.self), radix: 16).flatMap { value in
            // `UInt16(_:radix:)` takes a sign.
            part.first == 0x2b || part.first == 0x2d ? nil : value
        }
    }

    /// `192.0.2.1`, or RFC 5952 text without brackets.
    public var description: String {
        if isIPv4 {
            return (0..<4).map { String(low >> UInt64(24 - 8 * $0) & 0xff) }.joined(separator: ".")
        }
        let groups = (0..<8).map { index in
            UInt16(truncatingIfNeeded: (index < 4 ? high : low) >> UInt64(48 - 16 * (index % 4)))
        }
        // The first of the longest runs of two or more zero groups is what `::` stands for.
        var best = 0..<0
        var start = 0
        while start < 8 {
            var end = start
            while end < 8, groups[end] == 0 { end += 1 }
            if end - start > max(best.count, 1) { best = start..<end }
            start = max(end, start + 1)
        }
        func text(_ range: Range<Int>) -> String {
            range.map { String(groups[$0], radix: 16) }.joined(separator: ":")
        }
        return best.isEmpty ? text(0..<8) : "\(text(0..<best.lowerBound))::\(text(best.upperBound..<8))"
    }
}

/// A CIDR range. IPv4 ranges hold IPv4 addresses (mapped ones too), IPv6 ranges none of them: trusting `::/0`
/// does not trust every IPv4 client.
public struct AddressRange: Sendable, Hashable, BitwiseCopyable, CustomStringConvertible {
    /// The lowest address.
    public let first: IPAddress
    /// Bits of the prefix in the 128-bit form.
    @usableFromInline let bits: UInt8

    public enum Invalid: Error, Equatable, Sendable {
        case notAnAddress
        /// The prefix length is no number from 0 to this.
        case prefix(limit: Int)
        /// Bits beyond the prefix are set; the range that was probably meant.
        case hostBits(meant: String)
    }

    /// Reads `10.0.0.0/8`, `2001:db8::/32` or a single address.
    public init(parsing text: String) throws(Invalid) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = IPAddress(parsing: String(parts[0])) else { throw .notAnAddress }
        // `::ffff:10.0.0.0/104` counts its prefix in IPv6 bits.
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

    /// 4 or 16 bytes in network order; no other count is ever contained.
    @inlinable
    public func contains(bytes: borrowing Span<UInt8>) -> Bool {
        guard let address = IPAddress(bytes: bytes) else { return false }
        return contains(address)
    }

    @inlinable
    static func mask(_ bits: Int) -> (high: UInt64, low: UInt64) {
        // Swift's smart shift: by 64 or more gives 0.
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
