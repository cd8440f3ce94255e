public import Bytes
internal import Eviction

/// One thread's hold on the store: its row, and every operation.
///
/// Confined to one thread at a time. Between `beginTurn` and `endTurn` the row is online: memory that a view
/// could show is not reused. All views borrow the handle, so none outlives the turn.
public struct StoreThread: ~Copyable, Sendable {
    let store: Store
    @usableFromInline let arena: Arena
    @usableFromInline let row: Int

    // Four words: what is borrowed in registers is not copied.
    init(store: Store, row: Int) {
        self.store = store
        self.row = row
        arena = store.arena
    }

    @inlinable @inline(__always) var rowStart: Int { arena.row(row) }

    /// Gives the row back.
    deinit {
        arena.exchange(0, rowStart + Row.epoch)
        arena.storeReleasing(0, rowStart + Row.owner)
    }

    /// Goes online in the current epoch: to be called when the loop wakes.
    @inlinable
    public mutating func beginTurn() {
        arena.exchange(arena.loadAcquiring(Header.epoch), rowStart &+ Row.epoch)
    }

    /// Goes offline: to be called before the loop waits.
    @inlinable
    public mutating func endTurn() {
        arena.store(0, rowStart &+ Row.inHand)
        // Whoever reclaims may see it late, and reuses the memory later then.
        arena.storeReleasing(0, rowStart &+ Row.epoch)
    }

    /// The hash that every other call expects for `key`: seeded by the store, the same in all processes.
    @inlinable
    public borrowing func hash(_ key: borrowing Span<UInt8>) -> Hash128 {
        XXH3.hash128(key, seed: arena.seed)
    }

    /// The newest record of `key` to which `ranking` (given its facts and Vary values) gives a rank above 0;
    /// of an original and what was derived from it, the one with the highest. Only within a turn.
    ///
    /// No lock and no copy; a hit touches a bucket, a frequency and the record. A record that was written
    /// before a process died, or before a ban, is checked first, once.
    @inlinable @inline(__always)
    @_lifetime(borrow self)
    public borrowing func lookup(
        key: borrowing Span<UInt8>, hash: Hash128, ranking: (RecordFacts, Span<UInt8>) -> Int
    ) -> RecordView? {
        // Offline, the memory that a view shows might be reused.
        precondition(arena.load(rowStart &+ Row.epoch) != 0, "lookup outside of a turn")
        let tag = Slot.tag(hash.high)
        var best = RecordHeader.none
        var bestSlot = 0
        var bestValue: UInt64 = 0
        var bestRank = 0
        var bucket = arena.firstBucket(hash)
        var isSecond = false
        while true {
            var places = arena.live(bucket, tag)
            while places != 0 {
                let index = bucket &+ places.trailingZeroBitCount
                places &= places &- 1
                let slot = arena.loadAcquiring(arena.slotOffset(index))
                guard Slot.isLive(slot, tag), let header = arena.record(slot, ifKeyed: key) else { continue }
                if bestRank > 0, best.serial > header.serial { continue }
                guard
                    arena.isCurrent(header) || settle(header, at: index, key: key, hash: hash) == .usable
                else { continue }
                let vary = arena.bytes(header.payload &+ header.keyCount, header.varyCount)
                let rank = ranking(arena.facts(header), vary)
                guard rank > 0 else { continue }
                if bestRank >= rank, best.serial == header.serial { continue }
                best = header
                bestSlot = index
                bestValue = slot
                bestRank = rank
            }
            // Both buckets only if the first had nothing: the records of a key share one bucket.
            if bestRank > 0 || isSecond { break }
            isSecond = true
            bucket = arena.secondBucket(hash)
        }
        guard bestRank > 0 else { return nil }
        arena.touch(bestSlot)
        // Again, now that the record is known to be up to date: the mark of a soft purge is set before
        // that. A slot that has changed otherwise leads to a newer record: no harm in asking the origin.
        let isOutdated = arena.load(arena.slotOffset(bestSlot)) != bestValue & ~Slot.outdated
        return view(best, isOutdated: isOutdated)
    }

