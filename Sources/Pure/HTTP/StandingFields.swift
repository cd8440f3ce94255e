/// The field lines that were parsed last, to know them when they come again.
///
/// What a client sends on one connection differs mostly in the first line alone, and so do the requests of
/// clients of one kind. Lines that are the same byte by byte are not parsed again: the head that holds them
/// still says what follows from them, and they only move with the length of the first line.
import Bytes

struct StandingFields: ~Copyable {
    /// Longer runs are not remembered: a thread keeps one.
    private static var limit: Int { 1_024 }

    /// The lines with the blank one behind them; empty while nothing stands.
    private var lines = ByteBuffer(capacity: limit)
    /// Where they begin in their head.
    private var start = 0
    /// Heads in a row that were others; and heads that might have been remembered.
    private var strangers = 0
    private var heads = 0

    mutating func forget() { lines.removeAll() }

    /// `lines` begin at `start` in their head. In a crowd, where every head is another's, only one of sixteen
    /// is remembered: to copy and to compare them all would be a tenth of their parsing.
    mutating func remember(_ lines: Span<UInt8>, at start: Int) {
        heads &+= 1
        guard lines.count <= Self.limit, strangers < 4 || heads & 15 == 0 else { return }
        self.lines.removeAll()
        self.lines.append(lines)
        self.start = start
    }

    /// Do they stand in `bytes` from `start` on, blank line and all? Then: the index behind them.
    @inline(__always)
    mutating func end(_ bytes: Span<UInt8>, from start: Int) -> Int? {
        guard !lines.isEmpty else { return nil }
        let end = start &+ lines.count
        guard end <= bytes.count, bytes.extracting(start..<end).equals(lines.span) else {
            strangers &+= 1
            return nil
        }
        strangers = 0
        return end
    }

    /// How much further back they begin in a head where they begin at `start`: to be asked once a head.
    @inline(__always)
    mutating func move(to start: Int) -> Int {
        defer { self.start = start }
        return start &- self.start
    }
}

extension FieldTable {
    /// Moves all lines by so many bytes; they stay inside a head.
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
    /// What follows from a head's fields may be taken over from the head before: of both being GET, in
    /// origin-form and of HTTP/1.1, all of it does. Nearly all requests are so.
    @inline(__always)
    private var isOrdinary: Bool { method == .get && form == .origin && minorVersion == 1 }

    /// The first line is parsed, and these are the lines behind it: are they those that stand? Then the head
    /// says all that it would after parsing them. The index behind them.
    @inline(__always)
    mutating func recallFields(_ bytes: Span<UInt8>, from start: Int, _ limits: HeadLimits) -> Int? {
        guard isOrdinary, fields.count <= limits.fields, let end = standing.end(bytes, from: start) else {
            return nil
        }
        let distance = standing.move(to: start)
        if distance != 0 { fields.move(by: distance) }
        // Without Host the head was refused.
        authority = fields.first(.host)?.value ?? .empty
        host.start = authority.start
        return end
    }

    /// The head is whole, was not refused, and ends at `end`.
    @inline(__always)
    mutating func rememberFields(_ bytes: Span<UInt8>, end: Int) {
        guard isOrdinary, framing == .none else { return }
        // Behind ` HTTP/1.1` and the line break.
        let start = target.range.upperBound &+ 11
        standing.remember(bytes.extracting(start..<end), at: start)
    }
}
