/// The field lines of the last parsed request, kept to recognise them in the next request.
///
/// The requests of one connection, and of clients of one kind, mostly differ in the request line only. If the
/// field lines are equal byte by byte, they are not parsed again. The head still holds the results, and all
/// its offsets move by the difference in length of the request line.
import Bytes

struct RecalledFields: ~Copyable {
    /// Longer runs of lines are not remembered. Each thread keeps one run.
    private static var limit: Int { 1_024 }

    /// The lines and the blank line behind them. Empty if nothing is remembered.
    private var lines = ByteBuffer(capacity: limit)
    /// The offset of the lines in their head.
    private var start = 0
    /// The number of consecutive heads with other lines, and the number of heads that could have been
    /// remembered.
    private var mismatches = 0
    private var heads = 0

    mutating func forget() { lines.removeAll() }

    /// Remembers `lines`, which begin at `start` in their head. After four other heads in a row, only one of
    /// sixteen heads is remembered: copying and comparing every head would cost a tenth of its parsing.
    mutating func remember(_ lines: Span<UInt8>, at start: Int) {
        heads &+= 1
        guard lines.count <= Self.limit, mismatches < 4 || heads & 15 == 0 else { return }
        self.lines.removeAll()
        self.lines.append(lines)
        self.start = start
    }

    /// Compares the bytes at `start` with the remembered lines. Returns the index behind them if they are
    /// equal, blank line included.
    @inline(__always)
    mutating func match(_ bytes: Span<UInt8>, from start: Int) -> Int? {
        guard !lines.isEmpty else { return nil }
        let end = start &+ lines.count
        guard end <= bytes.count, bytes.extracting(start..<end).equals(lines.span) else {
            mismatches &+= 1
            return nil
        }
        mismatches = 0
        return end
    }

    /// Sets the offset of the lines to `start`. Returns the difference to the offset before. Call it once for
    /// each head.
    @inline(__always)
    mutating func move(to start: Int) -> Int {
        defer { self.start = start }
        return start &- self.start
    }
}

extension FieldTable {
    /// Moves all lines by `distance` bytes. They must stay inside the head.
    mutating func move(by distance: Int) {
        start &+= distance
        end &+= distance
        let distance = UInt16(truncatingIfNeeded: distance)
        let count = total
        var rows = storage.mutableSpan
        for line in 0..<count {
            rows[line].field.name.start &+= distance
            rows[line].field.value.start &+= distance
        }
    }
}

extension RequestHead {
    /// Is this a GET in origin-form with HTTP/1.1, as nearly all requests are? The results of parsing the
    /// fields depend on these three, so only between two such heads can they be reused.
    @inline(__always)
    private var isOrdinary: Bool { method == .get && form == .origin && minorVersion == 1 }

    /// Reuses the results of the previous head if the lines from `start` on are the remembered ones. The
    /// request line must be parsed already. Returns the index behind the blank line, or nil if the lines have
    /// to be parsed.
    @inline(__always)
    mutating func recallFields(_ bytes: Span<UInt8>, from start: Int, _ limits: HeadLimits) -> Int? {
        guard isOrdinary, fields.count <= limits.fields, let end = recalled.match(bytes, from: start) else {
            return nil
        }
        let distance = recalled.move(to: start)
        if distance != 0 { fields.move(by: distance) }
        // The head that is remembered was accepted, so it has Host.
        authority = fields.first(.host)?.value ?? .empty
        host.start = authority.start
        return end
    }

    /// Remembers the fields of this head, which ends at `end` and was accepted.
    @inline(__always)
    mutating func rememberFields(_ bytes: Span<UInt8>, end: Int) {
        guard isOrdinary, framing == .none else { return }
        // Behind the target stand ` HTTP/1.1` and the line break.
        let start = target.range.upperBound &+ 11
        recalled.remember(bytes.extracting(start..<end), at: start)
    }
}
