/// Deadlines for dense ids: a hierarchical timing wheel (Varghese and Lauck, 1987) that re-inserts lazily.
///
/// Time is in milliseconds, given by the caller, counted in ticks of 8 ms. Level 0 has a slot for each of the
/// next 64 ticks, level n for each of the next 64 runs of 64ⁿ ticks: seven levels reach a thousand years. An
/// id hangs in the slot that its deadline had when it was linked; when the wheel reaches the slot, ids whose
/// deadline has moved on are linked anew, and on levels above 0 all move down.
///
/// Invariants:
/// - an id expires at the first `popExpired` whose `now` is at or after the tick that follows its deadline:
///   never early, and late by less than 8 ms on the wheel's side;
/// - a linked id's slot begins (`visit`) at or before its deadline's tick, so pushing it later is one store;
/// - a slot holds only ticks from `current` on, and a level only what differs from `current` in its own digit
///   first: so the first occupied slot of the lowest level is the next thing to do.
@safe
public struct TimerWheel: ~Copyable {
    /// 24 bytes an id.
    @usableFromInline
    struct Node: BitwiseCopyable {
        /// Milliseconds; `never` when not set.
        @usableFromInline var deadline = never
        /// The begin of the slot that it hangs in, in milliseconds; `never` when it hangs nowhere.
        @usableFromInline var visit = never
        @usableFromInline var next = nowhere
        /// The id before; for the first of a slot `slotTag` and the slot's number.
        @usableFromInline var previous = nowhere

        @usableFromInline init() {}
    }

    // `capacity` initialised nodes.
    @usableFromInline var nodes: UnsafeMutablePointer<Node>
    @usableFromInline var capacity: Int
    /// The tick that has been reached.
    @usableFromInline var current: UInt64
    /// No occupied slot begins before this tick: what a turn with nothing to expire looks at.
    @usableFromInline var earliest = UInt64.max
    /// First id of each slot, level by level.
    private var heads = InlineArray<448, UInt32>(repeating: nowhere)
    /// One bit for each slot that has ids.
    private var occupied = InlineArray<7, UInt64>(repeating: 0)

    /// A wheel whose time begins at `now` (milliseconds, monotonic).
    public init(now: UInt64) {
        current = min(now >> tickShift, lastTick)
        capacity = 64
        unsafe nodes = .allocate(capacity: 64)
        unsafe nodes.initialize(repeating: Node(), count: 64)
    }

    deinit { unsafe nodes.deallocate() }

    /// Sets or moves an id's deadline. Later than before: one store. Memory grows to the largest id.
    @inlinable
    public mutating func set(id: Int, deadline: UInt64) {
        precondition(id >= 0)
        if id >= capacity { grow(to: id) }
        // Below `capacity`: initialised.
        let node = unsafe nodes + id
        let bounded = min(deadline, latestDeadline)
        unsafe node.pointee.deadline = bounded
        // `never` of an unlinked node is later than any deadline.
        if unsafe bounded < node.pointee.visit { relink(id) }
    }

    /// Forgets an id's deadline. One store: the wheel drops the id when it comes by.
    @inlinable
    public mutating func cancel(_ id: Int) {
        // Below `capacity`: initialised.
        if id >= 0, id < capacity { unsafe nodes[id].deadline = never }
    }

    /// The deadline of an id, if it has one.
    @inlinable
    public func deadline(of id: Int) -> UInt64? {
        guard id >= 0, id < capacity else { return nil }
        // Below `capacity`: initialised.
        let deadline = unsafe nodes[id].deadline
        return deadline == never ? nil : deadline
    }

    /// The next id whose deadline is over, which then has none; nil when there is no more. Call it until nil.
    /// Not in the order of deadlines within what has expired by `now`. A `now` that goes back does nothing.
    @inlinable @inline(__always)
    public mutating func popExpired(now: UInt64) -> Int? {
        let nowTick = min(now >> tickShift, lastTick)
        if nowTick >= earliest { return popDue(now: now, nowTick) }
        current = max(current, nowTick)
        return nil
    }

    @usableFromInline
    mutating func popDue(now: UInt64, _ nowTick: UInt64) -> Int? {
        while let (slot, begin) = nextSlot(), begin <= nowTick {
            current = begin
            if slot >= slotsPerLevel {
                cascade(slot)
                continue
            }
            let id = Int(heads[slot])
            unlink(id)
            // Linked ids are below `capacity`.
            let deadline = unsafe nodes[id].deadline
            if deadline == never { continue }
            if deadline <= now {
                unsafe nodes[id].deadline = never
                return id
            }
            // Pushed later since it was linked.
            link(id)
        }
        current = max(current, nowTick)
        earliest = nextSlot()?.begin ?? .max
        return nil
    }

