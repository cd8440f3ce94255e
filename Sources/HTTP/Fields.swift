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

    // An array, allocated once for the life of a head: reading one element of an InlineArray that is borrowed
    // makes Swift 6.3 copy all 128.
    @usableFromInline var storage: [Field]
    @usableFromInline var present: UInt128
    @usableFromInline var repeated: UInt128
    @inlinable public var count: Int { total }
    @usableFromInline var total: Int
    // Of a struct with an atomic in it the compiler lends the address; Swift 6.3 would else copy the table,
    // and with it all 120 bytes of its head, for every call that borrows one.
    private let anchor = Atomic<Bool>(false)

    public init() {
        storage = Array(repeating: .none, count: Self.capacity)
        present = 0
        repeated = 0
        total = 0
    }

    @inlinable
    public subscript(_ index: Int) -> Field {
        precondition(index < count)
        return storage[index]
    }

    /// Is there at least one line of this well-known name?
    @inlinable @inline(__always)
    public func contains(_ id: FieldName) -> Bool { present & (1 &<< UInt128(id.rawValue)) != 0 }

    /// Are there two lines or more of this name? (Of `.other`: of any names that no rule knows.)
    @inlinable @inline(__always)
    public func isRepeated(_ id: FieldName) -> Bool { repeated & (1 &<< UInt128(id.rawValue)) != 0 }

    /// The first line of this name.
    @inlinable
    public func first(_ id: FieldName) -> Field? {
        guard contains(id) else { return nil }
        for index in 0..<count where storage[index].id == id { return storage[index] }
        return nil
    }

    /// How many lines of this name there are.
    @inlinable
    public func count(of id: FieldName) -> Int {
        guard contains(id) else { return 0 }
        var total = 0
        for index in 0..<count where storage[index].id == id { total &+= 1 }
        return total
    }

    @inlinable
    public mutating func removeAll() {
        present = 0
        repeated = 0
        total = 0
    }

    /// Adds a line; false when the table is full.
    @inlinable @inline(__always)
    public mutating func append(_ field: Field) -> Bool {
        guard count < Self.capacity else { return false }
        storage[total] = field
        let bit: UInt128 = 1 &<< UInt128(field.id.rawValue)
        repeated |= present & bit
        present |= bit
        total &+= 1
        return true
    }
}
