internal import Eviction

/// The log: which segment is in which state, and where the next record goes.
///
/// Who changes a segment's word: the holder of the append lock (free → open → sealed), the holder of the
/// reclaim lock (sealed → victim → retired → free), and control for a process that is gone. There are no
/// lists: order is the sequence in the words, so that a death leaves nothing to rebuild.
extension Arena {
    /// How long to spin for a lock before giving up, in rounds of some ten nanoseconds.
    static var spins: Int { 1000 }
    /// How often to rest behind that, for a lock that is worth it: seconds.
    static var rests: Int { 40_000 }

    func entry(_ segment: Int) -> Int { geometry.segmentTable + segment * SegmentEntry.bytes }
    func segmentWord(_ segment: Int) -> SegmentWord { SegmentWord(raw: loadAcquiring(entry(segment))) }
    func setSegmentWord(_ word: SegmentWord, _ segment: Int) { exchange(word.raw, entry(segment)) }

    /// Bytes appended: never more than a segment holds, and a multiple of 8, whatever the table says.
    func tail(_ segment: Int) -> Int {
        Int(min(loadAcquiring(entry(segment) + SegmentEntry.tail), UInt64(geometry.segmentBytes))) & ~7
    }

    struct Census {
        var free = 0, retired = 0, small = 0, main = 0, sealedSmall = 0, sealedMain = 0
        /// The victim that is to be emptied next.
        var victim: Int?
    }

    /// Counts segments by state. Reads the whole table: some kilobytes.
    func census() -> Census {
        var census = Census()
        var victimSequence = UInt64.max
        for segment in 0..<geometry.segmentCount {
            let word = segmentWord(segment)
            switch word.state {
            case .free: census.free += 1
            case .retired: census.retired += 1
            case .open, .sealed:
                let sealed = word.state == .sealed ? 1 : 0
                if word.queue == 0 {
                    census.small += 1
                    census.sealedSmall += sealed
                } else {
                    census.main += 1
                    census.sealedMain += sealed
                }
            case .victim:
                if word.sequence < victimSequence {
                    victimSequence = word.sequence
                    census.victim = segment
                }
            case nil: break
            }
        }
        return census
    }

    /// The sealed segment of `queue` with the lowest sequence above `after`.
    func oldestSealed(_ queue: Queue, after: UInt64) -> (segment: Int, word: SegmentWord)? {
        var found: (segment: Int, word: SegmentWord)?
        for segment in 0..<geometry.segmentCount {
            let word = segmentWord(segment)
            guard word.state == .sealed, word.queue == Int(queue.rawValue), word.sequence > after else {
                continue
            }
            if let best = found, best.word.sequence < word.sequence { continue }
            found = (segment, word)
        }
        return found
    }

    /// What `reserve` writes before the tail moves.
    struct Draft {
        var lengths: (UInt64, UInt64)
        /// Expiry and variant: the record's word at 32.
        var kind: UInt64
        var facts: RecordFacts
        var total: Int
    }

    enum Reservation {
        /// The record's offset; `opened` when it is the first of its segment.
        case granted(Int, opened: Bool)
        case full
        case busy
    }

    /// Room for a record at the end of `queue`. The caller fills it in outside the lock.
    /// - Parameter spare: free segments that must remain when a new one is opened.
    func reserve(_ draft: Draft, queue: Queue, row: Int, spare: Int) -> Reservation {
        guard lock(Header.appendLock, row: row, spins: Arena.spins) else { return .busy }
        defer { unlock(Header.appendLock) }
        let openWord = Header.open + Int(queue.rawValue) * 8
        var segment = Int(truncatingIfNeeded: load(openWord)) &- 1
        var opened = false
        if segment < 0 || segment >= geometry.segmentCount || segmentWord(segment).state != .open
            || tail(segment) + draft.total > geometry.segmentBytes
        {
            guard let fresh = openSegment(queue, replacing: segment, spare: spare) else { return .full }
            segment = fresh
            opened = true
        }
        let tail = tail(segment)
        let offset = geometry.segmentStart(segment) + tail
        store(0, offset)
        setPlain(draft.lengths.0, offset + 16)
        setPlain(draft.lengths.1, offset + 24)
        setPlain(draft.kind, offset + 32)
        setPlain(draft.facts.words.0, offset + 40)
        setPlain(draft.facts.words.1, offset + 48)
        setPlain(draft.facts.words.2, offset + 56)
        setPlain(draft.facts.words.3, offset + 64)
        setPlain(draft.facts.words.4, offset + 72)
        storeReleasing(UInt64(tail + draft.total), entry(segment) + SegmentEntry.tail)
        return .granted(offset, opened: opened)
    }

    /// Opens a free segment and seals the one it replaces; under the append lock. Each step leaves a sound
    /// state: at worst a segment is open that nobody fills, which `sealStrays` mends.
    private func openSegment(_ queue: Queue, replacing old: Int, spare: Int) -> Int? {
        var fresh: Int?
        var free = 0
        for segment in 0..<geometry.segmentCount where segmentWord(segment).state == .free {
            if fresh == nil { fresh = segment }
            free += 1
            if free > spare { break }
        }
        guard let fresh, free > spare else { return nil }
        let sequence = increment(Header.sequence)
        storeReleasing(0, entry(fresh) + SegmentEntry.tail)
        setSegmentWord(SegmentWord(.open, queue: Int(queue.rawValue), sequence: sequence), fresh)
        storeReleasing(UInt64(fresh + 1), Header.open + Int(queue.rawValue) * 8)
        if old >= 0, old < geometry.segmentCount {
            let word = segmentWord(old)
            if word.state == .open { setSegmentWord(word.with(.sealed), old) }
        }
        return fresh
    }

    /// Seals what a dead holder of the append lock left open without a reference.
    func sealStrays(row: Int) {
        guard load(Header.appendLock) == UInt64(row + 1) else { return }
        for segment in 0..<geometry.segmentCount {
            let word = segmentWord(segment)
            guard word.state == .open, load(Header.open + word.queue * 8) != UInt64(segment + 1) else {
                continue
            }
            setSegmentWord(word.with(.sealed), segment)
        }
    }

    /// Frees the retired segments that no online row can still see into.
    func freeRetired() {
        var oldest: UInt64?
        for segment in 0..<geometry.segmentCount where segmentWord(segment).state == .retired {
            let reached = oldest ?? oldestEpoch()
            oldest = reached
            if load(entry(segment) + SegmentEntry.retiredAt) <= reached {
                setSegmentWord(SegmentWord(.free, queue: 0, sequence: 0), segment)
            }
        }
    }

    /// Takes a segment that no slot leads to out of use. It is free once all online rows have moved on.
    func retire(_ segment: Int) {
        // The slots were emptied by read-modify-writes before this one; a row that shows the new epoch, or
        // goes online after the scan of the rows, sees them empty.
        store(increment(Header.epoch), entry(segment) + SegmentEntry.retiredAt)
        setSegmentWord(segmentWord(segment).with(.retired), segment)
    }
}
