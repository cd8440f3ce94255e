internal import Bytes
internal import Eviction

/// Making room. One thread at a time, a segment a step; which segments and which records is `Eviction`'s
/// decision.
///
/// The batch in progress lies in shared memory (its segments are `victim`, its cut is in the header), so that
/// any thread can go on where another stopped or died.
extension StoreThread {
    /// Keeps the reserve of free segments, in small steps: the callers' loops must not stall.
    /// Does nothing if another thread is at it.
    /// - Parameter steps: segments to choose from or to empty at most.
    mutating func reclaim(now: UInt32, steps: Int) {
        // No view of this handle is alive, since the caller has it exclusively: this row may move on.
        moveOn()
        guard arena.lock(Header.reclaimLock, row: row, spins: 0) else { return }
        var wanted = true
        for _ in 0..<steps {
            arena.freeRetired()
            let census = arena.census()
            wanted = census.free + census.retired < arena.geometry.reserve
            // Survivors need a place: wait for a retired segment, unless there is none to wait for.
            if !wanted || census.free == 0 && census.retired > 0 { break }
            guard let segment = census.victim else {
                if chooseBatch(census, now: now) { continue }
                break
            }
            empty(segment, now: now)
            moveOn()
        }
        arena.freeRetired()
        arena.store(wanted ? 1 : 0, Header.reclaimWanted)
        updateGhostWindow()
        arena.unlock(Header.reclaimLock)
    }

    /// Takes this row to the current epoch, if it is online.
    private mutating func moveOn() {
        let offset = rowStart + Row.epoch
        if arena.load(offset) != 0 { arena.exchange(arena.loadAcquiring(Header.epoch), offset) }
    }

    /// Empties one segment of the batch: what is worth it is appended to the main queue again.
    private func empty(_ segment: Int, now: UInt32) {
        let threshold = arena.load(Header.cutThreshold)
        var cut = Cut(
            queue: threshold >> 8 & 1 == 0 ? .small : .main, threshold: UInt8(truncatingIfNeeded: threshold),
            budget: arena.load(Header.cutBudget))
        let sound = walk(segment) { header, hash, index, value in
            let expired = header.expiry <= now
            let frequency = arena.frequency(index)
            if value & Slot.pending == 0,
                cut.keep(size: header.total, frequency: frequency, expired: expired),
                keep(header, hash: hash, frequency: Eviction.decayed(frequency), index: index)
            {
                return
            }
            drop(
                header, hash: hash, index: index,
                remember: Eviction.remembers(evictedFrom: cut.queue) && !expired)
        }
        if !sound {
            // Lengths that make no sense: whatever still leads here is found by reading the whole index.
            arena.count(Row.corrupt, row: row, arena.sweep(segment: segment))
        }
        arena.store(cut.budget, Header.cutBudget)
        arena.retire(segment)
        arena.count(Row.reclaimed, row: row)
    }

    /// Marks the next victims and sets their cut. False if there is nothing to reclaim.
    private func chooseBatch(_ census: Arena.Census, now: UInt32) -> Bool {
        var queue = Eviction.victimQueue(small: census.small, main: census.main)
        if queue == .small && census.sealedSmall == 0 { queue = .main }
        if queue == .main && census.sealedMain == 0 { queue = .small }
        let wanted = Eviction.victims(
            of: queue, available: queue == .small ? census.sealedSmall : census.sealedMain,
            segmentBytes: arena.geometry.segmentBytes)
        var victims = InlineArray<8, Int>(repeating: -1)
        var selection = Selection(queue: queue)
        var count = 0
        var after: UInt64 = 0
        var appended = 0
        while count < min(wanted, 8), let (segment, word) = arena.oldestSealed(queue, after: after) {
            after = word.sequence
            victims[count] = segment
            count += 1
            appended += arena.tail(segment)
            _ = walk(segment) { header, _, index, value in
                guard value & Slot.pending == 0 else { return }
                selection.consider(
                    size: header.total, frequency: arena.frequency(index),
                    expired: header.expiry <= now)
            }
        }
        guard count > 0 else { return false }
        let cut = selection.cut(capacity: appended)
        arena.store(cut.budget, Header.cutBudget)
        arena.store(UInt64(cut.threshold) | UInt64(queue.rawValue) << 8, Header.cutThreshold)
        for position in 0..<count {
            let segment = victims[position]
            arena.setSegmentWord(arena.segmentWord(segment).with(.victim), segment)
        }
        return true
    }

