/// The lines of a head in the order of their names, to find a name among many in a few comparisons.
///
/// Names are ordered by length, then by their bytes in lower case, eight at a time. Sorting compares each
/// name at most seven times, a search compares a name at most eight times, and each comparison ends at the
/// shorter name: so the work is near linear in the bytes of the head, whatever a sender writes.
import Bytes

struct SortedNames {
    private var order = InlineArray<128, UInt8>(repeating: 0)
    private let count: Int

    init(_ fields: borrowing FieldTable, _ bytes: Span<UInt8>) {
        count = fields.count
        for line in 0..<count {
            let name = bytes.slice(fields[line].name)
            var slot = Self.firstSlot(of: name, among: line, order, fields, bytes)
            var moved = UInt8(line)
            while slot <= line {
                swap(&moved, &order[slot])
                slot &+= 1
            }
        }
    }

    /// Inserts all lines of this name. `CDN-Loop` is never among them: no client may take it away (RFC 8586
    /// §2).
    func insertLines(
        named name: Span<UInt8>, _ fields: borrowing FieldTable, _ bytes: Span<UInt8>,
        into lines: inout LineSet
    ) {
        var slot = Self.firstSlot(of: name, among: count, order, fields, bytes)
        while slot < count {
            let line = Int(order[slot])
            // Named a second time: its lines are all in.
            guard !lines.contains(line), fields[line].id != .cdnLoop,
                bytes.slice(fields[line].name).equalsIgnoringCase(name)
            else { return }
            lines.insert(line)
            slot &+= 1
        }
    }

    /// The first of `count` slots whose name does not come before this one.
    private static func firstSlot(
        of name: Span<UInt8>, among count: Int, _ order: InlineArray<128, UInt8>,
        _ fields: borrowing FieldTable, _ bytes: Span<UInt8>
    ) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low &+ high) &>> 1
            if bytes.slice(fields[Int(order[middle])].name).isOrdered(before: name) {
                low = middle &+ 1
            } else {
                high = middle
            }
        }
        return low
    }
}

/// Lines of one head, as bits.
@usableFromInline
struct LineSet: BitwiseCopyable, Sendable {
    @usableFromInline var low: UInt64 = 0
    @usableFromInline var high: UInt64 = 0

    @usableFromInline
    init() {}

    @inlinable var isEmpty: Bool { low | high == 0 }

    @inlinable
    func contains(_ line: Int) -> Bool { (line < 64 ? low : high) & (1 &<< UInt64(line)) != 0 }

    mutating func insert(_ line: Int) {
        if line < 64 { low |= 1 &<< UInt64(line) } else { high |= 1 &<< UInt64(line) }
    }
}

extension Span<UInt8> {
    fileprivate func isOrdered(before other: Span<UInt8>) -> Bool {
        guard count == other.count else { return count < other.count }
        var index = 0
        while index < count {
            let length = Swift.min(8, count &- index)
            let mine = word(at: index, length: length).lowercasedLetters
            let others = other.word(at: index, length: length).lowercasedLetters
            if mine != others { return mine < others }
            index &+= length
        }
        return false
    }
}

extension UInt64 {
    /// Eight bytes with the ASCII capitals made small, and no other byte changed.
    fileprivate var lowercasedLetters: UInt64 {
        let low = self & 0x7f7f_7f7f_7f7f_7f7f
        let fromA = low &+ 0x3f3f_3f3f_3f3f_3f3f
        let pastZ = low &+ 0x2525_2525_2525_2525
        let isCapital = fromA & ~pastZ & ~self & 0x8080_8080_8080_8080
        return self | isCapital &>> 2
    }
}
