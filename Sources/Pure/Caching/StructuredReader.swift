/// Reads structured fields (RFC 9651) in place, as far as caching needs them: the members of a Dictionary and
/// of a List of Strings.

internal import Bytes

/// Every method returns nil where RFC 9651 §4.2 demands a parse failure.
struct StructuredReader: ~Escapable {
    let text: Span<UInt8>
    private var position = 0

    struct Member {
        var key: Range<Int>
        /// The value if it is a non-negative Integer, at most 2³¹.
        var integer: UInt32?
        /// Is the value Boolean true, or omitted?
        var isTrue: Bool
    }

    @_lifetime(copy text)
    init(_ text: Span<UInt8>) { self.text = text }

    var isAtEnd: Bool { position == text.count }

    private func peek() -> UInt8? { position < text.count ? text[position] : nil }

    mutating func skipSpaces() {
        while peek() == UInt8(ascii: " ") { position &+= 1 }
    }

    /// Reads the separator behind a member. False at the end; true if another member follows.
    mutating func separator() -> Bool? {
        while let byte = peek(), ASCII.isBlank(byte) { position &+= 1 }
        guard let byte = peek() else { return false }
        guard byte == UInt8(ascii: ",") else { return nil }
        position &+= 1
        while let byte = peek(), ASCII.isBlank(byte) { position &+= 1 }
        return isAtEnd ? nil : true
    }

    mutating func member() -> Member? {
        guard let key = key() else { return nil }
        var member = Member(key: key, integer: nil, isTrue: true)
        if peek() == UInt8(ascii: "=") {
            position &+= 1
            member.isTrue = false
            if peek() == UInt8(ascii: "(") {
                guard innerList() else { return nil }
            } else {
                guard let item = bareItem() else { return nil }
                if case .integer(let value) = item { member.integer = value }
                member.isTrue = item == .boolean(true)
            }
        }
        return parameters() ? member : nil
    }

    /// The next member of a List of Strings: the range between its quotes, escapes included. Nil for a member
    /// of another type, too, because the whole field is ignored then (§4.2).
    mutating func stringMember() -> Range<Int>? {
        guard peek() == UInt8(ascii: "\"") else { return nil }
        let start = position &+ 1
        guard string() else { return nil }
        let content = start..<(position &- 1)
        return parameters() ? content : nil
    }

    private mutating func key() -> Range<Int>? {
        let start = position
        guard let first = peek(), Self.isLowercase(first) || first == UInt8(ascii: "*") else { return nil }
        while let byte = peek(), Self.isKey(byte) { position &+= 1 }
        return start..<position
    }

    private static func isLowercase(_ byte: UInt8) -> Bool { byte &- 0x61 < 26 }

