/// Elements that are made once and lent where they lie: to use what one holds costs no count of a reference,
/// as a copy out of an array does, and to change one no look whether the table is shared.
@safe
public struct FixedTable<Element: ~Copyable & Sendable>: ~Copyable, Sendable {
    // `count` initialised elements.
    @usableFromInline nonisolated(unsafe) let elements: UnsafeMutablePointer<Element>
    public let count: Int

    public init(count: Int, _ make: (Int) -> Element) {
        precondition(count >= 0)
        self.count = count
        unsafe elements = .allocate(capacity: count)
        // Room for `count`, each initialised once.
        for index in 0..<count { unsafe (elements + index).initialize(to: make(index)) }
    }

    deinit {
        unsafe elements.deinitialize(count: count)
        unsafe elements.deallocate()
    }

    /// All elements, in place.
    @inlinable
    public var span: Span<Element> {
        @_lifetime(borrow self)
        get {
            // Initialised, and there for as long as self is.
            let span = unsafe Span(_unsafeStart: elements, count: count)
            return unsafe _overrideLifetime(span, borrowing: self)
        }
    }

    /// All elements, to be changed in place.
    @inlinable
    public var mutableSpan: MutableSpan<Element> {
        @_lifetime(&self)
        mutating get {
            // As `span`, and exclusive: self is borrowed mutably.
            let span = unsafe MutableSpan(_unsafeStart: elements, count: count)
            return unsafe _overrideLifetime(span, mutating: &self)
        }
    }

    /// The element, in place.
    @inlinable
    public subscript(index: Int) -> Element {
        @inline(__always)
        unsafeAddress {
            precondition(index >= 0 && index < count, "no such element")
            // Initialised, and there for as long as self is.
            return unsafe UnsafePointer(elements + index)
        }
        @inline(__always)
        unsafeMutableAddress {
            precondition(index >= 0 && index < count, "no such element")
            // As above, and exclusive: self is borrowed mutably.
            return unsafe elements + index
        }
    }
}
