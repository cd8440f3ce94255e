/// Max-Forwards (RFC 9110 §7.6.2): how many more hops an OPTIONS request may take. (The field also applies to
/// TRACE, but TRACE requests are refused.)
public import Bytes

extension RequestHead {
    /// Decrements the number in each line of Max-Forwards, in place, so that the forwarded head contains the
    /// new number. A value that is not a number stays as it is.
    ///
    /// - Parameter buffer: the bytes that the head was parsed from.
    /// - Returns: false if a number is 0: the request must not be forwarded.
    public func decrementMaxForwards(in buffer: inout ByteBuffer) -> Bool {
        for index in 0..<fields.count {
            let field = fields[index]
            guard buffer.span.slice(field.name).equalsIgnoringCase("max-forwards"),
                let last = Self.lastNonzero(buffer.span.slice(field.value))
            else { continue }
            guard last >= 0 else { return false }
            // Leading zeros stay, because the head must keep its length.
            let range = field.value.range
            var bytes = buffer.mutableSpan
            bytes[range.lowerBound &+ last] &-= 1
            for position in (range.lowerBound &+ last &+ 1)..<range.upperBound {
                bytes[position] = UInt8(ascii: "9")
            }
        }
        return true
    }

    /// The index of the last digit other than 0; -1 if all digits are 0; nil if the value is not a number.
    private static func lastNonzero(_ digits: Span<UInt8>) -> Int? {
        var last = -1
        for index in 0..<digits.count {
            guard ASCII.isDigit(digits[index]) else { return nil }
            if digits[index] != UInt8(ascii: "0") { last = index }
        }
        return digits.isEmpty ? nil : last
    }
}
