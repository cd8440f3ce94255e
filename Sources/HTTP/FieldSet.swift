/// A set of well-known field names as one mask, so that "does this head have any of these twenty fields" is
/// one test.

public struct FieldSet: BitwiseCopyable, Sendable {
    @usableFromInline let mask: UInt128

    @inlinable @inline(__always)
    init(mask: UInt128) { self.mask = mask }

    @inlinable @inline(__always)
    public init(_ name: FieldName) { self.init(mask: 1 << UInt128(name.rawValue)) }

    /// This set and one name more. Chains of literals fold to a constant.
    @inlinable @inline(__always)
    public func with(_ name: FieldName) -> FieldSet { FieldSet(mask: mask | 1 << UInt128(name.rawValue)) }

    @inlinable @inline(__always)
    public func union(_ other: FieldSet) -> FieldSet { FieldSet(mask: mask | other.mask) }

    @inlinable @inline(__always)
    public func contains(_ name: FieldName) -> Bool { mask & (1 << UInt128(name.rawValue)) != 0 }
}

extension FieldTable {
    /// Is there a line of at least one of these names?
    @inlinable @inline(__always)
    public func containsAny(of set: FieldSet) -> Bool { present & set.mask != 0 }
}
