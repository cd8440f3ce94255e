/// One field line, of a head or of a trailer section (RFC 9112 §5).
///
///     Name: value CRLF      no space before the colon, no folding, no control byte but HTAB inside the value
///
/// A line is judged only once its LF is there, so that a message that comes in pieces gets the verdict that
/// it would get in one piece; callers ask `hasLineEnd` before they report a refusal.
import Bytes

/// What became of a line.
enum FieldLineResult {
    /// The line's LF has not come.
    case incomplete
    /// A field, and where the next line begins.
    case line(Field, next: Int)
    /// Broken at this index, which is not behind the line's LF.
    case refused(Refusal, at: Int)
}

enum FieldLine {
    static let carriageReturn: UInt8 = 0x0d
    static let lineFeed: UInt8 = 0x0a

    /// Parses the line at `start`, which is inside `bytes` and does not hold CR (the blank line is the
    /// caller's). Slices are relative to `bytes[0]`; the last index must fit 16 bits.
    @inline(__always)
    static func parse(_ bytes: Span<UInt8>, from start: Int) -> FieldLineResult {
        let colon = bytes.firstIndexOrCount(of: 0x3a, from: start)
        // A recognised name is a token; the check of the others is off the path that leads to the value.
        let id = colon < bytes.count ? FieldName.identify(bytes, from: start, count: colon &- start) : .other
        if id == .other {
            let nameEnd = tokenEnd(bytes, from: start)
            guard nameEnd == colon, nameEnd > start else {
                return nameEnd < bytes.count ? brokenName(bytes, at: nameEnd) : .incomplete
            }
            guard colon < bytes.count else { return .incomplete }
        }
        var valueStart = colon &+ 1
        while valueStart < bytes.count, ASCII.isBlank(bytes[valueStart]) { valueStart &+= 1 }
        let lineEnd = bytes.firstControl(from: valueStart)
        guard lineEnd &+ 1 < bytes.count else {
            return lineEnd < bytes.count && bytes[lineEnd] != carriageReturn
                ? brokenValue(bytes, at: lineEnd) : .incomplete
        }
        guard bytes[lineEnd] == carriageReturn, bytes[lineEnd &+ 1] == lineFeed else {
            return brokenValue(bytes, at: lineEnd)
        }
        var valueEnd = lineEnd
        while valueEnd > valueStart, ASCII.isBlank(bytes[valueEnd &- 1]) { valueEnd &-= 1 }
        let field = Field(
            name: Slice(start: start, count: colon &- start),
            value: Slice(start: valueStart, count: valueEnd &- valueStart), id: id)
        return .line(field, next: lineEnd &+ 2)
    }

    /// The index of the first byte at or behind `start` that a token may not hold, or `count`.
    @inline(__always)
    private static func tokenEnd(_ bytes: Span<UInt8>, from start: Int) -> Int {
        var end = bytes.firstNonName(from: start)
        // The rarer token characters, one by one.
        while end < bytes.count, ASCII.token.contains(bytes[end]) { end &+= 1 }
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

    private static func brokenValue(_ bytes: Span<UInt8>, at index: Int) -> FieldLineResult {
        switch bytes[index] {
        case lineFeed, carriageReturn: .refused(.bareLineBreak, at: index)
        default: .refused(.fieldValue, at: index)
        }
    }

    /// A CR is bare unless LF follows; without a following byte nobody can tell yet.
    static func brokenAtCarriageReturn(_ bytes: Span<UInt8>, at index: Int, otherwise: Refusal)
        -> FieldLineResult
    {
        guard index &+ 1 < bytes.count else { return .incomplete }
        return .refused(bytes[index &+ 1] == lineFeed ? otherwise : .bareLineBreak, at: index)
    }
}
