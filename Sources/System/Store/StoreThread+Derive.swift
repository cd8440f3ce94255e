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
        for index in arena.slots(of: hash) {
            guard let (header, slot) = arena.live(index, tag, key), !header.isDerived,
                header.serial == serial,
                arena.isCurrent(header) || settle(header, at: index, key: key, hash: hash) == .usable
            else { continue }
            let isOutdated = arena.load(arena.slotOffset(index)) != slot & ~Slot.outdated
            return view(header, isOutdated: isOutdated)
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

    /// Gives back the claim to derive a coding of the original with this serial, on all records that it may
    /// stand on: somebody may try again. Only within a turn.
    ///
    /// (Not to be done where a full bucket had no slot for what was derived: there it would drive out the
    /// next.)
    public borrowing func disclaim(coding: UInt8, of serial: UInt64, hash: Hash128) {
        // The original first, where claims are decided: whoever claims begins with the derived record at
        // hand, so no claim is left on that alone.
        for isDerived in [false, true] {
            for index in arena.slots(of: hash) {
                let slot = arena.loadAcquiring(arena.slotOffset(index))
                guard Slot.matches(slot, Slot.tag(hash.high)),
                    let header = RecordHeader.read(
                        arena, Slot.offset(slot), limit: arena.geometry.areaEnd),
                    header.serial == serial, header.isDerived == isDerived
                else { continue }
                _ = arena.fetchAnd(~RecordHeader.claim(of: coding), header.offset)
            }
        }
    }
}
