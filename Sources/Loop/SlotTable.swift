/// Elements at stable addresses, named by handles that go stale when the element goes.
///
/// Elements lie in chunks of 256 that are never moved or freed before the table is, so that growing costs no
/// copy and an element can be mutated in place. Emptied slots are reused last in, first out (their memory is
/// warm). A handle is told from a later use of its slot by 24 bits of generation: it would have to outlive 16
/// million uses of one slot to be mistaken. Confined to one thread.
///
///     slots[index].element     its place in a chunk; initialised if and only if the slot is live
///     slots[index].state       live: generation and kind as in the handle; free: generation
///     slots[index].nextFree    free slots only: the one emptied before
@safe
public struct SlotTable<Element: ~Copyable>: ~Copyable {
    @safe
    @usableFromInline
    struct Slot: BitwiseCopyable {
        @usableFromInline let element: UnsafeMutablePointer<Element>
        @usableFromInline var state: UInt32
        @usableFromInline var nextFree: UInt32

        @inlinable
        init(_ element: UnsafeMutablePointer<Element>) {
            unsafe self.element = unsafe element
            state = 0
            nextFree = .max
        }
    }

    // Room for `capacity` slots (a multiple of 256), all of them initialised.
    @usableFromInline var slots: UnsafeMutablePointer<Slot>
    @usableFromInline var capacity = 0
    // Slots that were ever used.
    @usableFromInline var used = 0
    @usableFromInline var firstFree = UInt32.max
    @usableFromInline var live = 0
    /// The kind of this table's handles.
    public let kind: UInt8

    /// An empty table; memory comes with the first element.
    public init(kind: UInt8) {
        precondition(kind != Handle.none.kind && kind != 0, "reserved for Handle.none and for free slots")
        self.kind = kind
        unsafe slots = .allocate(capacity: 1)
    }

    deinit {
        for index in 0..<used where unsafe slots[index].state & slotKind != 0 {
            // Live slots are initialised.
            unsafe slots[index].element.deinitialize(count: 1)
        }
        // Each chunk is named by the first of its slots.
        for first in stride(from: 0, to: capacity, by: chunkSize) { unsafe slots[first].element.deallocate() }
        unsafe slots.deallocate()
    }

    /// Live elements.
    @inlinable public var count: Int { live }
    /// Every index ever handed out is below it: what arrays beside the table need.
    @inlinable public var indexLimit: Int { used }

    /// Whether the handle's element is still there.
    @inlinable @inline(__always)
    public func contains(_ handle: Handle) -> Bool {
        let index = Int(handle.index)
        let state = UInt32(truncatingIfNeeded: handle.token >> 32)
        // A free slot's state has no kind; a live one's has this table's.
        guard index < used, state & slotKind != 0 else { return false }
        // Below `used`: initialised.
        return unsafe slots[index].state == state
    }

    /// Puts an element into a free slot. Amortised O(1); moves no other element.
    @inlinable @inline(__always)
    public mutating func insert(_ element: consuming Element) -> Handle {
        let index = takeSlot()
        // The slot was free, so its element is uninitialised.
        unsafe slots[index].element.initialize(to: element)
        let generation = unsafe slots[index].state
        unsafe slots[index].state = generation | UInt32(kind) << 24
        return Handle(index: UInt32(truncatingIfNeeded: index), generation: generation, kind: kind)
    }

    /// Takes the element out; nil if the handle is stale.
    @inlinable
    public mutating func remove(_ handle: Handle) -> Element? {
        guard contains(handle) else { return nil }
        let index = Int(handle.index)
        giveSlot(index)
        // The slot was live until now: initialised, and nobody else's.
        return unsafe slots[index].element.move()
    }

    /// Takes the element out and ends it in place; false if the handle is stale.
    @inlinable
    @discardableResult
    public mutating func discard(_ handle: Handle) -> Bool {
        guard contains(handle) else { return false }
        let index = Int(handle.index)
        giveSlot(index)
        // As in `remove`.
        unsafe slots[index].element.deinitialize(count: 1)
        return true
    }

    /// The element, in place. The handle must be valid: ask `contains` of one that came from outside the
    /// turn. Inlined: the compiler would else pass a copy of the table's fields to every call.
    @inlinable
    public subscript(handle: Handle) -> Element {
        @inline(__always)
        unsafeAddress {
            precondition(contains(handle), "stale handle")
            // Live: initialised, and immovable for as long as the access to self lasts.
            return unsafe UnsafePointer(slots[Int(handle.index)].element)
        }
        @inline(__always)
        unsafeMutableAddress {
            precondition(contains(handle), "stale handle")
            // As above, and exclusive: self is borrowed mutably.
            return unsafe slots[Int(handle.index)].element
        }
    }

    /// The handle of the first live element at or after `position`, which then moves behind it; nil at the
    /// end. Elements may be inserted, mutated and removed between calls. Walk with `var position = 0; while
    /// let handle = table.next(from: &position) { … }`.
    @inlinable
    public func next(from position: inout Int) -> Handle? {
        while position < used {
            let index = position
            position += 1
            // Below `used`: initialised.
            let state = unsafe slots[index].state
            if state & slotKind != 0 {
                return Handle(index: UInt32(truncatingIfNeeded: index), generation: state, kind: kind)
            }
        }
        return nil
    }

    /// A free slot's index; its state is its generation.
    @inlinable
    mutating func takeSlot() -> Int {
        live += 1
        if firstFree != .max {
            let index = Int(firstFree)
            // Free slots are below `used`.
            unsafe firstFree = slots[index].nextFree
            return index
        }
        if used == capacity { grow() }
        used += 1
        return used - 1
    }

    @inlinable
    mutating func giveSlot(_ index: Int) {
        // A live slot: below `used`.
        unsafe slots[index].state = (slots[index].state &+ 1) & Handle.generationMask
        unsafe slots[index].nextFree = firstFree
        firstFree = UInt32(truncatingIfNeeded: index)
        live -= 1
    }

    /// One more chunk; the slots double when they are full.
    @usableFromInline
    mutating func grow() {
        let full = capacity / chunkSize
        precondition(capacity < Int(UInt32.max) - chunkSize, "more slots than a handle can name")
        if full & (full - 1) == 0 {
            // A power of two (or 0) of chunks fills what was allocated.
            let fresh = UnsafeMutablePointer<Slot>.allocate(capacity: max(1, full * 2) * chunkSize)
            // `slots` holds `capacity` initialised ones, and there is room for more.
            unsafe fresh.moveInitialize(from: slots, count: capacity)
            unsafe slots.deallocate()
            unsafe slots = fresh
        }
        let chunk = UnsafeMutablePointer<Element>.allocate(capacity: chunkSize)
        for index in 0..<chunkSize {
            // Room as above; the chunk has as many elements.
            unsafe (slots + capacity + index).initialize(to: Slot(chunk + index))
        }
        capacity += chunkSize
    }
}

@inlinable var chunkSize: Int { 256 }
/// Above the 24 bits of generation.
@inlinable var slotKind: UInt32 { 0xff << 24 }
