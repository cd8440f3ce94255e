internal import Bytes
internal import Eviction

/// Where a process may die in the worst moment: steps that the tests take apart, because no signal hits them
/// by chance. Not for use outside the package's tests.
extension StoreThread {
    package enum Moment: String, Sendable, CaseIterable {
        /// Holding the append lock.
        case appendLock
        /// Holding the append lock, a segment open that nothing refers to.
        case strayOpen
        /// Holding the reclaim lock.
        case reclaimLock
        /// A record reserved and half written.
        case reserved
        /// A record published as pending.
        case pending
        /// Holding the ban lock, the table as it was.
        case banLock
        /// Holding the ban lock, the table half written.
        case banTable
        /// A ban in the table that was never announced.
        case unannounced
        /// Holding the sweep lock, a sweep half way.
        case sweepLock
    }

    /// Takes the store to `moment` and leaves it there.
    package mutating func stop(at moment: Moment, key: [UInt8]) {
        let hash = hash(key.span)
        let draft = Arena.Draft(
            lengths: (arena.increment(Header.serial) << 16 | UInt64(key.count), 1000 << 32),
            kind: RecordHeader.kind(expires: .max, .original()),
            facts: RecordFacts(), total: (RecordHeader.bytes + key.count + 1007) & ~7)
        switch moment {
        case .appendLock:
            _ = arena.lock(Header.appendLock, row: row, spins: 1000)
        case .strayOpen:
            _ = arena.lock(Header.appendLock, row: row, spins: 1000)
            for segment in 0..<arena.geometry.segmentCount where arena.segmentWord(segment).state == .free {
                arena.setSegmentWord(
                    SegmentWord(.open, queue: 0, sequence: arena.increment(Header.sequence)), segment)
                break
            }
        case .reclaimLock:
            _ = arena.lock(Header.reclaimLock, row: row, spins: 1000)
        case .reserved:
            if case .granted(let offset, _) = arena.reserve(draft, queue: .small, row: row, spare: 0) {
                arena.write(key.span, offset + RecordHeader.bytes)
            }
        case .banLock:
            _ = arena.lock(Header.banLock, row: row, spins: 1000)
        case .banTable:
            _ = arena.lock(Header.banLock, row: row, spins: 1000)
            _ = arena.increment(Header.banVersion)
        case .unannounced:
            _ = arena.changeBans(row: row) { list, sequence in
                list.add([0], isSoft: true, sequence: sequence, coarser: { _ in nil })
            }
        case .sweepLock:
            _ = sweep(limit: 100)
            _ = arena.lock(Header.sweepLock, row: row, spins: 1000)
        case .pending:
            guard case .granted(let offset, _) = arena.reserve(draft, queue: .small, row: row, spare: 0)
            else { return }
            arena.write(key.span, offset + RecordHeader.bytes)
            arena.storeReleasing(arena.load(Header.mark), offset)
            let slot = Slot.make(offset, Slot.tag(hash.high)) | Slot.pending
            let index = arena.firstBucket(hash)
            for way in 0..<8 where arena.compareExchange(0, slot, arena.slotOffset(index + way)) { break }
        }
    }

    /// Lets go of the lock that `stop(at: .banLock)` holds.
    package func releaseBanLock() { arena.unlock(Header.banLock) }

    /// As if so many bans had been made, swept and retired: a store's first days in no time.
    package func skipBans(to sequence: UInt64) {
        arena.exchange(sequence, Header.banSequence)
        arena.exchange(sequence, Header.banRetired)
        arena.exchange(sequence, Header.banClaimed)
        arena.announce(sequence)
    }

    /// Flips one bit of the body of the newest record of `key`: what a dying process may have done.
    package mutating func damage(key: [UInt8]) {
        let hash = hash(key.span)
        for index in arena.slots(of: hash) {
            guard let (header, _) = arena.live(index, Slot.tag(hash.high), key.span) else { continue }
            let last = (header.payload + header.payloadCount - 1) & ~7
            arena.setPlain(arena.plain(last) ^ 1, last)
        }
    }
}
