/// The state of parsing an incomplete head. The connection keeps it between reads.
///
/// While a head is incomplete, each byte is read once: a complete line is judged when its LF arrives, and the
/// incomplete last line is only searched for LF. When the blank line arrives, a head that came in pieces is
/// parsed again from its first byte, because the field table belongs to the thread and not to the connection.
/// A head that came in one piece is parsed in a single pass.
import Bytes

public struct HeadScan: BitwiseCopyable, Sendable {
    /// The number of bytes read so far.
    var position: UInt32 = 0
    /// Where the incomplete line begins.
    var lineStart: UInt32 = 0
    /// The number of complete lines before it, including the start line.
    var lines: UInt16 = 0
    /// Is the first word of the start line complete, and a token?
    var firstWordIsWhole = false

    public init() {}

    /// Has no byte been read yet?
    public var isFresh: Bool { position == 0 }

    /// Reads the bytes that arrived since the last call. Returns true if the line at `lineStart` still has no
    /// LF. Within the method it stops at the first byte that is not a token byte, so that garbage is refused
    /// at once.
    @inline(__always)
    mutating func scanIncompleteLine(_ bytes: Span<UInt8>) -> Bool {
        // A prefix of fewer than 8 bytes is cheap to parse again, and may be an empty line or "HTTP/".
        position >= 8 && position <= bytes.count && scanForLineFeed(bytes)
    }

    private mutating func scanForLineFeed(_ bytes: Span<UInt8>) -> Bool {
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

    /// Records that the line at `start` has no LF in `bytes`.
    mutating func stop(atLine start: Int, lines: Int, bytes: Span<UInt8>) {
        position = UInt32(bytes.count)
        lineStart = UInt32(start)
        self.lines = UInt16(lines)
    }
}

/// The field lines of a head; the same for requests and responses.
extension FieldTable {
    /// Parses field lines from `start` up to and including the blank line. `lines` is the number of complete
    /// lines so far, including the start line. If the result is `.complete`, the table holds the lines from
    /// `start` on. Otherwise its content is meaningless.
    /// - Parameter isAnswer: is it a response, where white space may stand before a colon?
    mutating func parseLines(
        _ bytes: Span<UInt8>, from start: Int, lines startLines: Int, limits: HeadLimits, isAnswer: Bool,
        scan: inout HeadScan
    ) -> HeadResult {
        var rows = storage.mutableSpan
        var cursor = start
        var line = 0
        var isPlain = true
        // Are all names so far the names of the previous head, in the same places?
        var areKnown = true
        var hasOddNames = false
        // The table cannot overflow: there are at most `limits.fields` lines, and that is at most its
        // capacity.
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
            var refusal: BrokenRule
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
