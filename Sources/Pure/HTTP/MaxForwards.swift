/// Max-Forwards (RFC 9110 §7.6.2): how many more hops an OPTIONS request may take. (TRACE, the other method
/// that it means something to, is refused by its name.)
public import Bytes

extension RequestHead {
    /// Takes one from the number in each line of Max-Forwards, where it stands, so that whoever sends the
    /// head on sends that. A value that is no number is left alone.
    ///
    /// - Parameter buffer: what the head was parsed from.
    /// - Returns: false if one is 0, and the request must not be sent on.
    public func takeForward(in buffer: inout ByteBuffer) -> Bool {
        for index in 0..<fields.count {
            let field = fields[index]
            guard buffer.span.slice(field.name).equalsIgnoringCase("max-forwards"),
                let last = Self.lastNonzero(buffer.span.slice(field.value))
            else { continue }
            guard last >= 0 else { return false }
            // Zeros stay in front: the head is not to move.
            let range = field.value.range
            var bytes = buffer.mutableSpan
            bytes[range.lowerBound &+ last] &-= 1
            for position in (range.lowerBound &+ last &+ 1)..<range.upperBound {
                bytes[position] = UInt8(ascii: "9")
            }
        }
        return true
    }

    /// The place of the last digit that is not 0, -1 where all are; nil for what is no number.
    private static func lastNonzero(_ digits: Span<UInt8>) -> Int? {
        var last = -1
        for index in 0..<digits.count {
            guard ASCII.isDigit(digits[index]) else { return nil }
            if digits[index] != UInt8(ascii: "0") { last = index }
        }
        return digits.isEmpty ? nil : last
    }
}
