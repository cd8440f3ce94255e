/// One field line, of a head or of a trailer section (RFC 9112 §5).
///
///     Name: value CRLF      no space before the colon, no folding, no control byte but HTAB inside the value
///
/// In the head of an answer white space may stand before the colon: RFC 9112 §5.1 has a proxy remove it. Not
/// so behind a name by which an answer is framed: who read it before may not have taken that line for one.
///
/// A line is judged only once its LF is there, so that a message that comes in pieces gets the verdict that
/// it would get in one piece; callers ask `hasLineEnd` before they report a refusal.
import Bytes

/// What became of a line.
enum FieldLineResult {
    /// The line's LF has not come.
    case incomplete
    /// A field's name, perhaps with a byte in it that is no letter, digit or hyphen, its value (without the
    /// white space around it), and where the next line begins.
    case line(name: Slice, value: Slice, next: Int, isOdd: Bool)
    /// Broken at this index, which is not behind the line's LF.
    case refused(Refusal, at: Int)
}

enum FieldLine {
    static let carriageReturn: UInt8 = 0x0d
    static let lineFeed: UInt8 = 0x0a
    /// CR LF, and `: `, as pairs: the first byte lowest.
    static let lineBreak: UInt16 = 0x0a0d
    static let colonAndSpace: UInt16 = 0x203a

    /// A line that needs no second look.
    struct Plain: BitwiseCopyable {
        let name: Slice
        let value: Slice
        let next: Int
        /// Its name is the expected one.
        let isExpected: Bool
    }

    /// The line at `start` if it is what nearly all are: a name of letters and hyphens, a colon and a space,
    /// a value without a tab in it or more blanks around it, CR LF; nil for any other, and near the end of
    /// the bytes.
    /// - Parameter expected: a name that was parsed before, of which the bytes need only be compared.
    @inline(__always)
    static func plain(_ bytes: Span<UInt8>, from start: Int, expected: Spelling) -> Plain? {
        var nameEnd = start &+ expected.count
        let isExpected = expected.stands(in: bytes, at: start, before: colonAndSpace)
        if !isExpected {
            guard let end = bytes.firstNonWord(from: start, beginning: colonAndSpace), end > start
            else { return nil }
            nameEnd = end
        }
        let valueStart = nameEnd &+ 2
        guard let valueEnd = bytes.firstControl(from: valueStart, beginning: lineBreak) else { return nil }
        // The first byte is looked at last: of an empty value it would be CR.
        guard bytes[valueEnd &- 1] > 0x20, bytes[valueStart] > 0x20 else { return nil }
        return Plain(
            name: Slice(parsed: start, count: nameEnd &- start),
            value: Slice(parsed: valueStart, count: valueEnd &- valueStart), next: valueEnd &+ 2,
            isExpected: isExpected)
    }

    /// Does this line, found in any way, stand as `plain` reads it?
    static func isPlain(_ bytes: Span<UInt8>, _ name: Slice, _ value: Slice, next: Int) -> Bool {
        value.range.lowerBound == name.range.upperBound &+ 2 && value.range.upperBound &+ 2 == next
            && bytes.hasPair(colonAndSpace, at: name.range.upperBound)
    }

    /// Parses the line at `start`, which is inside `bytes` and does not hold CR (the blank line is the
    /// caller's). Slices are relative to `bytes[0]`; the last index must fit 16 bits.
    /// - Parameter mayHaveSpace: before the colon.
    static func parse(_ bytes: Span<UInt8>, from start: Int, mayHaveSpace: Bool = false) -> FieldLineResult {
        var isOdd = false
        let nameEnd = tokenEnd(bytes, from: bytes.firstNonWord(from: start), &isOdd)
        guard nameEnd < bytes.count else { return .incomplete }
        var colon = nameEnd
        if mayHaveSpace, nameEnd > start, ASCII.isBlank(bytes[nameEnd]),
            !isFraming(bytes.extracting(start..<nameEnd))
        {
            while colon < bytes.count, ASCII.isBlank(bytes[colon]) { colon &+= 1 }
            guard colon < bytes.count else { return .incomplete }
        }
        guard nameEnd > start, bytes[colon] == 0x3a else { return brokenName(bytes, at: colon) }
        var valueStart = colon &+ 1
        while valueStart < bytes.count, ASCII.isBlank(bytes[valueStart]) { valueStart &+= 1 }

        var lineEnd = bytes.firstControl(from: valueStart)
        if !bytes.hasPair(lineBreak, at: lineEnd) {
            lineEnd = controlBehindTabs(bytes, from: lineEnd)
            guard bytes.hasPair(lineBreak, at: lineEnd) else { return brokenValue(bytes, at: lineEnd) }
        }
        var valueEnd = lineEnd
        while ASCII.isBlank(bytes[valueEnd &- 1]), valueEnd > valueStart { valueEnd &-= 1 }
        return .line(
            name: Slice(parsed: start, count: nameEnd &- start),
            value: Slice(parsed: valueStart, count: valueEnd &- valueStart), next: lineEnd &+ 2,
            isOdd: isOdd)
    }

    private static func isFraming(_ name: Span<UInt8>) -> Bool {
        switch FieldName.identify(name) {
        case .contentLength, .transferEncoding, .connection, .upgrade: true
        default: false
        }
    }

    /// The first control byte at or behind `index` that is no tab, or `count`.
    static func controlBehindTabs(_ bytes: Span<UInt8>, from index: Int) -> Int {
        var end = index
        while end < bytes.count, bytes[end] == 0x09 { end = bytes.firstControl(from: end &+ 1) }
        return end
    }

    /// The index of the first byte at or behind `start` that a token may not hold, or `count`.
    private static func tokenEnd(
        _ bytes: Span<UInt8>, from start: Int, _ isOdd: inout Bool
    ) -> Int {
        var end = start
        while end < bytes.count, ASCII.token.contains(bytes[end]) {
            if FieldName.isOdd(bytes[end]) { isOdd = true }
            end &+= 1
        }
        return end
    }

    /// Is there an LF at or behind `index`, so that the line is whole and may be judged?
    static func hasLineEnd(_ bytes: Span<UInt8>, from index: Int) -> Bool {
        bytes.firstIndex(of: lineFeed, from: index) != nil
    }

    /// A name that is empty, folded (`obs-fold`), followed by white space, not a token, or that has no colon.
    private static func brokenName(_ bytes: Span<UInt8>, at index: Int) -> FieldLineResult {
        switch bytes[index] {
        case lineFeed: .refused(.bareLineBreak, at: index)
        case carriageReturn: brokenAtCarriageReturn(bytes, at: index, otherwise: .fieldLine)
        default: .refused(.fieldLine, at: index)
        }
    }

    /// A value that ends in something other than CR LF, or that has not ended.
    private static func brokenValue(_ bytes: Span<UInt8>, at index: Int) -> FieldLineResult {
        guard index < bytes.count else { return .incomplete }
        switch bytes[index] {
        case carriageReturn where index &+ 1 == bytes.count: return .incomplete
        case lineFeed, carriageReturn: return .refused(.bareLineBreak, at: index)
        default: return .refused(.fieldValue, at: index)
        }
    }

    /// A CR is bare unless LF follows; without a following byte nobody can tell yet.
    static func brokenAtCarriageReturn(
        _ bytes: Span<UInt8>, at index: Int, otherwise: Refusal
    )
        -> FieldLineResult
    {
        guard index &+ 1 < bytes.count else { return .incomplete }
        return .refused(bytes[index &+ 1] == lineFeed ? otherwise : .bareLineBreak, at: index)
    }
}
