internal import Kernel

/// The bans in shared memory.
///
/// Writers think out the new table, then hold the ban lock for as long as it takes to store it, and make
/// `banVersion` odd while it is not whole. Readers take no lock: they read the version before and after.
/// "Everything" is a word of its own, which needs no lock, so that a ban never fails and waits for nobody who
/// may be dead.
///
/// Sequences have 64 bits. A mark has room for 28, which is enough as long as two that are compared belong to
/// one era of 2^27: with each era the nonce changes too, so an older record is doubted, not misread.
extension Arena {
    /// A ban's entry: its sequence (0: none), its length (8) with softness (bit 8), its bytes.
    private enum Entry {
        static var bytes: Int { 16 + 256 }
    }

    static var banTableBytes: Int { BanList.limit * Entry.bytes }

    struct Judgement {
        /// The newest ban that was looked at.
        var sequence: UInt64
        /// All records are known to be checked against the bans up to this one.
        var retired: UInt64
        var isHard = false
        var isSoft = false
    }

    /// What the bans say of something that was checked against those up to `sequence` (nil: the retired ones
    /// only). nil: writers are at it; not to be waited for.
    func judge(after sequence: UInt64?, _ takes: (Span<UInt8>) -> Bool) -> Judgement? {
        for _ in 0..<Arena.spins / 8 {
            let version = loadAcquiring(Header.banVersion)
            if version & 1 == 0 {
                let judgement = read(after: sequence, takes)
                if loadAcquiring(Header.banVersion) == version { return judgement }
            }
            Spin.relax()
        }
        return nil
    }

    /// Every load acquires, so that the version is read after them.
    private func read(after sequence: UInt64?, _ takes: (Span<UInt8>) -> Bool) -> Judgement {
        // Before the words for everything: who writes these without the lock does it before the sequence.
        var judgement = Judgement(
            sequence: loadAcquiring(Header.banSequence), retired: loadAcquiring(Header.banRetired))
        let checked = max(sequence ?? 0, judgement.retired)
        judgement.isHard = loadAcquiring(Header.banEverythingHard) > checked
        judgement.isSoft = loadAcquiring(Header.banEverythingSoft) > checked
        var buffer = InlineArray<256, UInt8>(repeating: 0)
        for index in 0..<BanList.limit where !judgement.isHard {
            let entry = geometry.banOffset + index * Entry.bytes
            guard loadAcquiring(entry) > checked else { continue }
            let kind = loadAcquiring(entry + 8)
            let isSoft = kind >> 8 & 1 == 1
            if isSoft && judgement.isSoft { continue }
            let count = Int(kind & 0xff)
            readBytes(of: entry, count, into: &buffer)
            guard takes(buffer.span.extracting(0..<count)) else { continue }
            if isSoft { judgement.isSoft = true } else { judgement.isHard = true }
        }
        return judgement
    }

    private func readBytes(of entry: Int, _ count: Int, into buffer: inout InlineArray<256, UInt8>) {
        for start in stride(from: 0, to: count, by: 8) {
            let word = loadAcquiring(entry + 16 + start)
            for index in 0..<8 {
                buffer[start + index] = UInt8(truncatingIfNeeded: word >> UInt64(index * 8))
            }
        }
    }

    /// The list as it is, and its version; nil: a writer is at it.
    private func banList() -> (list: BanList, version: UInt64)? {
        let version = loadAcquiring(Header.banVersion)
        guard version & 1 == 0 else { return nil }
        var list = BanList()
        list.everythingHard = loadAcquiring(Header.banEverythingHard)
        list.everythingSoft = loadAcquiring(Header.banEverythingSoft)
        var buffer = InlineArray<256, UInt8>(repeating: 0)
        for index in 0..<BanList.limit {
            let entry = geometry.banOffset + index * Entry.bytes
            let sequence = loadAcquiring(entry)
            guard sequence != 0 else { continue }
            let kind = loadAcquiring(entry + 8)
            let count = Int(kind & 0xff)
            readBytes(of: entry, count, into: &buffer)
            list.bans.append(
                Ban(
                    bytes: (0..<count).map { buffer[$0] }, isSoft: kind >> 8 & 1 == 1, sequence: sequence))
        }
        return loadAcquiring(Header.banVersion) == version ? (list, version) : nil
    }

    /// Replaces the list; under the ban lock, and an odd version.
    private func setBanList(_ list: BanList) {
        raise(Header.banEverythingHard, to: list.everythingHard)
        raise(Header.banEverythingSoft, to: list.everythingSoft)
        for index in 0..<BanList.limit {
            let entry = geometry.banOffset + index * Entry.bytes
            guard index < list.bans.count else {
                storeReleasing(0, entry)
                continue
            }
            let ban = list.bans[index]
            storeReleasing(ban.sequence, entry)
            storeReleasing(UInt64(ban.bytes.count) | (ban.isSoft ? 1 << 8 : 0), entry + 8)
            for start in stride(from: 0, to: ban.bytes.count, by: 8) {
                var word: UInt64 = 0
                for (index, byte) in ban.bytes[start...].prefix(8).enumerated() {
                    word |= UInt64(byte) << UInt64(index * 8)
                }
                storeReleasing(word, entry + 16 + start)
            }
        }
    }

