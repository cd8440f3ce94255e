public import Bytes
internal import Eviction

/// Writing: reserve under the lock, copy outside of it, publish by compare-and-swap.
extension StoreThread {
    /// A serial for a record to come, and for what will be derived from it.
    public borrowing func newSerial() -> UInt64 { arena.increment(Header.serial) & 0xffff_ffff_ffff }

    /// Stores a record, whole or not at all; it replaces the record of the same key, Vary values and coding,
    /// with what was derived from that. Only within a turn. Copies the bytes; never waits longer than a
    /// bounded spin.
    /// - Parameters:
    ///   - hash: `hash(key)`.
    ///   - variant: what body of its key it is. A derived one is refused (`invalidated`) where its original
    ///     has been replaced, and (`crowded`) where it would drive out originals of its key.
    ///   - claims: codings that need not be derived from it (see `claim`).
    ///   - expires: Unix seconds from which the record is not worth keeping (it can still be found until
    ///     then and later: freshness is the caller's business).
    ///   - now: Unix seconds.
    ///   - stamp: what `stamp(hash)` said when the content was asked for.
    public mutating func insert(
        key: borrowing Span<UInt8>, hash: Hash128, variant: Variant, claims: UInt8 = 0, facts: RecordFacts,
        vary: borrowing Span<UInt8>, head: borrowing Span<UInt8>, body: borrowing Span<UInt8>,
        expires: UInt32, now: UInt32, stamp: FetchStamp
    ) -> StoreOutcome {
        precondition(arena.load(rowStart + Row.epoch) != 0, "insertion outside of a turn")
        // A record under a hash that isn't its key's would never be found again by a reclaim.
        precondition(hash == self.hash(key))
        let total = RecordHeader.total(payload: key.count + vary.count + head.count + body.count)
        guard key.count <= 0xffff, vary.count <= 0xffff, head.count <= 0xffff, body.count <= 0xffff_ffff,
            fits(total)
        else { return .tooLarge }
        let admission: Admission
        switch admit(stamp, hash: hash, key: key, head: head) {
        case .success(let admitted): admission = admitted
        case .failure(let refusal): return refusal.outcome ?? .pressure
        }
        let kin = arena.kin(of: key, vary: vary, coding: variant.coding, hash: hash)
        // Before anything is written: it would be waste, and is tried again where `pressure` is the answer.
        if variant.isDerived, arena.slotToFill(hash: hash, kin: kin, isDerived: true) == nil {
            return .crowded
        }
        let queue = Eviction.admit(
            remembered: kin.bucket == nil && recall(hash),
            replacing: kin.twin.map { arena.queue(at: $0.offset) })
        let draft = Arena.Draft(
            lengths: (
                (variant.serial == 0 ? newSerial() : variant.serial) << 16 | UInt64(key.count),
                UInt64(body.count) << 32 | UInt64(head.count) << 16 | UInt64(vary.count)
            ),
            kind: RecordHeader.kind(expires: expires, variant), facts: facts, total: total)
        guard let (offset, opened) = reserve(draft, queue: queue, now: now) else {
            arena.count(Row.pressure, row: row)
            return .pressure
        }
        let header = RecordHeader(offset: offset, lengths: draft.lengths, kind: draft.kind)
        write(
            header, key: key, vary: vary, head: head, body: body, claims: UInt64(claims),
            sequence: admission.sequence)
        let outcome = publish(header, hash: hash, kin: kin, admission, key: key, vary: vary)
        if outcome == .stored { arena.count(Row.inserted, row: row) }
        if opened || arena.load(Header.reclaimWanted) != 0 { reclaim(now: now, steps: 1) }
        return outcome
    }

    /// Whether a record of so many bytes may enter.
    func fits(_ total: Int) -> Bool {
        total <= arena.geometry.segmentBytes
            && Eviction.admits(size: total, capacity: arena.geometry.areaEnd - arena.geometry.areaStart)
    }

