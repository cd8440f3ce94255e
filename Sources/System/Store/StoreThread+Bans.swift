public import Bytes
internal import Eviction

/// Bulk purges: banning, bringing records up to date with the bans, sweeping.
extension StoreThread {
    /// Takes from now on every record that the ban matches, and every answer to a request that was sent
    /// before: hard, as if they had never been there, or soft, as outdated. Constant time, and never fails.
    /// Waits for another thread of this process that is at it, and for another process no longer than a
    /// bounded spin. Within a turn or outside of one.
    ///
    /// Too many bans that are not swept yet, too long a ban, or a process in the way that is dead or stands
    /// still: the ban is made coarser, in the end to everything.
    /// - Returns: its sequence.
    @discardableResult
    public func ban(_ bytes: borrowing Span<UInt8>, soft: Bool) -> UInt64 {
        let content = bytes.copied
        let coarser = store.bans.coarser
        return change(soft: soft) { list, sequence in
            list.add(content, isSoft: soft, sequence: sequence, coarser: coarser)
        }
    }

    /// As `ban`, for every record that there is.
    @discardableResult
    public func banEverything(soft: Bool) -> UInt64 {
        change(soft: soft) { list, sequence in list.addEverything(isSoft: soft, sequence: sequence) }
    }

    private func change(soft: Bool, _ change: (inout BanList, UInt64) -> Void) -> UInt64 {
        guard let sequence = arena.changeBans(row: row, change) else {
            return arena.banEverything(soft: soft)
        }
        arena.announce(sequence)
        return sequence
    }

    /// Removes every record of `key`, or (`soft`) marks all as outdated, and outdates every stamp taken
    /// before. Never fails and never waits. Within a turn or outside of one.
    public mutating func purge(key: borrowing Span<UInt8>, hash: Hash128, soft: Bool) {
        // Offline, a record might move and its old memory be reused between two looks at it.
        let online = arena.load(rowStart + Row.epoch) != 0
        if !online { beginTurn() }
        defer { if !online { endTurn() } }
        // First the counter, then the slots: an insertion that doesn't see the counter has its slot seen
        // here.
        arena.incrementNarrow(arena.counter(hash.low))
        take(key: key, hash: hash, serial: nil, soft: soft)
    }

    /// Removes or marks the records of `key`, of one serial or of all. Pending ones are removed.
    func take(key: borrowing Span<UInt8>, hash: Hash128, serial: UInt64?, soft: Bool) {
        // Originals first, then all: what comes late with the body of an original (derived from it, or its
        // renewal) finds that gone or marked, or is found by the second pass.
        for originalsOnly in [true, false] {
            for index in arena.slots(of: hash) {
                take(index, key: key, hash: hash, soft: soft) { header in
                    (serial == nil || header.serial == serial) && !(originalsOnly && header.isDerived)
                }
            }
        }
    }

    private func take(
        _ index: Int, key: borrowing Span<UInt8>, hash: Hash128, soft: Bool,
        where isChosen: (RecordHeader) -> Bool
    ) {
        // Again when a reclaim moves the record in between.
        while true {
            let slot = arena.loadOrdered(arena.slotOffset(index))
            guard Slot.matches(slot, Slot.tag(hash.high)), let header = arena.record(slot, ifKeyed: key),
                isChosen(header)
            else { return }
            let stays = soft && slot & Slot.pending == 0
            let wanted = stays ? slot | Slot.outdated : 0
            if wanted == slot { return }
            guard arena.compareExchange(slot, wanted, arena.slotOffset(index)) else { continue }
            if wanted == 0, slot & Slot.pending == 0 {
                lost(header)
                arena.count(Row.invalidated, row: row)
            }
            return
        }
    }

    @usableFromInline
    enum Settlement {
        /// Up to date.
        case usable
        case gone
        /// The bans can't be read just now: not to be used, and not to be removed.
        case unknown
    }