    /// Changes the list under a new sequence; nil: the lock could not be had.
    func changeBans(row: Int, _ change: (inout BanList, _ sequence: UInt64) -> Void) -> UInt64? {
        rewriteBans(row: row, step: 1, retired: 0, change)
    }

    /// Drops the bans up to `sequence`, since all records have been checked against them. False: the lock
    /// could not be had.
    func retireBans(through sequence: UInt64, row: Int) -> Bool {
        let newest = rewriteBans(row: row, step: 0, retired: sequence) { list, newest in
            list.retire(through: sequence, newest: newest)
        }
        return newest != nil
    }

    /// Replaces the list by what `change` makes of it, with a sequence that is `step` on. That is thought out
    /// before the lock is taken, and again where somebody was faster: under it words are stored, and nothing
    /// is allocated.
    /// - Returns: the new sequence; nil: the lock could not be had.
    private func rewriteBans(
        row: Int, step: UInt64, retired: UInt64, _ change: (inout BanList, _ sequence: UInt64) -> Void
    ) -> UInt64? {
        for _ in 0..<Arena.spins {
            let present = banList()
            let old = loadOrdered(Header.banSequence)
            let sequence = old &+ step
            var list = present?.list ?? BanList()
            if present != nil { change(&list, sequence) }
            // Where a writer was at the list, this waits for it.
            guard lockBans(row: row) else { return nil }
            defer { unlock(Header.banLock) }
            guard let present, load(Header.banVersion) == present.version else { continue }
            _ = increment(Header.banVersion)
            defer { _ = increment(Header.banVersion) }
            // Else somebody banned everything without the lock.
            guard compareExchange(old, sequence, Header.banSequence) else { continue }
            setBanList(list)
            raise(Header.banRetired, to: retired)
            return sequence
        }
        return nil
    }

    /// Takes the ban lock. Without it a ban takes everything, so a holder that is a thread of this very
    /// process is waited for: it lives, though it may have lost its processor. Whether another process lives
    /// or stands still nobody here can tell.
    private func lockBans(row: Int) -> Bool {
        for _ in 0..<Arena.rests {
            if lock(Header.banLock, row: row, spins: Arena.spins) { return true }
            let holder = load(Header.banLock)
            if holder == 0 { continue }
            guard holder <= geometry.rowCount,
                load(self.row(Int(holder) - 1) + Row.owner) == load(self.row(row) + Row.owner)
            else { return false }
            Spin.rest()
        }
        return false
    }

    /// Bans everything by two words and without a lock.
    func banEverything(soft: Bool) -> UInt64 {
        while true {
            let sequence = loadOrdered(Header.banSequence)
            // First: whoever sees the sequence sees this.
            raise(soft ? Header.banEverythingSoft : Header.banEverythingHard, to: sequence + 1)
            if compareExchange(sequence, sequence + 1, Header.banSequence) {
                announce(sequence + 1)
                return sequence + 1
            }
        }
    }

    /// A writer of the table is gone: what it left half written is replaced by the ban that takes all.
    func mendBans() {
        guard load(Header.banVersion) & 1 == 1 else { return }
        _ = banEverything(soft: false)
        setBanList(BanList())
        _ = increment(Header.banVersion)
    }

    /// Makes `sequence` the newest that marks are compared with: records with another are looked at again.
    func announce(_ sequence: UInt64) {
        while true {
            let mark = load(Header.mark)
            let known = Mark.sequence(mark, newest: loadAcquiring(Header.banSequence))
            if known >= sequence { return }
            var nonce = Mark.nonce(mark)
            if known >> Mark.eraBits != sequence >> Mark.eraBits {
                nonce = Mark.nextNonce(nonce)
            }
            if compareExchange(mark, Mark.make(nonce: nonce, sequence: sequence), Header.mark) { return }
        }
    }

    private func raise(_ offset: Int, to value: UInt64) {
        while true {
            let present = loadOrdered(offset)
            if present >= value || compareExchange(present, value, offset) { return }
        }
    }

    /// Bans that some record may not have been checked against.
    var banCount: Int {
        let retired = load(Header.banRetired)
        var count = 0
        if load(Header.banEverythingHard) > retired { count += 1 }
        if load(Header.banEverythingSoft) > retired { count += 1 }
        for index in 0..<BanList.limit where load(geometry.banOffset + index * Entry.bytes) > retired {
            count += 1
        }
        return count
    }
}
