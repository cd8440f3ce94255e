/// The lines of a head, sorted by name, to find one of many names in a few comparisons.
///
/// The order is by length, then by the bytes in lower case, eight at a time. Sorting compares each name at
/// most seven times, and a search makes at most eight comparisons. Each comparison ends at the end of the
/// shorter name. So the work is almost linear in the bytes of the head, for any head a sender may write.
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

    /// Inserts all lines of this name into `lines`, except `CDN-Loop`: a client must not be able to remove
    /// that field (RFC 8586 §2).
    func insertLines(
        named name: Span<UInt8>, _ fields: borrowing FieldTable, _ bytes: Span<UInt8>,
        into lines: inout LineSet
    ) {
        var slot = Self.firstSlot(of: name, among: count, order, fields, bytes)
        while slot < count {
            let line = Int(order[slot])
            // If the first line is already in the set, the name was nominated before.
            guard !lines.contains(line), fields[line].id != .cdnLoop,
                bytes.slice(fields[line].name).equalsIgnoringCase(name)
            else { return }
            lines.insert(line)
            slot &+= 1
        }
    }

    /// The first of `count` slots whose name is equal to this name or behind it.
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

/// A set of lines of one head, as a bit mask.
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
    /// Eight bytes in ASCII lower case. Bytes that are not ASCII capitals keep their value.
    fileprivate var lowercasedLetters: UInt64 {
        let low = self & 0x7f7f_7f7f_7f7f_7f7f
        let fromA = low &+ 0x3f3f_3f3f_3f3f_3f3f
        let pastZ = low &+ 0x2525_2525_2525_2525
        let isCapital = fromA & ~pastZ & ~self & 0x8080_8080_8080_8080
        return self | isCapital &>> 2
    }
}
