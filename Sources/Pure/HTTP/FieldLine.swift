/// Parses one field line of a head or of a trailer section (RFC 9112 §5).
///
///     Name: value CRLF      no space before the colon, no folding, no control byte but HTAB inside the value
///
/// In a response head, white space may stand before the colon; RFC 9112 §5.1 tells a proxy to remove it. Not
/// so behind the name of a field that frames the response: an earlier recipient may have ignored that line.
///
/// A line is judged only when its LF has arrived. So a message that arrives in pieces gets the same verdict
/// as in one piece. Callers check `hasLineEnd` before they report a refusal.
import Bytes

/// The result of parsing one line.
enum FieldLineResult {
    /// The LF of the line has not arrived.
    case incomplete
    /// A field line: its name, its value (without surrounding white space), and the start of the next line.
    /// `isOdd`: the name contains a byte that is no letter, digit or hyphen.
    case line(name: Slice, value: Slice, next: Int, isOdd: Bool)
    /// The line is malformed at this index, which is not behind the LF of the line.
    case refused(BrokenRule, at: Int)
}

enum FieldLine {
    static let carriageReturn: UInt8 = 0x0d
    static let lineFeed: UInt8 = 0x0a
    /// CR LF and `: ` as pairs of bytes, the first byte lowest.
    static let lineBreak: UInt16 = 0x0a0d
    static let colonAndSpace: UInt16 = 0x203a

    /// A line in the common form.
    struct Plain: BitwiseCopyable {
        let name: Slice
        let value: Slice
        let next: Int
        /// Is its name the expected name?
        let isExpected: Bool
    }

    /// The line at `start` if it has the common form: a name of letters and hyphens, a colon, one space, a
    /// value without tabs and without further surrounding blanks, CR LF. Nil for any other line, and near the
    /// end of the bytes.
    /// - Parameter expected: the name that was parsed at this place before; if it is here again, comparing
    ///   its bytes suffices.
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
        // The first byte is tested last: for an empty value it is CR.
        guard bytes[valueEnd &- 1] > 0x20, bytes[valueStart] > 0x20 else { return nil }
        return Plain(
            name: Slice(parsed: start, count: nameEnd &- start),
            value: Slice(parsed: valueStart, count: valueEnd &- valueStart), next: valueEnd &+ 2,
            isExpected: isExpected)
    }

    /// Has this line, found by `parse`, the form that `plain` reads?
    static func isPlain(_ bytes: Span<UInt8>, _ name: Slice, _ value: Slice, next: Int) -> Bool {
        value.range.lowerBound == name.range.upperBound &+ 2 && value.range.upperBound &+ 2 == next
            && bytes.hasPair(colonAndSpace, at: name.range.upperBound)
    }

    /// Parses the line at `start`, which lies inside `bytes` and is not CR (the caller handles the blank
    /// line). Slices are relative to `bytes[0]`. The last index must fit 16 bits.
    /// - Parameter mayHaveSpace: may white space stand before the colon?
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

    /// The first control byte at or behind `index` other than a tab, or `count`.
    static func controlBehindTabs(_ bytes: Span<UInt8>, from index: Int) -> Int {
        var end = index
        while end < bytes.count, bytes[end] == 0x09 { end = bytes.firstControl(from: end &+ 1) }
        return end
    }

    /// The index of the first byte at or behind `start` that is not permitted in a token, or `count`.
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

    /// Is there an LF at or behind `index`? Then the line is complete and may be judged.
    static func hasLineEnd(_ bytes: Span<UInt8>, from index: Int) -> Bool {
        bytes.firstIndex(of: lineFeed, from: index) != nil
    }

    /// The error for a malformed name: empty, folded (`obs-fold`), followed by white space, not a token, or
    /// without a colon.
    private static func brokenName(_ bytes: Span<UInt8>, at index: Int) -> FieldLineResult {
        switch bytes[index] {
        case lineFeed: .refused(.bareLineBreak, at: index)
        case carriageReturn: brokenAtCarriageReturn(bytes, at: index, otherwise: .fieldLine)
        default: .refused(.fieldLine, at: index)
        }
    }

    /// The error for a value that ends in something other than CR LF, or `.incomplete`.
    private static func brokenValue(_ bytes: Span<UInt8>, at index: Int) -> FieldLineResult {
        guard index < bytes.count else { return .incomplete }
        switch bytes[index] {
        case carriageReturn where index &+ 1 == bytes.count: return .incomplete
        case lineFeed, carriageReturn: return .refused(.bareLineBreak, at: index)
        default: return .refused(.fieldValue, at: index)
        }
    }

    /// A CR without LF behind it is a bare CR. If no byte follows yet, the line is incomplete.
    static func brokenAtCarriageReturn(
        _ bytes: Span<UInt8>, at index: Int, otherwise: BrokenRule
    )
        -> FieldLineResult
    {
        guard index &+ 1 < bytes.count else { return .incomplete }
        return .refused(bytes[index &+ 1] == lineFeed ? otherwise : .bareLineBreak, at: index)
    }
}