    /// Room in `queue`; when there is none, after a reclaim.
    private mutating func reserve(_ draft: Arena.Draft, queue: Queue, now: UInt32) -> (Int, opened: Bool)? {
        for attempt in 0..<2 {
            switch arena.reserve(draft, queue: queue, row: row, spare: 1) {
            case .granted(let offset, let opened): return (offset, opened)
            case .busy: return nil
            case .full: if attempt == 0 { reclaim(now: now, steps: 32) }
            }
        }
        return nil
    }

    /// Fills in a record that this thread has reserved; nothing leads to it yet.
    func write(
        _ header: RecordHeader, key: borrowing Span<UInt8>, vary: borrowing Span<UInt8>,
        head: borrowing Span<UInt8>, body: borrowing Span<UInt8>, claims: UInt64,
        sequence: UInt64
    ) {
        var end = header.payload
        arena.write(key, end)
        end += key.count
        arena.write(vary, end)
        end += vary.count
        arena.write(head, end)
        end += head.count
        arena.write(body, end)
        arena.setPlain(header.computedChecksum(arena), header.offset + RecordHeader.checksum)
        let nonce = Mark.nonce(arena.load(Header.mark))
        arena.storeReleasing(
            Mark.make(nonce: nonce, sequence: sequence) | claims & Mark.claimMask, header.offset)
    }

    private func recall(_ hash: Hash128) -> Bool {
        Ghosts.recall(
            hash.low, clock: arena.load(Header.ghostClock),
            window: Int(truncatingIfNeeded: arena.load(Header.ghostWindow)), in: GhostList(arena: arena))
    }

    /// Pending slot, then the checks, then live: so that a purge or a sweep either is seen here or sees the
    /// slot, and no reader ever sees a record that was taken before it became visible.
    func publish(
        _ header: RecordHeader, hash: Hash128, kin: Arena.Kin, _ admission: Admission,
        key: borrowing Span<UInt8>, vary: borrowing Span<UInt8>
    ) -> StoreOutcome {
        let live = Slot.make(header.offset, Slot.tag(hash.high))
        guard
            let (index, displaced) = claimSlot(
                live | Slot.pending, hash: hash, kin: kin, isDerived: header.isDerived)
        else { return .pressure }
        let offset = arena.slotOffset(index)
        arena.setFrequency(kin.twin?.frequency ?? 0, index)
        let segment = arena.geometry.segment(at: header.offset)
        let state = SegmentWord(raw: arena.loadOrdered(arena.entry(segment))).state
        guard state == .open || state == .sealed else {
            _ = arena.compareExchange(live | Slot.pending, 0, offset)
            return .pressure
        }
        guard counter(hash) == admission.counter,
            arena.loadOrdered(Header.banClaimed) <= admission.sequence
        else {
            _ = arena.compareExchange(live | Slot.pending, 0, offset)
            return .invalidated
        }
        // The body of an original that must still be there, now that `take` would find the slot.
        let isOrphan = header.isDerived || kin.renewed != nil && displaced?.serial != kin.renewed?.serial
        // The older twin goes first: a death in between must not leave it behind, to come back one day.
        guard
            let found = replace(
                by: header, at: index, ofAge: kin.renewed?.serial ?? header.serial, isOrphan: isOrphan,
                checked: admission.sequence, hash: hash, kin: kin, key: key, vary: vary)
        else {
            _ = arena.compareExchange(live | Slot.pending, 0, offset)
            return .invalidated
        }
        // Counted first: whoever removes it counts it out.
        arena.count(Row.objects, row: row)
        arena.count(Row.liveBytes, row: row, header.total)
        let isOutdated = admission.isOutdated || found.isOriginalOutdated
        guard arena.compareExchange(live | Slot.pending, isOutdated ? live | Slot.outdated : live, offset)
        else {
            lost(header)
            return .invalidated
        }
        // And again, for what another writer published meanwhile.
        let again = replace(
            by: header, at: index, ofAge: header.serial, isOrphan: header.isDerived,
            checked: admission.sequence, hash: hash, kin: kin, key: key, vary: vary)
        if again == nil { remove(header, index) }
        return .stored
    }

