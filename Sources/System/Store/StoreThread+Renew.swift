public import Bytes
internal import Eviction

/// Renewing: a new head and new facts for a body that is stored (RFC 9111 §4.3.4), and removing what is not
/// to be renewed.
extension StoreThread {
    /// One record of a serial, with its slot.
    private struct Renewal {
        let old: RecordHeader
        let slot: Int
        let frequency: UInt8
        /// The new one; nothing leads to it yet.
        var new: RecordHeader?
    }

    /// Renews the original of `serial` and all that was derived from it: new records, under one new serial,
    /// of the old bodies. They replace the old ones as those of `insert` would; claims and frequencies are
    /// carried over. Only within a turn; never waits longer than a bounded spin.
    /// - Parameters:
    ///   - hash: `hash(key)`.
    ///   - vary: the Vary values from now on, of all these records.
    ///   - expires: as for `insert`.
    ///   - now: Unix seconds.
    ///   - stamp: what `stamp(hash)` said when the revalidation was sent.
    ///   - head: a buffer to compose heads in.
    ///   - compose: given a record's coding, whether it is derived, and its head, writes the new head into
    ///     the empty buffer and returns the new facts; nil drops the record, and what was derived from it
    ///     with it. Called for the original first. Might be called twice for the same record: without side
    ///     effects.
    /// - Returns: `stored`, though derived records may have been dropped for want of room; `invalidated`
    ///   where the key was invalidated or the original is gone, or dropped by `compose`; `tooLarge` and
    ///   `pressure` leave the old records as they are.
    public mutating func renew(
        key: borrowing Span<UInt8>, hash: Hash128, serial: UInt64, vary: borrowing Span<UInt8>,
        expires: UInt32, now: UInt32, stamp: FetchStamp, head: inout ByteBuffer,
        compose: (
            _ coding: UInt8, _ isDerived: Bool, _ old: Span<UInt8>, _ head: inout ByteBuffer
        ) -> RecordFacts?
    ) -> StoreOutcome {
        precondition(arena.load(rowStart + Row.epoch) != 0, "renewal outside of a turn")
        precondition(hash == self.hash(key))
        var outcome: StoreOutcome?
        for attempt in 0..<2 {
            outcome = tryRenewal(
                key: key, hash: hash, serial: serial, vary: vary, expires: expires, stamp: stamp,
                head: &head, compose: compose)
            if outcome != nil { break }
            // A reclaim may move the old records: they are looked for again.
            if attempt == 0 { reclaim(now: now, steps: 32) }
        }
        switch outcome ?? .pressure {
        case .stored: arena.count(Row.inserted, row: row)
        case .pressure: arena.count(Row.pressure, row: row)
        case .invalidated, .crowded, .tooLarge: break
        }
        if arena.load(Header.reclaimWanted) != 0 { reclaim(now: now, steps: 1) }
        return outcome ?? .pressure
    }

    /// nil: there is no room without a reclaim.
    private func tryRenewal(
        key: borrowing Span<UInt8>, hash: Hash128, serial: UInt64, vary: borrowing Span<UInt8>,
        expires: UInt32, stamp: FetchStamp, head: inout ByteBuffer,
        compose: (UInt8, Bool, Span<UInt8>, inout ByteBuffer) -> RecordFacts?
    ) -> StoreOutcome? {
        guard counter(hash) == stamp.counter else { return .invalidated }
        var records = renewals(key: key, hash: hash, serial: serial)
        guard let original = records.first, !original.old.isDerived else { return .invalidated }
        // Within the turn the old records stay readable, whatever becomes of their slots.
        let renewed = newSerial()
        var admission = Admission(counter: stamp.counter, sequence: stamp.sequence, isOutdated: false)
        for index in records.indices {
            let old = records[index].old
            head.removeAll()
            let facts = compose(
                old.coding, old.isDerived, arena.bytes(old.head, old.headCount), &head)
            guard let facts else {
                if index > 0 { continue }
                take(key: key, hash: hash, serial: serial, soft: false)
                return .invalidated
            }
            // What purges say of the original they say of all.
            if index == 0 {
                switch admit(stamp, hash: hash, key: key, head: head.span) {
                case .success(let admitted): admission = admitted
                case .failure(let refusal): return refusal.outcome ?? .pressure
                }
            }
            let kind = RecordHeader.kind(
                expires: expires, Variant(coding: old.coding, serial: renewed, isDerived: old.isDerived))
            switch write(
                old, again: kind, facts, serial: renewed, checked: admission.sequence, key: key, vary: vary,
                head: head.span)
            {
            case .success(let new): records[index].new = new
            case .failure(let refusal): if index == 0 { return refusal.outcome }
            }
        }
        return publish(
            records, serial: serial, renewed: renewed, hash: hash, admission, key: key, vary: vary)
    }

