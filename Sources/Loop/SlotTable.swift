/// Elements at stable addresses, named by handles that go stale when the element goes.
///
/// Elements lie in chunks of 256 that are never moved or freed before the table is, so that growing costs no
/// copy and an element can be mutated in place. Emptied slots are reused last in, first out (their memory is
/// warm). A handle is told from a later use of its slot by 24 bits of generation: it would have to outlive 16
/// million uses of one slot to be mistaken. Confined to one thread.
///
///     chunks[index >> 8][index & 255]     the element; initialised if and only if the slot is live
///     states[index]                       live: generation and kind as in the handle; free: generation
///     nextFree[index]                     free slots only: the one emptied before
@safe
public struct SlotTable<Element: ~Copyable>: ~Copyable {
    @usableFromInline typealias Chunk = UnsafeMutablePointer<Element>

    // All three have room for `capacity` slots (a multiple of 256); [0, used) of `states` is initialised.
    @usableFromInline var chunks: UnsafeMutablePointer<Chunk>
    @usableFromInline var states: UnsafeMutablePointer<UInt32>
    @usableFromInline var nextFree: UnsafeMutablePointer<UInt32>
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
        unsafe chunks = .allocate(capacity: 1)
        unsafe states = .allocate(capacity: 1)
        unsafe nextFree = .allocate(capacity: 1)
    }

    deinit {
        for index in 0..<used where unsafe states[index] & slotKind != 0 {
            // Live slots are initialised.
            unsafe (chunks[index >> chunkShift] + (index & chunkMask)).deinitialize(count: 1)
        }
        for chunk in 0..<(capacity >> chunkShift) { unsafe chunks[chunk].deallocate() }
        unsafe chunks.deallocate()
        unsafe states.deallocate()
        unsafe nextFree.deallocate()
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
        // `states` is initialised below `used`.
        return unsafe states[index] == state
    }

    /// Puts an element into a free slot. Amortised O(1); moves no other element.
    @inlinable
    public mutating func insert(_ element: consuming Element) -> Handle {
        let index = takeSlot()
        // The slot was free, so its memory is uninitialised and its state initialised by takeSlot.
        unsafe (chunks[index >> chunkShift] + (index & chunkMask)).initialize(to: element)
        let generation = unsafe states[index]
        unsafe states[index] = generation | UInt32(kind) << 24
        return Handle(index: UInt32(truncatingIfNeeded: index), generation: generation, kind: kind)
    }

    /// Takes the element out; nil if the handle is stale.
    @inlinable
    public mutating func remove(_ handle: Handle) -> Element? {
        guard contains(handle) else { return nil }
        let index = Int(handle.index)
        giveSlot(index)
        // The slot was live until now: initialised, and nobody else's.
        return unsafe (chunks[index >> chunkShift] + (index & chunkMask)).move()
    }

    /// Takes the element out and ends it in place; false if the handle is stale.
    @inlinable
    @discardableResult
    public mutating func discard(_ handle: Handle) -> Bool {
        guard contains(handle) else { return false }
        let index = Int(handle.index)
        giveSlot(index)
        // As in `remove`.
        unsafe (chunks[index >> chunkShift] + (index & chunkMask)).deinitialize(count: 1)
        return true
    }

    /// The element, in place. The handle must be valid: ask `contains` of one that came from outside the
    /// turn. Inlined: the compiler would else pass a copy of the table's fields to every call.
    @inlinable
    public subscript(handle: Handle) -> Element {
        @inline(__always)
        unsafeAddress {
            precondition(contains(handle), "stale handle")
            let index = Int(handle.index)
            // Live: initialised, and immovable for as long as the access to self lasts.
            return unsafe UnsafePointer(chunks[index >> chunkShift] + (index & chunkMask))
        }
        @inline(__always)
        unsafeMutableAddress {
            precondition(contains(handle), "stale handle")
            let index = Int(handle.index)
            // As above, and exclusive: self is borrowed mutably.
            return unsafe chunks[index >> chunkShift] + (index & chunkMask)
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
            // `states` is initialised below `used`.
            let state = unsafe states[index]
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
            unsafe firstFree = nextFree[index]
            return index
        }
        if used == capacity { grow() }
        let index = used
        // Below `capacity` now.
        unsafe (states + index).initialize(to: 0)
        unsafe (nextFree + index).initialize(to: .max)
        used += 1
        return index
    }

    @inlinable
    mutating func giveSlot(_ index: Int) {
        // A live slot: all three arrays hold it.
        unsafe states[index] = (states[index] &+ 1) & Handle.generationMask
        unsafe nextFree[index] = firstFree
        firstFree = UInt32(truncatingIfNeeded: index)
        live -= 1
    }

    /// One more chunk; the directory and the state arrays double when they are full.
    @usableFromInline
    mutating func grow() {
        let full = capacity >> chunkShift
        precondition(capacity < Int(UInt32.max) - chunkSize, "more slots than a handle can name")
        if full & (full - 1) == 0 {
            // A power of two (or 0) of chunks fills what was allocated.
            let room = max(1, full * 2)
            unsafe chunks = SlotTable.enlarged(chunks, from: full, to: room)
            unsafe states = SlotTable.enlarged(states, from: capacity, to: room << chunkShift)
            unsafe nextFree = SlotTable.enlarged(nextFree, from: capacity, to: room << chunkShift)
        }
        unsafe (chunks + full).initialize(to: .allocate(capacity: chunkSize))
        capacity += chunkSize
    }

    private static func enlarged<T: BitwiseCopyable>(
        _ old: UnsafeMutablePointer<T>, from count: Int, to room: Int
    ) -> UnsafeMutablePointer<T> {
        let fresh = UnsafeMutablePointer<T>.allocate(capacity: room)
        // `old` holds `count` initialised values, and room > count.
        unsafe fresh.moveInitialize(from: old, count: count)
        unsafe old.deallocate()
        return unsafe fresh
    }
}

@inlinable var chunkShift: Int { 8 }
@inlinable var chunkSize: Int { 256 }
@inlinable var chunkMask: Int { 255 }
/// Above the 24 bits of generation.
@inlinable var slotKind: UInt32 { 0xff << 24 }
