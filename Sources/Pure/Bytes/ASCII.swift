/// Character classes of RFC 9110 §5.6.2 and RFC 3986. A class is two 64-bit masks, so a test is a shift and
/// an `and` and reads no table from memory. (A lazily built global table costs more than the parse that uses
/// it.)
public enum ASCII {
    /// A set of ASCII bytes. Bytes from 128 on are never members.
    public struct Class: Sendable {
        @usableFromInline let low: UInt64
        @usableFromInline let high: UInt64

        @inlinable
        public init(low: UInt64, high: UInt64) {
            self.low = low
            self.high = high
        }

        @inlinable @inline(__always)
        public func contains(_ byte: UInt8) -> Bool {
            if byte < 64 { return (low >> UInt64(byte)) & 1 != 0 }
            if byte < 128 { return (high >> UInt64(byte &- 64)) & 1 != 0 }
            return false
        }
    }

    /// `tchar`: ``!#$%&'*+-.^_`|~``, digits and letters (RFC 9110 §5.6.2).
    @inlinable public static var token: Class {
        Class(low: 0x03ff_6cfa_0000_0000, high: 0x57ff_ffff_c7ff_fffe)
    }

    /// Visible ASCII: 0x21 to 0x7E.
    @inlinable public static var visible: Class {
        Class(low: 0xffff_fffe_0000_0000, high: 0x7fff_ffff_ffff_ffff)
    }

    @inlinable @inline(__always)
    public static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }

    @inlinable @inline(__always)
    public static func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) &- 0x61 < 26 }

    /// Space or horizontal tab (`OWS`).
    @inlinable @inline(__always)
    public static func isBlank(_ byte: UInt8) -> Bool { byte <= 0x20 && (byte == 0x20 || byte == 0x09) }

    /// Is this a byte that a field value may contain: HTAB, SP, VCHAR or obs-text? Other control bytes and
    /// DEL are not (RFC 9110 §5.5).
    @inlinable @inline(__always)
    public static func isFieldValue(_ byte: UInt8) -> Bool { (byte >= 0x20 && byte != 0x7f) || byte == 0x09 }

    @inlinable @inline(__always)
    public static func lowercased(_ byte: UInt8) -> UInt8 { byte &- 0x41 < 26 ? byte | 0x20 : byte }

    /// The value of a hexadecimal digit, or nil.
    @inlinable @inline(__always)
    public static func hexValue(_ byte: UInt8) -> UInt8? {
        if byte &- 0x30 < 10 { return byte &- 0x30 }
        let letter = (byte | 0x20) &- 0x61
        return letter < 6 ? letter &+ 10 : nil
    }
}