    /// Visits the records of a segment that the index leads to. False if the log can't be followed to its
    /// end.
    private func walk(_ segment: Int, _ visit: (RecordHeader, Hash128, Int, UInt64) -> Void) -> Bool {
        var offset = arena.geometry.segmentStart(segment)
        let end = offset + arena.tail(segment)
        while offset < end {
            guard let header = RecordHeader.read(arena, offset, limit: end) else { return false }
            // A record without a nonce was never finished: its key may be half written.
            if arena.loadAcquiring(offset) != 0 {
                let hash = arena.hash128(header.payload, header.keyCount)
                if let (index, value) = arena.slot(of: hash, leadingTo: offset) {
                    visit(header, hash, index, value)
                }
            }
            offset += header.total
        }
        return true
    }

    /// Appends a record to the main queue again. False if there is no room or the record is not sound.
    private func keep(_ header: RecordHeader, hash: Hash128, frequency: UInt8, index: Int) -> Bool {
        guard let mark = believedMark(header, hash: hash, index: index) else { return false }
        let draft = Arena.Draft(
            lengths: header.lengths, kind: header.kind, facts: arena.facts(header),
            total: header.total)
        guard case .granted(let offset, _) = arena.reserve(draft, queue: .main, row: row, spare: 0) else {
            return false
        }
        arena.copy(from: header.payload, to: offset + RecordHeader.bytes, header.payloadCount)
        arena.setPlain(arena.plain(header.offset + RecordHeader.checksum), offset + RecordHeader.checksum)
        // Checked no further than it was, and what was tried for a body is not tried again because it moved.
        arena.storeReleasing(mark, offset)
        arena.setFrequency(frequency, index)
        // Again when a purge marks the slot meanwhile; if the record was removed or replaced, the copy is
        // waste.
        while true {
            let value = arena.loadOrdered(arena.slotOffset(index))
            guard value != 0, Slot.offset(value) == header.offset else { return true }
            let moved = value & ~Slot.offsetMask | UInt64(offset / 8)
            if arena.compareExchange(value, moved, arena.slotOffset(index)) {
                arena.count(Row.bytesKept, row: row, header.total)
                return true
            }
        }
    }

    /// The mark of a record that can be believed, perhaps after a check; nil for any other.
    private func believedMark(_ header: RecordHeader, hash: Hash128, index: Int) -> UInt64? {
        let nonce = Mark.nonce(arena.load(Header.mark))
        let mark = arena.loadAcquiring(header.offset)
        if Mark.nonce(mark) == nonce { return mark }
        let key = arena.bytes(header.payload, header.keyCount)
        guard settle(header, at: index, key: key, hash: hash) == .usable else { return nil }
        let settled = arena.loadAcquiring(header.offset)
        return Mark.nonce(settled) == nonce ? settled : nil
    }

    private func drop(_ header: RecordHeader, hash: Hash128, index: Int, remember: Bool) {
        // A pending one may be finished by its writer in this moment: then it is live, and must still go.
        guard let value = arena.detach(index, from: header.offset), value & Slot.pending == 0 else { return }
        lost(header)
        // What made room for others may be derived again.
        if header.isDerived { disclaim(coding: header.coding, of: header.serial, hash: hash) }
        arena.count(Row.evicted, row: row)
        if remember {
            Ghosts.remember(hash.low, clock: arena.increment(Header.ghostClock), in: GhostList(arena: arena))
        }
    }

    private func updateGhostWindow() {
        var objects: Int64 = 0
        for index in 0..<arena.geometry.rowCount {
            objects &+= Int64(bitPattern: arena.load(arena.row(index) + Row.objects))
        }
        arena.store(UInt64(max(objects, 0)), Header.ghostWindow)
    }
}
