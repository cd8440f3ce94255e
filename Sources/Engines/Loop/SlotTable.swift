/// Elements at stable addresses, named by handles that go stale when the element goes.
///
/// Elements lie in chunks of 256 that are never moved or freed before the table is, so that growing costs no
/// copy and an element can be mutated in place. Emptied slots are reused last in, first out (their memory is
/// warm). A handle is told from a later use of its slot by 24 bits of generation: it would have to outlive 16
/// million uses of one slot to be mistaken. Confined to one thread.
///
/// Each element may have one deadline, which ends with the element (`TimerWheel`).
///
///     slots[index].element    its place in a chunk; initialised if and only if the slot is live
///     slots[index].word       live: the handle, whose low half is `index`
///                             free: generation, and in the low half the slot emptied before, or `~index`
///
/// Slots are a power of two in number, all of them initialised, so that any handle leads to one: to
/// `index & mask`. It is that handle's if the word is the same; a free slot's never is, because no low half
/// that leads to a slot is found in it while it is free.
@safe
public struct SlotTable<Element: ~Copyable>: ~Copyable {
    @safe
    @usableFromInline
    struct Slot: BitwiseCopyable {
        @usableFromInline var element: UnsafeMutablePointer<Element>?
        @usableFromInline var word: UInt64

        @inlinable
        init(free index: Int) {
            unsafe element = nil
            word = UInt64(~UInt32(truncatingIfNeeded: index))
        }
    }

    // Room for `mask + 1` slots (two, then a multiple of 256), all of them initialised.
    @usableFromInline var slots: UnsafeMutablePointer<Slot>
    @usableFromInline var mask = 1
    // Slots that have an element's place.
    @usableFromInline var capacity = 0
    // Slots that were ever used.
    @usableFromInline var used = 0
    @usableFromInline var firstFree = UInt32.max
    @usableFromInline var live = 0
    @usableFromInline var timers: TimerWheel
    /// The kind of this table's handles.
    public let kind: UInt8

    /// An empty table; memory for elements comes with the first.
    /// - Parameter now: when the time of the elements' deadlines begins (milliseconds, monotonic).
    public init(kind: UInt8, now: UInt64 = 0) {
        precondition(kind != Token(.max).kind && kind != 0, "reserved for Handle.none and for free slots")
        self.kind = kind
        timers = TimerWheel(now: now)
        unsafe slots = SlotTable.freeSlots(2)
    }

    deinit {
        var position = 0
        // Live slots are initialised.
        while let handle = next(from: &position) { unsafe element(handle).deinitialize(count: 1) }
        // Each chunk is named by the first of its slots.
        for first in stride(from: 0, to: capacity, by: chunkSize) {
            unsafe slots[first].element?.deallocate()
        }
        unsafe slots.deallocate()
    }

    /// Live elements.
    @inlinable public var count: Int { live }
    /// Every index ever handed out is below it: what arrays beside the table need.
    @inlinable public var indexLimit: Int { used }

    /// Whether the handle's element is still there.
    @inlinable @inline(__always)
    public func contains(_ handle: Handle<Element>) -> Bool {
        // Masked: there is such a slot.
        unsafe slots[Int(handle.index) & mask].word == handle.token
    }

    /// Puts an element into a free slot. Amortised O(1); moves no other element.
    @inlinable @inline(__always)
    public mutating func insert(_ element: consuming Element) -> Handle<Element> {
        let handle = takeSlot()
        // The slot was free, so its element is uninitialised.
        unsafe self.element(handle).initialize(to: element)
        return handle
    }

    /// Takes the element out; nil if the handle is stale.
    @inlinable
    public mutating func remove(_ handle: Handle<Element>) -> Element? {
        guard contains(handle) else { return nil }
        giveSlot(handle)
        // The slot was live until now: initialised, and nobody else's.
        return unsafe element(handle).move()
    }

    /// Takes the element out and ends it in place; false if the handle is stale.
    @inlinable @inline(__always)
    @discardableResult
    public mutating func discard(_ handle: Handle<Element>) -> Bool {
        guard contains(handle) else { return false }
        giveSlot(handle)
        // As in `remove`.
        unsafe element(handle).deinitialize(count: 1)
        return true
    }

    /// The element, in place. The handle must be valid: ask `contains` of one that came from outside the
    /// turn. Inlined: the compiler would else pass a copy of the table's fields to every call.
    @inlinable
    public subscript(handle: Handle<Element>) -> Element {
        @inline(__always)
        unsafeAddress {
            precondition(contains(handle), "stale handle")
            // Live: initialised, and immovable for as long as the access to self lasts.
            return unsafe UnsafePointer(element(handle))
        }
        @inline(__always)
        unsafeMutableAddress {
            precondition(contains(handle), "stale handle")
            // As above, and exclusive: self is borrowed mutably.
            return unsafe element(handle)
        }
    }

