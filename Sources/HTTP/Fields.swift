/// Heads as offsets into the buffer they were parsed from: nothing is copied, nothing is allocated.
///
/// A head is at most 65 535 bytes (`HeadLimits`), so that offsets fit 16 bits.

internal import Synchronization

/// A run of bytes of a head, relative to the head's first byte.
public struct Slice: BitwiseCopyable, Sendable, Equatable {
    public var start: UInt16
    public var count: UInt16

    @inlinable
    public init(start: Int, count: Int) {
        self.start = UInt16(start)
        self.count = UInt16(count)
    }

    /// A run that a parser found inside a head, whose offsets are known to fit.
    @inline(__always)
    init(parsed start: Int, count: Int) {
        self.start = UInt16(truncatingIfNeeded: start)
        self.count = UInt16(truncatingIfNeeded: count)
    }

    @inlinable
    public init(_ range: Range<Int>) { self.init(start: range.lowerBound, count: range.count) }

    @inlinable public static var empty: Slice { Slice(start: 0, count: 0) }
    @inlinable public var isEmpty: Bool { count == 0 }
    @inlinable public var range: Range<Int> { Int(start)..<(Int(start) &+ Int(count)) }
}

extension Span<UInt8> {
    /// The bytes that `slice` names; `self` is the buffer that begins with the head.
    @_lifetime(copy self)
    @inlinable
    public func slice(_ slice: Slice) -> Span<UInt8> { extracting(slice.range) }
}

/// One field line.
public struct Field: BitwiseCopyable, Sendable {
    public var name: Slice
    /// Without the white space around it.
    public var value: Slice
    /// The well-known name, found while parsing; `.other` for the rest.
    public var id: FieldName

    @inlinable
    public init(name: Slice, value: Slice, id: FieldName) {
        self.name = name
        self.value = value
        self.id = id
    }

    @inlinable
    public static var none: Field { Field(name: .empty, value: .empty, id: .other) }
}

/// The field lines of one head in their order, with a bit per well-known name so that "is there any" is one
/// test.
public struct FieldTable: ~Copyable {
    /// The most lines a head may have; `limits.requestHeaders` may only lower it.
    public static var capacity: Int { 128 }

    // Row n holds line n, and beside it the number of the first line whose name is number n: a name is looked
    // up without a search, and nothing is cleared, for `present` tells which names are there.
    @usableFromInline
    struct Row: BitwiseCopyable, Sendable {
        @usableFromInline var field: Field = .none
        @usableFromInline var firstLine: UInt8 = 0

        @inlinable
        init() {}
    }

    // An array, allocated once for the life of a head: reading one element of an InlineArray that is borrowed
    // makes Swift 6.3 copy all 128.
    @usableFromInline var storage: [Row]
    @usableFromInline var present = FieldSet()
    @usableFromInline var repeated = FieldSet()
    @inlinable public var count: Int { total }
    @usableFromInline var total: Int
    // Of a struct with an atomic in it the compiler lends the address; Swift 6.3 would else copy the table,
    // and with it all 120 bytes of its head, for every call that borrows one.
    private let anchor = Atomic<Bool>(false)

    public init() {
        storage = Array(repeating: Row(), count: Self.capacity)
        total = 0
    }

    @inlinable
    public subscript(_ index: Int) -> Field {
        precondition(index < count)
        return storage[index].field
    }

    /// Is there at least one line of this well-known name?
    @inlinable @inline(__always)
    public func contains(_ id: FieldName) -> Bool { present.contains(id) }

    /// Are there two lines or more of this name? (Of `.other`: of any names that no rule knows.)
    @inlinable @inline(__always)
    public func isRepeated(_ id: FieldName) -> Bool { repeated.contains(id) }

    /// The first line of this name.
    @inlinable @inline(__always)
    public func first(_ id: FieldName) -> Field? {
        contains(id) ? storage[firstLine(id)].field : nil
    }

    /// How many lines of this name there are.
    @inlinable
    public func count(of id: FieldName) -> Int {
        var total = 0
        for index in range(of: id) where storage[index].field.id == id { total &+= 1 }
        return total
    }

    /// Where lines of this name are: from the first to the end of the table if there are more, empty if there
    /// is none.
    @inlinable @inline(__always)
    public func range(of id: FieldName) -> Range<Int> {
        guard contains(id) else { return 0..<0 }
        let first = firstLine(id)
        return first..<(isRepeated(id) ? count : first &+ 1)
    }

    /// The number of the first line of a name that is there.
    @inlinable @inline(__always)
    func firstLine(_ id: FieldName) -> Int { Int(storage[Int(id.rawValue)].firstLine) }

    @inlinable
    public mutating func removeAll() {
        present = FieldSet()
        repeated = FieldSet()
        total = 0
    }

    /// Finds out which names the first `count` rows have, whose lines came without, and tells which names are
    /// there, and which more than once. A loop of its own: together with the one that finds the lines it
    /// would want for registers.
    @inline(never)
    static func identifyNames(
        _ rows: inout MutableSpan<Row>, count: Int, _ bytes: Span<UInt8>
    ) -> (present: FieldSet, repeated: FieldSet) {
        var (present, repeated) = (FieldSet(), FieldSet())
        // From the last line to the first, so that of several lines the first has the last word.
        var line = count
        while line > 0 {
            line &-= 1
            let name = rows[line].field.name
            let id = FieldName.identify(bytes, from: Int(name.start), count: Int(name.count))
            rows[line].field.id = id
            present.insert(id, repeated: &repeated)
            rows[Int(id.rawValue)].firstLine = UInt8(truncatingIfNeeded: line)
        }
        return (present, repeated)
    }
}