    /// What `lookup` finds in the common case, for less: one slot of the first bucket has the key's tag, or
    /// of several the newest leads to a record in `coding`, the one that suits best; so nothing else could be
    /// better. Nil where that is not so, or where `isWanted` (given facts, Vary values, and whether a soft
    /// purge took it) does not want it: then `lookup` tells. Only within a turn.
    @inlinable @inline(__always)
    @_lifetime(borrow self)
    public borrowing func lookupOnly(
        key: borrowing Span<UInt8>, hash: Hash128, coding: UInt8,
        isWanted: (RecordFacts, Span<UInt8>, Bool) -> Bool
    ) -> RecordView? {
        // As in `lookup`.
        precondition(arena.load(rowStart &+ Row.epoch) != 0, "lookup outside of a turn")
        let tag = Slot.tag(hash.high)
        let bucket = arena.firstBucket(hash)
        let places = arena.live(bucket, tag)
        guard places != 0 else { return nil }
        var index = bucket &+ places.trailingZeroBitCount
        if places & (places &- 1) != 0 {
            guard let newest = arena.newest(in: coding, of: places, bucket, tag) else { return nil }
            index = newest
        }
        let slot = arena.loadAcquiring(arena.slotOffset(index))
        guard Slot.isLive(slot, tag), let header = arena.record(slot, ifKeyed: key), arena.isCurrent(header)
        else { return nil }
        // As in `lookup`.
        let isOutdated = arena.load(arena.slotOffset(index)) != slot & ~Slot.outdated
        let vary = arena.bytes(header.payload &+ header.keyCount, header.varyCount)
        guard isWanted(arena.facts(header), vary, isOutdated) else { return nil }
        arena.touch(index)
        return view(header, isOutdated: isOutdated)
    }

    /// Does no slot have the key's tag, so that `lookup` would find nothing?
    @inlinable @inline(__always)
    public borrowing func hasNone(_ hash: Hash128) -> Bool {
        let tag = Slot.tag(hash.high)
        return arena.live(arena.firstBucket(hash), tag) == 0 && arena.live(arena.secondBucket(hash), tag) == 0
    }

    /// A record that the caller has found by the index, in this turn.
    @inlinable @inline(__always)
    @_lifetime(borrow self)
    borrowing func view(_ header: RecordHeader, isOutdated: Bool) -> RecordView {
        arena.store(UInt64(header.offset), rowStart &+ Row.inHand)
        let view = RecordView(
            facts: arena.facts(header), payload: arena.bytes(header.payload, header.payloadCount),
            header: header, isOutdated: isOutdated && !PlantedFault.isPlanted(.ignoresSoftPurges))
        // The row is online: the record's memory stays as it is until endTurn, which needs self exclusively.
        return unsafe _overrideLifetime(view, borrowing: self)
    }

    /// Counts a record that this thread has taken out of the index.
    borrowing func lost(_ header: RecordHeader) {
        arena.count(Row.objects, row: row, -1)
        if PlantedFault.isPlanted(.miscounts) { return }
        arena.count(Row.liveBytes, row: row, -header.total)
    }

    /// To be taken when a fetch is sent, and passed to `insert` or `renew` with what it brought.
    public borrowing func stamp(_ hash: Hash128) -> FetchStamp {
        FetchStamp(counter: counter(hash), sequence: arena.loadAcquiring(Header.banSequence))
    }

    /// The key's invalidation counter.
    borrowing func counter(_ hash: Hash128) -> UInt32 {
        arena.loadNarrowOrdered(arena.counter(hash.low))
    }

    /// Removes every record of `key` and outdates every stamp taken before. Never fails and never waits.
    /// Within a turn or outside of one.
    public mutating func invalidate(key: borrowing Span<UInt8>, hash: Hash128) {
        purge(key: key, hash: hash, soft: false)
    }
}