    /// The place of a slot that has been used.
    @inlinable @inline(__always)
    func element(_ handle: Handle<Element>) -> UnsafeMutablePointer<Element> {
        // Used slots are below `capacity`: they have a place.
        unsafe slots[Int(handle.index) & mask].element.unsafelyUnwrapped
    }

    /// The handle of the first live element at or after `position`, which then moves behind it; nil at the
    /// end. Elements may be inserted, mutated and removed between calls. Walk with `var position = 0; while
    /// let handle = table.next(from: &position) { … }`.
    @inlinable
    public func next(from position: inout Int) -> Handle<Element>? {
        while position < used {
            let index = position
            position += 1
            // Below `used`: initialised.
            let word = unsafe slots[index].word
            if Int(UInt32(truncatingIfNeeded: word)) == index { return Handle(token: word) }
        }
        return nil
    }

    // MARK: Deadlines

    /// Sets or moves the element's deadline. Later than before: one store.
    @inlinable @inline(__always)
    public mutating func setDeadline(_ handle: Handle<Element>, at deadline: UInt64) {
        timers.set(id: handle.slot, deadline: deadline)
    }

    @inlinable @inline(__always)
    public mutating func cancelDeadline(_ handle: Handle<Element>) { timers.cancel(handle.slot) }

    /// The element's deadline, if it has one.
    @inlinable
    public func deadline(of handle: Handle<Element>) -> UInt64? { timers.deadline(of: handle.slot) }

    /// The next element whose deadline has passed, which then has none; nil when there is no more. Call it
    /// until nil.
    @inlinable @inline(__always)
    public mutating func popExpired(now: UInt64) -> Handle<Element>? {
        guard let slot = timers.popExpired(now: now) else { return nil }
        // Only live elements have deadlines, and their slots are below `used`.
        return unsafe Handle(token: slots[slot].word)
    }

    /// Milliseconds until `popExpired` may have something to do; nil when no deadline is set.
    @inlinable @inline(__always)
    public func timeout(now: UInt64) -> Int? { timers.timeout(now: now) }

    /// Makes a free slot live; its element is yet to be initialised.
    @inlinable @inline(__always)
    mutating func takeSlot() -> Handle<Element> {
        live += 1
        var index = UInt32(truncatingIfNeeded: used)
        if firstFree != .max {
            index = firstFree
            // Free slots are below `used`.
            let before = UInt32(truncatingIfNeeded: unsafe slots[Int(index)].word)
            firstFree = before == ~index ? .max : before
        } else {
            if used == capacity { grow() }
            used += 1
        }
        let generation = unsafe UInt32(truncatingIfNeeded: slots[Int(index)].word >> 32)
        let handle = Handle<Element>(Token(index: index, generation: generation, kind: kind))
        unsafe slots[Int(index)].word = handle.token
        return handle
    }

    @inlinable @inline(__always)
    mutating func giveSlot(_ handle: Handle<Element>) {
        timers.cancel(handle.slot)
        let before = firstFree == .max ? ~handle.index : firstFree
        let generation = (Token(handle.token).generation &+ 1) & Token.generationMask
        // A live slot: below `used`.
        unsafe slots[Int(handle.index)].word = UInt64(generation) << 32 | UInt64(before)
        firstFree = handle.index
        live -= 1
    }

    /// One more chunk; the slots double when all of them have a place.
    @usableFromInline
    mutating func grow() {
        precondition(capacity + chunkSize <= 1 << 31, "more slots than a handle can name")
        let room = mask + 1
        if capacity + chunkSize > room {
            let fresh = unsafe SlotTable.freeSlots(max(chunkSize, room * 2))
            // Both have room for what has been used.
            unsafe fresh.update(from: slots, count: used)
            unsafe slots.deallocate()
            unsafe slots = fresh
            mask = max(chunkSize, room * 2) - 1
        }
        let chunk = UnsafeMutablePointer<Element>.allocate(capacity: chunkSize)
        // Room as above; the chunk has as many elements.
        for index in 0..<chunkSize { unsafe slots[capacity + index].element = unsafe chunk + index }
        capacity += chunkSize
    }

    private static func freeSlots(_ count: Int) -> UnsafeMutablePointer<Slot> {
        let slots = UnsafeMutablePointer<Slot>.allocate(capacity: count)
        // Allocated just now.
        for index in 0..<count { unsafe (slots + index).initialize(to: Slot(free: index)) }
        return unsafe slots
    }
}

@inlinable var chunkSize: Int { 256 }
