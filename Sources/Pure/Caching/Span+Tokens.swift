/// Tokens and quoted strings of field values (RFC 9110 §5.6).

internal import Bytes

extension Span<UInt8> {
    /// The number of token characters at the front.
    var tokenEnd: Int {
        var end = 0
        while end < count, ASCII.token.contains(self[end]) { end &+= 1 }
        return end
    }

    var isToken: Bool { count > 0 && tokenEnd == count }

    /// The content of a quoted string that contains no escapes; nil for any other text.
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
