/// A set of well-known field names as a mask of two words. Testing a head for any of twenty fields is then
/// two tests.

public struct FieldSet: BitwiseCopyable, Sendable {
    /// Names 0 to 63, and names from 64 on.
    @usableFromInline var low: UInt64
    @usableFromInline var high: UInt64

    @inlinable @inline(__always)
    init() {
        low = 0
        high = 0
    }

    @inlinable @inline(__always)
    public init(_ name: FieldName) {
        self.init()
        insert(name)
    }

    /// Every name, `.other` included.
    @inlinable @inline(__always)
    public static var all: FieldSet {
        var set = FieldSet()
        (set.low, set.high) = (.max, .max)
        return set
    }

    /// This set with one more name. A chain of literals folds to a constant.
    @inlinable @inline(__always)
    public func with(_ name: FieldName) -> FieldSet {
        var set = self
        set.insert(name)
        return set
    }

    @inlinable @inline(__always)
    public func union(_ other: FieldSet) -> FieldSet {
        var set = self
        set.low |= other.low
        set.high |= other.high
        return set
    }

    @inlinable @inline(__always)
    public func contains(_ name: FieldName) -> Bool {
        // The shift takes its count modulo 64.
        (name.rawValue < 64 ? low : high) & (1 &<< UInt64(name.rawValue)) != 0
    }

    @inlinable @inline(__always)
    mutating func insert(_ name: FieldName) {
        // The shift takes its count modulo 64.
        let bit: UInt64 = 1 &<< UInt64(name.rawValue)
        if name.rawValue < 64 { low |= bit } else { high |= bit }
    }

    /// Inserts a name. If the set already contains it, inserts it into `repeated` too.
    @inline(__always)
    mutating func insert(_ name: FieldName, repeated: inout FieldSet) {
        // The shift takes its count modulo 64.
        let bit: UInt64 = 1 &<< UInt64(name.rawValue)
        if name.rawValue < 64 {
            repeated.low |= low & bit
            low |= bit
        } else {
            repeated.high |= high & bit
            high |= bit
        }
    }
}

extension FieldTable {
    /// Is there a line of at least one of these names?
    @inlinable @inline(__always)
    public func containsAny(of set: FieldSet) -> Bool {
        (present.low & set.low) | (present.high & set.high) != 0
    }
}
