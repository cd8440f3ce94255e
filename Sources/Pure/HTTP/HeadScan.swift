/// Where the parse of an incomplete head stands, kept by the connection between reads.
///
/// While a head is incomplete each byte is looked at once: whole lines are judged when their LF comes, the
/// last, partial line is only searched for its LF. When the blank line is there, a head that came in pieces
/// is parsed once more from its first byte (the table of fields belongs to the thread, not to the
/// connection); a head that came in one piece is parsed in a single pass.
import Bytes

public struct HeadScan: BitwiseCopyable, Sendable {
    /// Bytes looked at.
    var position: UInt32 = 0
    /// Where the incomplete line begins.
    var lineStart: UInt32 = 0
    /// Whole lines before it, the start line included.
    var lines: UInt16 = 0
    /// The start line's first word is known to be a token, up to its space.
    var firstWordIsWhole = false

    public init() {}

    /// Has nothing been parsed yet?
    public var isFresh: Bool { position == 0 }

    /// Is the line at `lineStart` still without its LF? Looks only at bytes that came since, and notes that
    /// it did. Within the method it stops at the first byte that is none, so that garbage is refused at once.
    @inline(__always)
    mutating func lineIsStillOpen(_ bytes: Span<UInt8>) -> Bool {
        // Shorter prefixes are cheap to parse anew, and may be an empty line or "HTTP/".
        position >= 8 && position <= bytes.count && hasNoLineFeed(bytes)
    }

    private mutating func hasNoLineFeed(_ bytes: Span<UInt8>) -> Bool {
        if lines == 0, !firstWordIsWhole {
            var index = Int(max(position, lineStart))
            while index < bytes.count, bytes[index] != 0x20 {
                guard ASCII.token.contains(bytes[index]) else { return false }
                index &+= 1
            }
            firstWordIsWhole = index < bytes.count
        }
        guard bytes.firstIndex(of: FieldLine.lineFeed, from: Int(position)) == nil else { return false }
        position = UInt32(bytes.count)
        return true
    }

    /// Notes that the line at `start` has no LF up to the end of the bytes.
    mutating func stop(atLine start: Int, lines: Int, bytes: Span<UInt8>) {
        position = UInt32(bytes.count)
        lineStart = UInt32(start)
        self.lines = UInt16(lines)
    }
}

/// The lines of a head behind its start line, the same for requests and responses.
extension FieldTable {
    /// Parses field lines from `start` up to and including the blank line. `lines` counts whole lines so far,
    /// the start line included. If the result is `.complete`, the lines from `start` on are in the table
    /// afterwards; else what is there is meaningless.
    /// - Parameter isAnswer: white space may stand before a colon.
    mutating func parseLines(
        _ bytes: Span<UInt8>, from start: Int, lines startLines: Int, limits: HeadLimits, isAnswer: Bool,
        scan: inout HeadScan
    ) -> HeadResult {
        var rows = storage.mutableSpan
        var cursor = start
        var line = 0
        var isPlain = true
        // Are the names those of the head before, each in its place?
        var areKnown = true
        var hasOddNames = false
        // Never full: lines are at most limits.fields, and that at most the capacity.
        let most = limits.fields &- startLines
        while true {
            while line <= most,
                let plain = FieldLine.plain(bytes, from: cursor, expected: rows[line].spelling)
            {
                areKnown = areKnown && plain.isExpected
                rows[line].field.name = plain.name
                rows[line].field.value = plain.value
                cursor = plain.next
                line &+= 1
            }
            guard cursor < bytes.count else { break }
            var refusal: Refusal
            var index = cursor
            if bytes[cursor] == FieldLine.carriageReturn {
                guard cursor &+ 1 < bytes.count else { break }
                if bytes[cursor &+ 1] == FieldLine.lineFeed {
                    self.start = start
                    (self.isPlain, end) = (isPlain, cursor)
                    if !areKnown || line != total {
                        identifyNames(count: line, bytes, hasOddNames: hasOddNames)
                    }
                    return .complete(cursor &+ 2)
                }
                refusal = .bareLineBreak
            } else if line > most {
                refusal = .headTooLarge
            } else {
                switch FieldLine.parse(bytes, from: cursor, mayHaveSpace: isAnswer) {
                case .line(let name, let value, let next, let isOdd):
                    if isOdd { hasOddNames = true }
                    rows[line].field.name = name
                    rows[line].field.value = value
                    if !FieldLine.isPlain(bytes, name, value, next: next) { isPlain = false }
                    let known = rows[line].spelling
                    areKnown =
                        areKnown && known.stands(in: bytes, at: cursor, before: FieldLine.colonAndSpace)
                    cursor = next
                    line &+= 1
                    continue
                case .incomplete:
                    scan.stop(atLine: cursor, lines: startLines &+ line, bytes: bytes)
                    return .needMore
                case .refused(let reason, let place):
                    refusal = reason
                    index = place
                }
            }
            if FieldLine.hasLineEnd(bytes, from: index) { return .refused(refusal) }
            break
        }
        scan.stop(atLine: cursor, lines: startLines &+ line, bytes: bytes)
        return .needMore
    }
}
