internal import Synchronization

/// Keeps the compiler passing a noncopyable struct by address.
///
/// Swift 6.3 may copy a noncopyable struct bit by bit when a function borrows it, or when it moves to its place
/// in a table. For a struct of more than a hundred bytes, these copies are a large part of a plain hit. The
/// compiler does not copy a struct that contains an `Atomic`, because an atomic must keep its address. So such a
/// struct has a field of this type:
///
///     private let lentInPlace = LentInPlace()
///
/// The field costs one byte. Nothing reads or writes it.
public struct LentInPlace: ~Copyable, Sendable {
    private let anchor = Atomic<Bool>(false)

    public init() {}
}
