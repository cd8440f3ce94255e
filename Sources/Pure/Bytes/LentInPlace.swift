internal import Synchronization

/// Keeps the compiler passing a noncopyable struct by address.
///
/// Swift 6.3 may copy a noncopyable struct when a function borrows it, and when it is built and then moves to
/// its place in a table. It never copies a struct that contains an `Atomic`, because an atomic must keep its
/// address. A struct whose copies cost too much (`FieldTable` has 120 bytes) therefore has this field:
///
///     private let lentInPlace = LentInPlace()
///
/// The field costs one byte. Nothing reads or writes it.
public struct LentInPlace: ~Copyable, Sendable {
    private let anchor = Atomic<Bool>(false)

    public init() {}
}