    /// Milliseconds until `popExpired` may have something to do (an expiry, or ids to move); nil when nothing
    /// is set. Never too late; too early by what was cancelled or moved since.
    @inlinable @inline(__always)
    public func timeout(now: UInt64) -> Int? {
        if earliest == .max { return nil }
        let due = earliest << tickShift
        return due <= now ? 0 : Int(due - now)
    }

    // MARK: Slots

    /// The next occupied slot and the tick at which it begins.
    private func nextSlot() -> (slot: Int, begin: UInt64)? {
        for level in 0..<levels {
            let bits = occupied[level]
            if bits == 0 { continue }
            let shift = UInt64(level * 6)
            let digit = bits.trailingZeroBitCount
            let begin = (current >> (shift + 6)) << (shift + 6) | UInt64(digit) << shift
            // The current tick's own slot may hold what was late when it was set.
            return (level * slotsPerLevel + digit, begin)
        }
        return nil
    }

    private mutating func link(_ id: Int) {
        // Linked ids are below `capacity`, here and in what follows.
        let deadline = unsafe nodes[id].deadline
        // Rounded up: a tick is over when its begin has been reached.
        let tick = max((deadline + ticksMask) >> tickShift, current)
        let level = tick == current ? 0 : (63 - (tick ^ current).leadingZeroBitCount) / 6
        let shift = UInt64(level * 6)
        let digit = Int((tick >> shift) & 63)
        let slot = level * slotsPerLevel + digit
        let next = heads[slot]
        earliest = min(earliest, (tick >> shift) << shift)
        unsafe nodes[id].visit = (tick >> shift) << (shift + tickShift)
        unsafe nodes[id].next = next
        unsafe nodes[id].previous = slotTag | UInt32(slot)
        if next != nowhere { unsafe nodes[Int(next)].previous = UInt32(id) }
        heads[slot] = UInt32(id)
        occupied[level] |= 1 << UInt64(digit)
    }

    private mutating func unlink(_ id: Int) {
        let node = unsafe nodes[id]
        if node.next != nowhere { unsafe nodes[Int(node.next)].previous = node.previous }
        if node.previous & slotTag != 0 {
            let slot = Int(node.previous & ~slotTag)
            heads[slot] = node.next
            if node.next == nowhere { occupied[slot / slotsPerLevel] &= ~(1 << UInt64(slot % slotsPerLevel)) }
        } else {
            unsafe nodes[Int(node.previous)].next = node.next
        }
        unsafe nodes[id].visit = never
        unsafe nodes[id].next = nowhere
        unsafe nodes[id].previous = nowhere
    }

    @usableFromInline
    mutating func relink(_ id: Int) {
        if unsafe nodes[id].visit != never { unlink(id) }
        link(id)
    }

    /// Moves the ids of a slot that `current` has just entered to lower levels, or wherever their deadlines
    /// are now.
    private mutating func cascade(_ slot: Int) {
        var id = heads[slot]
        heads[slot] = nowhere
        occupied[slot / slotsPerLevel] &= ~(1 << UInt64(slot % slotsPerLevel))
        while id != nowhere {
            let next = unsafe nodes[Int(id)].next
            unsafe nodes[Int(id)].visit = never
            if unsafe nodes[Int(id)].deadline != never { link(Int(id)) }
            id = next
        }
    }

    @usableFromInline
    mutating func grow(to id: Int) {
        precondition(id < Int(slotTag), "ids are dense")
        let room = max(capacity * 2, id + 1)
        let fresh = UnsafeMutablePointer<Node>.allocate(capacity: room)
        // `nodes` holds `capacity` initialised nodes, and room > capacity.
        unsafe fresh.moveInitialize(from: nodes, count: capacity)
        unsafe (fresh + capacity).initialize(repeating: Node(), count: room - capacity)
        unsafe nodes.deallocate()
        unsafe nodes = fresh
        capacity = room
    }
}

private let levels = 7
private let slotsPerLevel = 64
@inlinable var tickShift: UInt64 { 3 }
private let ticksMask: UInt64 = 7
/// 42 bits: what seven levels hold.
@inlinable var lastTick: UInt64 { 1 << 42 - 1 }
private let slotTag: UInt32 = 1 << 31
@inlinable var latestDeadline: UInt64 { lastTick << tickShift }
@inlinable var never: UInt64 { .max }
@inlinable var nowhere: UInt32 { .max }
