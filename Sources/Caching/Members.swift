/// Reading lists (RFC 9110 §5.6.1) and tokens out of field values, without copying.

internal import Bytes

/// The next non-empty member of a comma-separated list, trimmed; commas in quoted strings do not separate,
/// and an unterminated quoted string runs to the end. `position` is where to go on.
func nextMember(of value: Span<UInt8>, from position: inout Int) -> Range<Int>? {
    while position < value.count {
        var end = position
        var quoted = false
        while end < value.count {
            let byte = value[end]
            if quoted {
                if byte == UInt8(ascii: "\\") {
                    end &+= 1
                } else if byte == UInt8(ascii: "\"") {
                    quoted = false
                }
            } else if byte == UInt8(ascii: ",") {
                break
            } else if byte == UInt8(ascii: "\"") {
                quoted = true
            }
            end &+= 1
        }
        let start = position
        end = min(end, value.count)
        position = end &+ 1
        let trimmed = value.extracting(start..<end).trimmedRange()
        if !trimmed.isEmpty { return (start &+ trimmed.lowerBound)..<(start &+ trimmed.upperBound) }
    }
    return nil
}

extension Span<UInt8> {
    /// How many bytes at the front are token characters.
    var tokenEnd: Int {
        var end = 0
        while end < count, ASCII.token.contains(self[end]) { end &+= 1 }
        return end
    }

    var isToken: Bool { count > 0 && tokenEnd == count }

    /// The content of a quoted string without escapes, or nil.
    var plainQuotedRange: Range<Int>? {
        guard count >= 2, self[0] == UInt8(ascii: "\""), self[count &- 1] == UInt8(ascii: "\"") else {
            return nil
        }
        for index in 1..<(count &- 1)
        where self[index] == UInt8(ascii: "\"") || self[index] == UInt8(ascii: "\\") {
            return nil
        }
        return 1..<(count &- 1)
    }
}
