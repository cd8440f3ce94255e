/// One directive of a field such as Cache-Control: `token [ "=" ( token / quoted-string ) ]` (RFC 9111 §5.2).
///
/// The reader is lenient and reports deviations in `isWellFormed`: a prohibition counts in any spelling, a
/// permission only if it is well formed.

internal import Bytes
internal import HTTP

struct Directive {
    /// Trimmed. It is a token only if `isWellFormed`.
    var name: Range<Int>
    /// Without the quotes of a plain quoted string; nil if there is no `=`.
    var argument: Range<Int>?
    var isWellFormed: Bool

    /// The next directive of a field value that ends at `end`, from `position` on. Moves `position` behind
    /// it; nil at the end. Inlined, so that the result stays in registers.
    @inline(__always)
    static func next(in head: Span<UInt8>, upTo end: Int, from position: inout Int) -> Directive? {
        var start = position
        while start < end, ASCII.isBlank(head[start]) || head[start] == comma { start &+= 1 }
        position = start
        if start == end { return nil }
        // Most directives are `name` or `name=token` of letters, digits, hyphens and dots. A byte of another
        // kind follows the value in the head, so the scan ends there at the latest.
        let nameEnd = head.firstNonName(from: start)
        if nameEnd > start {
            if endsMember(head, nameEnd, end) {
                position = nameEnd
                return Directive(name: start..<nameEnd, argument: nil, isWellFormed: true)
            }
            let argumentStart = nameEnd &+ 1
            if argumentStart < end, head[nameEnd] == UInt8(ascii: "=") {
                let argumentEnd = head.firstNonName(from: argumentStart)
                if argumentEnd > argumentStart, endsMember(head, argumentEnd, end) {
                    position = argumentEnd
                    return Directive(
                        name: start..<nameEnd, argument: argumentStart..<argumentEnd, isWellFormed: true)
                }
            }
        }
        return read(head, from: start, upTo: end, &position)
    }

    private static var comma: UInt8 { UInt8(ascii: ",") }

    private static func endsMember(_ head: Span<UInt8>, _ index: Int, _ end: Int) -> Bool {
        index == end || index < end && head[index] == comma
    }

    /// As `next`, for any form of directive.
    @inline(never)
    private static func read(
        _ head: Span<UInt8>, from start: Int, upTo end: Int, _ position: inout Int
    ) -> Directive? {
        var members = ListTokens(head.extracting(start..<end))
        guard let place = members.next() else {
            position = end
            return nil
        }
        let member = (start &+ place.lowerBound)..<(start &+ place.upperBound)
        // The next call skips the white space and the comma behind this member.
        position = member.upperBound
        let text = head.extracting(member)
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

    /// The argument as delta-seconds (RFC 9111 §1.2.2), at most 2³¹; nil if it is malformed.
    func seconds(in head: Span<UInt8>) -> UInt32? {
        guard isWellFormed, let argument, let number = head.extracting(argument).decimalSaturating() else {
            return nil
        }
        return UInt32(min(number, 1 << 31))
    }
}

extension Span<UInt8> {
    /// Is this exactly one quoted string? Escapes are allowed (RFC 9110 §5.6.4).
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
