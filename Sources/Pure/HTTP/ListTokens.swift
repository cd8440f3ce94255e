/// The members of one comma-separated field value (RFC 9110 §5.6.1), without surrounding white space. Empty
/// members are skipped. A comma inside a quoted string does not end a member.
public import Bytes

public struct ListTokens: ~Escapable {
    @usableFromInline let value: Span<UInt8>
    @usableFromInline var cursor: Int
    @usableFromInline let escapes: Bool

    /// - Parameter backslashEscapes: true for quoted strings, which know `\"` (RFC 9110 §5.6.4); false for
    ///   entity tags, which do not.
    @_lifetime(copy value)
    @inlinable
    public init(_ value: Span<UInt8>, backslashEscapes: Bool = true) {
        self.value = value
        cursor = 0
        escapes = backslashEscapes
    }

    /// The next member as a range of the value, or nil at the end. A quoted string without a closing quote
    /// extends to the end of the value.
    @inlinable
    public mutating func next() -> Range<Int>? {
        while cursor < value.count {
            let start = cursor
            var quoted = false
            while cursor < value.count {
                let byte = value[cursor]
                if byte == 0x22 {
                    quoted.toggle()
                } else if quoted, escapes, byte == 0x5c, cursor &+ 1 < value.count {
                    cursor &+= 1
                } else if byte == 0x2c, !quoted {
                    break
                }
                cursor &+= 1
            }
            let member = value.extracting(start..<cursor).trimmedRange()
            if cursor < value.count { cursor &+= 1 }
            if !member.isEmpty { return (start &+ member.lowerBound)..<(start &+ member.upperBound) }
        }
        return nil
    }
}