    /// An empty slot, or that of the record least worth keeping, now holding `pending`; and that record.
    private func claimSlot(
        _ pending: UInt64, hash: Hash128, kin: Arena.Kin, isDerived: Bool
    ) -> (index: Int, displaced: RecordHeader?)? {
        for _ in 0..<16 {
            guard let choice = arena.slotToFill(hash: hash, kin: kin, isDerived: isDerived) else {
                return nil
            }
            guard arena.compareExchange(choice.value, pending, arena.slotOffset(choice.index)) else {
                continue
            }
            guard choice.value != 0, choice.value & Slot.pending == 0 else { return (choice.index, nil) }
            let old = RecordHeader.read(arena, Slot.offset(choice.value), limit: arena.geometry.areaEnd)
            if let old { lost(old) }
            arena.count(Row.evicted, row: row)
            return (choice.index, old)
        }
        return nil
    }

    private struct Replacement {
        var isOriginalOutdated = false
    }

    /// Removes what `header` outdates: of two records with the same Vary values and coding the older, what is
    /// derived from an older original with the same Vary values, all of a serial that is renewed, and of more
    /// than eight originals the oldest.
    /// - Parameter age: `header` is outdated by a twin with a greater serial than this. A renewal is as old
    ///   as what it renews, until it can be found: what replaced that meanwhile stays.
    /// - Parameter isOrphan: `header` has the body of an original that must be found.
    /// - Parameter checked: the newest ban that `header` counts as checked against.
    /// - Returns: nil where `header` itself is outdated, or its original is gone.
    private func replace(
        by header: RecordHeader, at own: Int, ofAge age: UInt64, isOrphan: Bool, checked: UInt64,
        hash: Hash128, kin: Arena.Kin, key: borrowing Span<UInt8>, vary: borrowing Span<UInt8>
    ) -> Replacement? {
        let tag = Slot.tag(hash.high)
        var originals = header.isDerived ? 0 : 1
        var isOrphan = isOrphan
        var found = Replacement()
        var oldest: (index: Int, header: RecordHeader)?
        for index in arena.slots(of: hash) where index != own {
            // Ordered: a removal of the original sees the slot of `header`, or its own work is seen here.
            let value = arena.loadOrdered(arena.slotOffset(index))
            guard Slot.isLive(value, tag), let other = arena.record(value, ifKeyed: key) else { continue }
            if other.serial == kin.renewed?.serial {
                // Found is who was removed here, and by nobody else.
                if remove(other, index), !other.isDerived, !header.isDerived { isOrphan = false }
                continue
            }
            let isKin = other.serial == header.serial
            if isKin, !other.isDerived {
                // Bans that the original has not seen yet are the derived record's too.
                guard settle(other, at: index, key: key, hash: hash, through: checked) == .usable else {
                    return nil
                }
                isOrphan = false
                found.isOriginalOutdated =
                    arena.loadOrdered(arena.slotOffset(index)) != value & ~Slot.outdated
            }
            if other.varyCount == vary.count, arena.equals(vary, other.vary) {
                let isTwin = other.coding == header.coding
                if !isKin, other.serial > age, isTwin || header.isDerived && !other.isDerived {
                    return nil
                }
                if isTwin || other.isDerived && other.serial < header.serial {
                    remove(other, index)
                    continue
                }
            }
            guard !other.isDerived else { continue }
            originals += 1
            if let candidate = oldest, candidate.header.serial < other.serial { continue }
            oldest = (index, other)
        }
        if originals > 8, let oldest { remove(oldest.header, oldest.index) }
        return isOrphan ? nil : found
    }

    @discardableResult
    private func remove(_ header: RecordHeader, _ index: Int) -> Bool {
        guard arena.detach(index, from: header.offset) != nil else { return false }
        lost(header)
        arena.count(Row.replaced, row: row)
        return true
    }
}
