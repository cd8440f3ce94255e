/// One directive of a Cache-Control-like field: `token [ "=" ( token / quoted-string ) ]` (RFC 9111 §5.2).
///
/// Reads leniently and says so: a prohibition counts however it is spelt, a permission only if it is well
/// formed.

internal import Bytes
internal import HTTP

struct Directive {
    /// Trimmed; a token only if `isWellFormed`.
    var name: Range<Int>
    /// Without its quotes if it is a plain quoted string; nil without `=`.
    var argument: Range<Int>?
    var isWellFormed: Bool

    /// The next directive of one line's value, whose members are read; nil at the end.
    static func next(of members: inout ListTokens, in value: Span<UInt8>) -> Directive? {
        guard let member = members.next() else { return nil }
        let text = value.extracting(member)
        let nameEnd = text.tokenEnd
        if nameEnd == text.count { return Directive(name: member, argument: nil, isWellFormed: true) }
        guard let equals = text.firstIndex(of: UInt8(ascii: "=")) else {
            return Directive(name: member, argument: nil, isWellFormed: false)
        }
        let name = text.extracting(first: equals).trimmedRange()
        let argument = text.extracting(droppingFirst: equals &+ 1)
        let argumentStart = member.lowerBound &+ equals &+ 1
        var directive = Directive(
            name: (member.lowerBound &+ name.lowerBound)..<(member.lowerBound &+ name.upperBound),
            argument: argumentStart..<member.upperBound, isWellFormed: nameEnd == equals && nameEnd > 0)
        if let inner = argument.plainQuotedRange {
            directive.argument = (argumentStart &+ inner.lowerBound)..<(argumentStart &+ inner.upperBound)
        } else if !argument.isToken, !argument.isQuotedString {
            directive.isWellFormed = false
        }
        return directive
    }

    /// The argument as delta-seconds (RFC 9111 §1.2.2), saturating at 2³¹; nil for anything malformed.
    func seconds(in value: Span<UInt8>) -> UInt32? {
        guard isWellFormed, let argument, let number = value.extracting(argument).decimalSaturating() else {
            return nil
        }
        return UInt32(min(number, 1 << 31))
    }
}

extension Span<UInt8> {
    /// A whole quoted string, escapes allowed (RFC 9110 §5.6.4).
    var isQuotedString: Bool {
        guard count >= 2, self[0] == UInt8(ascii: "\"") else { return false }
        var index = 1
        while index < count {
            if self[index] == UInt8(ascii: "\"") { return index == count &- 1 }
            index &+= self[index] == UInt8(ascii: "\\") ? 2 : 1
        }
        return false
    }
}
