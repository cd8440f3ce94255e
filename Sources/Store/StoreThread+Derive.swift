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

    /// Has nobody claimed to derive this coding yet?
    /// - Parameter coding: as in `Variant`. A claim is told by the lowest bit that is set in it, modulo 4.
    @inlinable @inline(__always)
    public borrowing func isUnclaimed(_ view: RecordView, coding: UInt8) -> Bool {
        arena.load(view.offset) & RecordHeader.claim(of: coding) == 0
    }

    /// Claims to derive a coding from the record: true for the first of all threads and processes that does,
    /// for as long as the record lives. Only within the turn of `view`.
    @inlinable @inline(__always)
    public borrowing func claim(_ view: RecordView, coding: UInt8) -> Bool {
        let bit = RecordHeader.claim(of: coding)
        return arena.fetchOr(bit, view.offset) & bit == 0
    }

    /// Gives a claim back: somebody may try again.
    public borrowing func disclaim(_ view: RecordView, coding: UInt8) {
        _ = arena.fetchAnd(~RecordHeader.claim(of: coding), view.offset)
    }

    /// What was derived has made room for others in a reclaim: it may be derived again. (Not where a full
    /// bucket had no slot for it: there it would drive out the next.)
    func disclaim(_ derived: RecordHeader, hash: Hash128) {
        guard derived.isDerived else { return }
        for way in 0..<2 {
            let bucket = arena.bucket(hash, way)
            for index in bucket..<bucket + 8 {
                let slot = arena.loadAcquiring(arena.slotOffset(index))
                guard Slot.matches(slot, Slot.tag(hash.high)),
                    let header = RecordHeader.read(
                        arena, Slot.offset(slot), limit: arena.geometry.areaEnd),
                    header.serial == derived.serial, !header.isDerived
                else { continue }
                _ = arena.fetchAnd(~RecordHeader.claim(of: derived.coding), header.offset)
            }
        }
    }
}
