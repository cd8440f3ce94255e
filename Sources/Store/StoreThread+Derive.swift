public import Bytes

/// What is made of a stored body: finding the original, and who makes which coding of it.
extension StoreThread {
    /// The original of `key` with this serial, if it is still there. No hit: frequencies stay as they are.
    /// Only within a turn.
    @_lifetime(borrow self)
    public borrowing func original(
        key: borrowing Span<UInt8>, hash: Hash128, serial: UInt64
    ) -> RecordView? {
        precondition(arena.load(rowStart &+ Row.epoch) != 0, "lookup outside of a turn")
        let tag = Slot.tag(hash.high)
        for way in 0..<2 {
            let bucket = arena.bucket(hash, way)
            for index in bucket..<bucket + 8 {
                let slot = arena.loadAcquiring(arena.slotOffset(index))
                guard Slot.matches(slot, tag), slot & Slot.pending == 0,
                    let header = arena.record(slot, ifKeyed: key), !header.isDerived, header.serial == serial,
                    arena.isCurrent(header) || settle(header, at: index, key: key, hash: hash) == .usable
                else { continue }
                let isOutdated = arena.load(arena.slotOffset(index)) != slot & ~Slot.outdated
                return view(header, isOutdated: isOutdated)
            }
        }
        return nil
    }

    /// Has nobody claimed this yet?
    /// - Parameter claim: 0 to 3; what it stands for is the caller's business.
    @inlinable @inline(__always)
    public borrowing func isUnclaimed(_ view: RecordView, _ claim: UInt8) -> Bool {
        arena.load(view.offset) & 1 << UInt64(claim & 3) == 0
    }

    /// Claims to derive a coding from the record: true for the first of all threads and processes that does,
    /// for as long as the record lives. Only within the turn of `view`.
    public borrowing func claim(_ view: RecordView, _ claim: UInt8) -> Bool {
        let bit: UInt64 = 1 << UInt64(claim & 3)
        return arena.fetchOr(bit, view.offset) & bit == 0
    }

    /// Gives a claim back: somebody may try again.
    public borrowing func disclaim(_ view: RecordView, _ claim: UInt8) {
        _ = arena.fetchAnd(~(1 << UInt64(claim & 3)), view.offset)
    }
}