    /// Writes an old record's body under a new head; nothing leads to it yet.
    private func write(
        _ old: RecordHeader, again kind: UInt64, _ facts: RecordFacts, serial: UInt64,
        checked sequence: UInt64, key: borrowing Span<UInt8>, vary: borrowing Span<UInt8>,
        head: borrowing Span<UInt8>
    ) -> Result<RecordHeader, Refusal> {
        let total = RecordHeader.total(payload: key.count + vary.count + head.count + old.bodyCount)
        guard vary.count <= 0xffff, head.count <= 0xffff, fits(total) else {
            return .failure(Refusal(outcome: .tooLarge))
        }
        let draft = Arena.Draft(
            lengths: (
                serial << 16 | UInt64(key.count),
                UInt64(old.bodyCount) << 32 | UInt64(head.count) << 16 | UInt64(vary.count)
            ),
            kind: kind, facts: facts, total: total)
        let queue = Eviction.admit(remembered: false, replacing: arena.queue(at: old.offset))
        switch arena.reserve(draft, queue: queue, row: row, spare: 1) {
        case .full: return .failure(Refusal(outcome: nil))
        case .busy: return .failure(Refusal(outcome: .pressure))
        case .granted(let offset, let opened):
            // The next call that may reclaim keeps the reserve.
            if opened { arena.store(1, Header.reclaimWanted) }
            let new = RecordHeader(offset: offset, lengths: draft.lengths, kind: kind)
            write(
                new, key: key, vary: vary, head: head, body: arena.bytes(old.body, old.bodyCount),
                claims: arena.load(old.offset), sequence: sequence)
            return .success(new)
        }
    }

    /// The original first: it takes the whole old serial's place. What of the others has no room may be
    /// derived again.
    private func publish(
        _ records: [Renewal], serial: UInt64, renewed: UInt64, hash: Hash128, _ admission: Admission,
        key: borrowing Span<UInt8>, vary: borrowing Span<UInt8>
    ) -> StoreOutcome {
        for record in records {
            var outcome = StoreOutcome.pressure
            if let new = record.new {
                var kin = Arena.Kin(bucket: record.slot & ~7)
                kin.twin = (record.old.offset, record.frequency)
                kin.renewed = (serial, record.slot)
                outcome = publish(new, hash: hash, kin: kin, admission, key: key, vary: vary)
            }
            if outcome == .stored { continue }
            guard record.old.isDerived else { return outcome }
            disclaim(coding: record.old.coding, of: renewed, hash: hash)
        }
        return .stored
    }

    /// The records of a serial, its original first.
    private func renewals(key: borrowing Span<UInt8>, hash: Hash128, serial: UInt64) -> [Renewal] {
        let tag = Slot.tag(hash.high)
        let newest = arena.loadAcquiring(Header.banSequence)
        var found: [Renewal] = []
        for index in arena.slots(of: hash) {
            guard let (header, _) = arena.live(index, tag, key), header.serial == serial,
                settle(header, at: index, key: key, hash: hash, through: newest) == .usable
            else { continue }
            let record = Renewal(old: header, slot: index, frequency: arena.frequency(index))
            found.insert(record, at: header.isDerived ? found.count : 0)
        }
        return found
    }

    /// Removes the original of `serial` and what was derived from it, and outdates no stamp. Only within a
    /// turn.
    public func remove(key: borrowing Span<UInt8>, hash: Hash128, serial: UInt64) {
        precondition(arena.load(rowStart + Row.epoch) != 0, "removal outside of a turn")
        take(key: key, hash: hash, serial: serial, soft: false)
    }
}