    private static func isKey(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "*"): true
        default: isLowercase(byte) || ASCII.isDigit(byte)
        }
    }

    private mutating func parameters() -> Bool {
        while peek() == UInt8(ascii: ";") {
            position &+= 1
            skipSpaces()
            guard key() != nil else { return false }
            if peek() == UInt8(ascii: "=") {
                position &+= 1
                guard bareItem() != nil else { return false }
            }
        }
        return true
    }

    private mutating func innerList() -> Bool {
        position &+= 1
        while true {
            skipSpaces()
            guard let byte = peek() else { return false }
            if byte == UInt8(ascii: ")") {
                position &+= 1
                return true
            }
            guard bareItem() != nil, parameters() else { return false }
            guard let next = peek(), next == UInt8(ascii: " ") || next == UInt8(ascii: ")") else {
                return false
            }
        }
    }

    enum Item: Equatable {
        /// Nil for a negative Integer.
        case integer(UInt32?)
        case boolean(Bool)
        case other
    }

    private mutating func bareItem() -> Item? {
        guard let first = peek() else { return nil }
        switch first {
        case UInt8(ascii: "\""): return string() ? .other : nil
        case UInt8(ascii: ":"): return byteSequence() ? .other : nil
        case UInt8(ascii: "%"): return displayString() ? .other : nil
        case UInt8(ascii: "?"):
            position &+= 1
            guard let digit = peek(), digit == UInt8(ascii: "0") || digit == UInt8(ascii: "1") else {
                return nil
            }
            position &+= 1
            return .boolean(digit == UInt8(ascii: "1"))
        case UInt8(ascii: "@"):
            position &+= 1
            guard case .integer = number() else { return nil }
            return .other
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return number()
        default:
            guard ASCII.isLetter(first) || first == UInt8(ascii: "*") else { return nil }
            while let byte = peek(),
                ASCII.token.contains(byte) || byte == UInt8(ascii: ":") || byte == UInt8(ascii: "/")
            { position &+= 1 }
            return .other
        }
    }

    /// At most 15 digits, or 12 before a point and 3 behind it (§4.2.4).
    private mutating func number() -> Item? {
        let isNegative = peek() == UInt8(ascii: "-")
        if isNegative { position &+= 1 }
        let start = position
        while let byte = peek(), ASCII.isDigit(byte) { position &+= 1 }
        let whole = text.extracting(start..<position)
        guard whole.count > 0, whole.count <= 15 else { return nil }
        guard peek() == UInt8(ascii: ".") else {
            guard !isNegative, let value = whole.decimalSaturating() else { return .integer(nil) }
            return .integer(UInt32(min(value, 1 << 31)))
        }
        position &+= 1
        let fraction = position
        while let byte = peek(), ASCII.isDigit(byte) { position &+= 1 }
        let digits = position &- fraction
        return whole.count <= 12 && digits >= 1 && digits <= 3 ? .other : nil
    }

    private mutating func string() -> Bool {
        position &+= 1
        while let byte = peek() {
            position &+= 1
            switch byte {
            case UInt8(ascii: "\""): return true
            case UInt8(ascii: "\\"):
                guard let next = peek(), next == UInt8(ascii: "\"") || next == UInt8(ascii: "\\") else {
                    return false
                }
                position &+= 1
            default: guard byte >= 0x20, byte < 0x7f else { return false }
            }
        }
        return false
    }

    /// Base64 (§4.2.7). Padding may be missing, and the unused bits need not be zero. Content that no decoder
    /// accepts fails: another alphabet, padding before data, a wrong number of `=`, a single last digit.
    private mutating func byteSequence() -> Bool {
        position &+= 1
        let start = position
        while let byte = peek(), Self.isBase64(byte) { position &+= 1 }
        let digits = position &- start
        while peek() == UInt8(ascii: "=") { position &+= 1 }
        let padding = position &- start &- digits
        guard peek() == UInt8(ascii: ":") else { return false }
        position &+= 1
        guard digits & 3 != 1, padding > 0 else { return digits & 3 != 1 }
        return padding <= 2 && (digits &+ padding) & 3 == 0
    }

    private static func isBase64(_ byte: UInt8) -> Bool {
        ASCII.isLetter(byte) || ASCII.isDigit(byte) || byte == UInt8(ascii: "+") || byte == UInt8(ascii: "/")
    }

    /// ASCII text in which all other bytes are percent-encoded in lower case. Decoded, it must be UTF-8
    /// (§4.2.10).
    private mutating func displayString() -> Bool {
        position &+= 1
        guard peek() == UInt8(ascii: "\"") else { return false }
        position &+= 1
        var decoded = UTF8Check()
        while let byte = peek() {
            position &+= 1
            switch byte {
            case UInt8(ascii: "\""): return decoded.isComplete
            case UInt8(ascii: "%"):
                guard let high = lowercaseHexDigit(), let low = lowercaseHexDigit(),
                    decoded.accept(high << 4 | low)
                else { return false }
            case 0x20..<0x7f: guard decoded.accept(byte) else { return false }
            default: return false
            }
        }
        return false
    }

    private mutating func lowercaseHexDigit() -> UInt8? {
        guard let byte = peek(), ASCII.isDigit(byte) || byte &- 0x61 < 6 else { return nil }
        position &+= 1
        return ASCII.hexValue(byte)
    }
}

/// Checks UTF-8 byte by byte (RFC 3629 §4): no overlong forms, no surrogates, nothing above U+10FFFF.
private struct UTF8Check {
    /// The number of missing continuation bytes, and the permitted range of the next one.
    private var missing = 0
    private var bounds: ClosedRange<UInt8> = 0x80...0xbf

    var isComplete: Bool { missing == 0 }

    mutating func accept(_ byte: UInt8) -> Bool {
        if missing > 0 {
            guard bounds.contains(byte) else { return false }
            missing &-= 1
            bounds = 0x80...0xbf
            return true
        }
        switch byte {
        case 0..<0x80: return true
        case 0xc2...0xdf: missing = 1
        case 0xe0: (missing, bounds) = (2, 0xa0...0xbf)
        case 0xed: (missing, bounds) = (2, 0x80...0x9f)
        case 0xe1...0xef: missing = 2
        case 0xf0: (missing, bounds) = (3, 0x90...0xbf)
        case 0xf4: (missing, bounds) = (3, 0x80...0x8f)
        case 0xf1...0xf3: missing = 3
        default: return false
        }
        return true
    }
}