    /// Brings a record up to date whose mark is not the store's: checks it by its checksum if there was a
    /// death, and against the bans that it has not seen, and does to all of its serial what they say.
    @usableFromInline
    @inline(never)
    borrowing func settle(
        _ header: RecordHeader, at index: Int, key: borrowing Span<UInt8>, hash: Hash128
    ) -> Settlement {
        // Before the record is looked at: what another death outdates meanwhile stays outdated.
        let nonce = Mark.nonce(arena.load(Header.mark))
        let mark = arena.loadAcquiring(header.offset)
        let isBelieved = Mark.nonce(mark) == nonce
        if !isBelieved, !arena.isSound(header) {
            if let old = arena.detach(index, from: header.offset), old & Slot.pending == 0 {
                lost(header)
                arena.count(Row.corrupt, row: row)
            }
            return .gone
        }
        // Of a doubtful record its mark is doubtful too: only the checksum speaks for it.
        let checked = isBelieved ? sequence(of: mark) : nil
        let original = header.isDerived ? believedOriginal(of: header, key: key, hash: hash, nonce) : nil
        let rules = store.bans
        let keyBytes = arena.bytes(header.payload, header.keyCount)
        let head = arena.bytes(header.head, header.headCount)
        let judgement = arena.judge(after: checked) { ban in
            if rules.matches(ban, keyBytes, head) { return true }
            guard let original else { return false }
            return rules.matches(ban, keyBytes, arena.bytes(original.head, original.headCount))
        }
        guard let judgement else { return .unknown }
        // A ban whose writer died before the last step, or is about to take it.
        arena.announce(judgement.sequence)
        if judgement.isHard {
            take(key: key, hash: hash, serial: header.serial, soft: false)
            return .gone
        }
        // What a sweep has left in the index was clean; what it has taken may still be in a reader's hands.
        if checked ?? 0 < judgement.retired,
            Slot.offset(arena.loadOrdered(arena.slotOffset(index))) != header.offset
        {
            return .gone
        }
        // Marked first, then believed.
        if judgement.isSoft { take(key: key, hash: hash, serial: header.serial, soft: true) }
        _ = arena.compareExchange(
            mark,
            Mark.make(nonce: nonce, sequence: judgement.sequence)
                | (isBelieved ? mark & Mark.claimMask : 0),
            header.offset)
        return .usable
    }

    /// As `settle`, where the record is not yet checked against the bans through `sequence`. For a body
    /// that is to live on in another record: a ban may have its sequence, and not be announced yet.
    func settle(
        _ header: RecordHeader, at index: Int, key: borrowing Span<UInt8>, hash: Hash128,
        through sequence: UInt64
    ) -> Settlement {
        let mark = arena.loadAcquiring(header.offset)
        if Mark.nonce(mark) == Mark.nonce(arena.load(Header.mark)), self.sequence(of: mark) >= sequence {
            return .usable
        }
        return settle(header, at: index, key: key, hash: hash)
    }

    /// The newest ban that a believed record was checked against.
    private func sequence(of mark: UInt64) -> UInt64 {
        Mark.sequence(mark, newest: arena.loadAcquiring(Header.banSequence))
    }

    private func believedOriginal(
        of header: RecordHeader, key: borrowing Span<UInt8>, hash: Hash128, _ nonce: UInt64
    ) -> RecordHeader? {
        let tag = Slot.tag(hash.high)
        for index in arena.slots(of: hash) {
            guard let (other, _) = arena.live(index, tag, key), !other.isDerived,
                other.serial == header.serial, Mark.nonce(arena.loadAcquiring(other.offset)) == nonce
            else { continue }
            return other
        }
        return nil
    }

    // MARK: What a fetch brings

    /// What an answer's content was checked against.
    struct Admission {
        var counter: UInt32
        var sequence: UInt64
        var isOutdated: Bool
    }

