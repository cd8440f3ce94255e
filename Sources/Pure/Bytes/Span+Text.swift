/// Text operations on borrowed bytes: comparison, search, trimming and decimal numbers.
///
/// All are `@inlinable`: a cursor that is not inlined across modules costs six times as much.

extension Span<UInt8> {
    /// Same length and same bytes.
    @inlinable
    public func equals(_ other: borrowing Span<UInt8>) -> Bool {
        count == other.count && hasPrefix(other)
    }

    /// Same bytes as an ASCII literal.
    @inlinable @inline(__always)
    public func equals(_ literal: StaticString) -> Bool {
        count == literal.utf8CodeUnitCount && hasPrefix(literal)
    }

    /// Same bytes as an ASCII literal in lower case, ignoring the case of `self`. From 0x40 on, the literal
    /// may contain only letters.
    @inlinable @inline(__always)
    public func equalsIgnoringCase(_ lowercaseLiteral: StaticString) -> Bool {
        let n = lowercaseLiteral.utf8CodeUnitCount
        guard count == n else { return false }
        var index = 0
        while index < n {
            // With more than eight bytes, the last word overlaps the word before it.
            let place = n < 8 ? 0 : min(index, n &- 8)
            let word = word(at: place, length: min(n, 8)).foldedLetters
            if word != lowercaseLiteral.word(at: place) { return false }
            index &+= 8
        }
        return true
    }

    /// Same bytes, ignoring ASCII case on both sides.
    @inlinable
    public func equalsIgnoringCase(_ other: borrowing Span<UInt8>) -> Bool {
        guard count == other.count else { return false }
        var index = 0
        while index < count {
            let n = min(8, count &- index)
            let (own, others) = (word(at: index, length: n), other.word(at: index, length: n))
            if own != others, own.lowercasedBytes != others.lowercasedBytes { return false }
            index &+= 8
        }
        return true
    }

    @inlinable @inline(__always)
    public func hasPrefix(_ literal: StaticString) -> Bool {
        let n = literal.utf8CodeUnitCount
        guard count >= n else { return false }
        var index = 0
        while index < n {
            // With more than eight bytes, the last word overlaps the word before it.
            let place = n < 8 ? 0 : min(index, n &- 8)
            if word(at: place, length: min(n, 8)) != literal.word(at: place) { return false }
            index &+= 8
        }
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

    /// The value of a non-empty run of decimal digits, at most `UInt64.max`. Nil if another byte occurs, or
    /// if there is no byte.
    @inlinable
    public func decimalSaturating() -> UInt64? {
        guard count > 0 else { return nil }
        if count <= 8 { return word(at: 0, length: count).decimalValue(digits: count) }
        var value: UInt64 = 0
        for index in 0..<count {
            let digit = self[index] &- 0x30
            guard digit < 10 else { return nil }
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(UInt64(digit))
            value = overflow || carry ? .max : sum
            if overflow || carry {
                // The value is saturated; the remaining bytes must still be digits.
                for rest in index..<count where !ASCII.isDigit(self[rest]) { return nil }
                return .max
            }
        }
        return value
    }

    /// The text as a `String`; U+FFFD replaces invalid UTF-8. Allocates: use it for logs and errors, not on
    /// the hot path.
    public var string: String { String(decoding: copied, as: UTF8.self) }

    /// The bytes as an array. Allocates.
    public var copied: [UInt8] {
        var array: [UInt8] = []
        array.reserveCapacity(count)
        for index in 0..<count { array.append(self[index]) }
        return array
    }
}
