/// IP addresses as text. IPv4 is four decimal numbers. IPv6 is read by RFC 4291 §2.2 and written by RFC 5952.

public enum IPText {
    /// Reads four decimal numbers without leading zeros. The first number is the highest byte of the result.
    public static func ipv4(_ text: Span<UInt8>) -> UInt32? {
        var word: UInt32 = 0
        var index = 0
        for part in 0..<4 {
            if part > 0 {
                guard index < text.count, text[index] == UInt8(ascii: ".") else { return nil }
                index &+= 1
            }
            let start = index
            var value: UInt32 = 0
            while index < text.count, ASCII.isDigit(text[index]), index &- start < 3 {
                value = value &* 10 &+ UInt32(text[index] &- 0x30)
                index &+= 1
            }
            let digits = index &- start
            guard digits > 0, value <= 255, digits == 1 || text[start] != 0x30 else { return nil }
            word = word << 8 | value
        }
        return index == text.count ? word : nil
    }

    /// Reads an IPv6 address without brackets and without a zone. The last two groups may be written as IPv4.
    public static func ipv6(_ text: Span<UInt8>) -> (high: UInt64, low: UInt64)? {
        var groups = InlineArray<8, UInt16>(repeating: 0)
        var count = 0
        // The number of groups before `::`.
        var gap: Int?
        var index = 0
        if text.count >= 2, text[0] == UInt8(ascii: ":"), text[1] == UInt8(ascii: ":") {
            gap = 0
            index = 2
        }
        while index < text.count {
            guard count < 8 else { return nil }
            let start = index
            var value: UInt16 = 0
            while index < text.count, let digit = ASCII.hexValue(text[index]) {
                guard index &- start < 4 else { return nil }
                value = value << 4 | UInt16(digit)
                index &+= 1
            }
            if index < text.count, text[index] == UInt8(ascii: ".") {
                guard count <= 6, let word = ipv4(text.extracting(start..<text.count)) else { return nil }
                groups[count] = UInt16(word >> 16)
                groups[count &+ 1] = UInt16(word & 0xffff)
                count &+= 2
                break
            }
            guard index > start else { return nil }
            groups[count] = value
            count &+= 1
            guard index < text.count else { break }
            guard text[index] == UInt8(ascii: ":"), index &+ 1 < text.count else { return nil }
            index &+= 1
            if text[index] == UInt8(ascii: ":") {
                guard gap == nil else { return nil }
                gap = count
                index &+= 1
            }
        }
        guard gap == nil ? count == 8 : count <= 7 else { return nil }
        var words = InlineArray<2, UInt64>(repeating: 0)
        for group in 0..<count {
            let place = group < gap ?? 8 ? group : group &+ 8 &- count
            words[place >> 2] |= UInt64(groups[group]) << UInt64(48 &- 16 &* (place & 3))
        }
        return (words[0], words[1])
    }

    /// Appends an IPv6 address without brackets: lower case, no leading zeros. `::` replaces the longest run
    /// of two or more zero groups, the first one if two are equally long.
    public static func append(ipv6 high: UInt64, _ low: UInt64, to output: inout ByteBuffer) {
        func group(_ index: Int) -> UInt64 {
            (index < 4 ? high : low) >> UInt64(48 &- 16 &* (index & 3)) & 0xffff
        }
        var zeros = 8..<8
        var start = 0
        while start < 8 {
            var end = start
            while end < 8, group(end) == 0 { end &+= 1 }
            if end &- start > max(zeros.count, 1) { zeros = start..<end }
            start = max(end, start &+ 1)
        }
        var index = 0
        while index < 8 {
            if index == zeros.lowerBound, !zeros.isEmpty {
                output.append("::")
                index = zeros.upperBound
                continue
            }
            if index > 0, index != zeros.upperBound || zeros.isEmpty { output.append(UInt8(ascii: ":")) }
            output.append(hexadecimal: group(index))
            index &+= 1
        }
    }
}