    /// Whether content that was asked for at `stamp` may enter: no purge has taken it since.
    func admit(
        _ stamp: FetchStamp, hash: Hash128, key: borrowing Span<UInt8>, head: borrowing Span<UInt8>
    ) -> Result<Admission, Refusal> {
        guard counter(hash) == stamp.counter else { return .failure(Refusal(outcome: .invalidated)) }
        let newest = arena.loadAcquiring(Header.banSequence)
        if stamp.sequence == newest {
            return .success(Admission(counter: stamp.counter, sequence: newest, isOutdated: false))
        }
        let rules = store.bans
        let keyBytes = key.extracting(0..<key.count)
        let headBytes = head.extracting(0..<head.count)
        guard let judgement = arena.judge(after: stamp.sequence, { rules.matches($0, keyBytes, headBytes) })
        else { return .failure(Refusal(outcome: .pressure)) }
        // Bans that came since and are gone again: nobody can say what they would have taken.
        if judgement.isHard || stamp.sequence < judgement.retired {
            return .failure(Refusal(outcome: .invalidated))
        }
        return .success(
            Admission(
                counter: stamp.counter, sequence: judgement.sequence, isOutdated: judgement.isSoft))
    }

    struct Refusal: Error {
        /// nil: no room without a reclaim.
        let outcome: StoreOutcome?
    }

    // MARK: Sweeping

    /// Checks the records of the next `limit` slots of the index (there is one for 896 bytes of memory)
    /// against the bans, so that bans retire and the list has room. Any thread of any process goes on
    /// where the last one stopped. Within a turn, or outside of one: then it makes its own.
    /// - Returns: whether there is more to do.
    public mutating func sweep(limit: Int) -> Bool {
        let online = arena.load(rowStart + Row.epoch) != 0
        if !online { beginTurn() }
        defer { if !online { endTurn() } }
        guard arena.lock(Header.sweepLock, row: row, spins: 0) else { return true }
        defer { arena.unlock(Header.sweepLock) }
        var target = arena.load(Header.banClaimed)
        if target <= arena.load(Header.banRetired) {
            target = arena.loadOrdered(Header.banSequence)
            if target <= arena.load(Header.banRetired) { return false }
            // In this order: a death in between leaves no sweep in progress. From here on nothing enters
            // that is not checked that far, so what the sweep has passed stays behind it.
            arena.store(0, Header.sweepCursor)
            arena.exchange(target, Header.banClaimed)
        }
        let slots = arena.geometry.bucketCount * 8
        var index = min(Int(truncatingIfNeeded: arena.load(Header.sweepCursor) & 0xffff_ffff), slots)
        let end = min(index + limit, slots)
        while index < end {
            guard sweep(slot: index, target: target) else { break }
            index += 1
        }
        arena.store(UInt64(index), Header.sweepCursor)
        guard index == slots, arena.retireBans(through: target, row: row) else { return true }
        return arena.load(Header.banSequence) > target
    }

    /// False: the bans can't be read just now.
    private func sweep(slot index: Int, target: UInt64) -> Bool {
        while true {
            let slot = arena.loadOrdered(arena.slotOffset(index))
            guard slot != 0,
                let header = RecordHeader.read(arena, Slot.offset(slot), limit: arena.geometry.areaEnd)
            else { return true }
            let mark = arena.loadAcquiring(header.offset)
            let nonce = Mark.nonce(arena.load(Header.mark))
            if Mark.nonce(mark) == nonce, sequence(of: mark) >= target { return true }
            if slot & Slot.pending != 0 {
                // Its writer started before the sweep: refused.
                if arena.compareExchange(slot, 0, arena.slotOffset(index)) { return true }
                continue
            }
            let key = arena.bytes(header.payload, header.keyCount)
            switch settle(header, at: index, key: key, hash: XXH3.hash128(key, seed: arena.seed))
            {
            case .usable, .gone: return true
            case .unknown: return false
            }
        }
    }
}
