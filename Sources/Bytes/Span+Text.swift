/// Text operations on borrowed bytes: comparison, search, trimming and decimal numbers.
///
/// All are `@inlinable`: a cursor that is not inlined across modules costs six times as much.

extension Span<UInt8> {
    /// Same length and same bytes.
    @inlinable
    public func equals(_ other: borrowing Span<UInt8>) -> Bool {
        guard count == other.count else { return false }
        for index in 0..<count where self[index] != other[index] { return false }
        return true
    }

    /// Same bytes as an ASCII literal.
    @inlinable
    public func equals(_ literal: StaticString) -> Bool {
        guard count == literal.utf8CodeUnitCount else { return false }
        return hasPrefix(literal)
    }

    /// Same bytes as an ASCII literal in lower case, ignoring the case of `self`.
    @inlinable
    public func equalsIgnoringCase(_ lowercaseLiteral: StaticString) -> Bool {
        guard count == lowercaseLiteral.utf8CodeUnitCount else { return false }
        for index in 0..<count where ASCII.lowercased(self[index]) != lowercaseLiteral.byte(at: index) {
            return false
        }
        return true
    }

    /// Same bytes, ignoring ASCII case on both sides.
    @inlinable
    public func equalsIgnoringCase(_ other: borrowing Span<UInt8>) -> Bool {
        guard count == other.count else { return false }
        for index in 0..<count where ASCII.lowercased(self[index]) != ASCII.lowercased(other[index]) {
            return false
        }
        return true
    }

    @inlinable
    public func hasPrefix(_ literal: StaticString) -> Bool {
        guard count >= literal.utf8CodeUnitCount else { return false }
        for index in 0..<literal.utf8CodeUnitCount where self[index] != literal.byte(at: index) {
            return false
        }
        return true
    }

    @inlinable
    public func hasPrefix(_ other: borrowing Span<UInt8>) -> Bool {
        guard count >= other.count else { return false }
        for index in 0..<other.count where self[index] != other[index] { return false }
        return true
    }

    /// The range of `self` without spaces and tabs at both ends (`OWS`, RFC 9110 §5.6.3).
    @inlinable
    public func trimmedRange() -> Range<Int> {
        var start = 0
        var end = count
        while start < end, ASCII.isBlank(self[start]) { start &+= 1 }
        while end > start, ASCII.isBlank(self[end &- 1]) { end &-= 1 }
        return start..<end
    }

    /// `self` without spaces and tabs at both ends.
    @_lifetime(copy self)
    @inlinable
    public func trimmed() -> Span<UInt8> { extracting(trimmedRange()) }

    /// A non-empty run of decimal digits and nothing else, saturating at `UInt64.max`; nil for anything else.
    @inlinable
    public func decimalSaturating() -> UInt64? {
        guard count > 0 else { return nil }
        var value: UInt64 = 0
        for index in 0..<count {
            let digit = self[index] &- 0x30
            guard digit < 10 else { return nil }
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(UInt64(digit))
            value = overflow || carry ? .max : sum
            if overflow || carry {
                // Saturated: the rest must still be digits.
                for rest in index..<count where !ASCII.isDigit(self[rest]) { return nil }
                return .max
            }
        }
        return value
    }

    /// The text as a `String`, invalid UTF-8 replaced. Allocates: for logs and errors, never on the hot path.
    public var string: String { String(decoding: copied, as: UTF8.self) }

    /// The bytes as an array. Allocates.
    public var copied: [UInt8] {
        var array: [UInt8] = []
        array.reserveCapacity(count)
        for index in 0..<count { array.append(self[index]) }
        return array
    }
}
