/// Where things lie in the segment. Offsets in bytes from its start, never pointers.
///
///     0       header       magic, version, options, seed; then one cache line for each word that is written
///     4096    rows         128 bytes a thread: epoch, owner, record in hand, counters
///             counters     invalidation counters, hashed
///             bans         64 entries of 272 bytes
///             segments     32 bytes each: word, tail, retirement epoch
///             ghosts       32-bit words
///             frequencies  a byte a slot
///             index        64-byte buckets of eight slots
///             area         the segments, page-aligned
///     memory  end of what is allocated; the file goes on, sparse, to memoryMax
///
/// A geometry follows from four numbers alone, so a process computes it itself and believes nothing else.
@usableFromInline
struct Geometry: Sendable, Hashable {
    @usableFromInline static let magic: UInt64 = 0x4c41_5244_4552_5354  // "LARDERST"
    @usableFromInline static let version: UInt64 = 3

    @usableFromInline let memory: Int
    let memoryMax: Int
    let segmentOption: Int
    @usableFromInline let rowCount: Int
    @usableFromInline let counterOffset: Int
    let banOffset: Int
    @usableFromInline let segmentTable: Int
    @usableFromInline let segmentCount: Int
    @usableFromInline let segmentBytes: Int
    @usableFromInline let ghostOffset: Int
    @usableFromInline let ghostWords: Int
    @usableFromInline let frequencyOffset: Int
    @usableFromInline let indexOffset: Int
    @usableFromInline let bucketCount: Int
    @usableFromInline let areaStart: Int
    @usableFromInline let areaEnd: Int

    /// nil when the numbers make no sense together.
    init?(memory: Int, memoryMax: Int, rows: Int, segmentBytes: Int?) {
        guard memory >= 1 << 16, memory < 1 << 42, memoryMax >= memory, memoryMax < 1 << 42 else {
            return nil
        }
        guard rows > 0, rows <= 4096 else { return nil }
        let wanted = segmentBytes ?? min(max(memory / 512, 128 << 10), 4 << 20)
        guard wanted >= 1024, wanted <= 1 << 28 else { return nil }
        self.memory = memory
        self.memoryMax = memoryMax
        self.segmentOption = segmentBytes ?? 0
        rowCount = rows
        counterOffset = Header.bytes + rows * Row.bytes
        banOffset = counterOffset + Counters.count * 4
        segmentTable = banOffset + Arena.banTableBytes
        // One slot for 896 bytes: at objects of 1 KiB the index is filled to three fifths, where a bucket
        // of eight with two choices practically never overflows.
        bucketCount = memory / (896 * 8) + 1
        // A ghost for most of the objects that fit at that size; a whole number of cache lines.
        ghostWords = (bucketCount * 5 / 16 + 1) * 16
        let most = memory / wanted
        ghostOffset = Geometry.aligned(segmentTable + most * SegmentEntry.bytes, 64)
        frequencyOffset = Geometry.aligned(ghostOffset + ghostWords * 4, 64)
        indexOffset = Geometry.aligned(frequencyOffset + bucketCount * 8, 64)
        areaStart = Geometry.aligned(indexOffset + bucketCount * 64, 4096)
        guard memory - areaStart >= wanted * 8 else { return nil }
        segmentCount = (memory - areaStart) / wanted
        // The rest is shared out among the segments, unless their size was asked for.
        self.segmentBytes = segmentBytes == nil ? (memory - areaStart) / segmentCount & ~63 : wanted & ~63
        areaEnd = areaStart + segmentCount * self.segmentBytes
    }

    static func aligned(_ value: Int, _ unit: Int) -> Int { (value + unit - 1) / unit * unit }

    func segmentStart(_ segment: Int) -> Int { areaStart + segment * segmentBytes }

    /// The segment that holds a byte of the area.
    func segment(at offset: Int) -> Int { (offset - areaStart) / segmentBytes }

    /// Free or retired segments to keep ready: one for the survivors of a reclaim, the others ahead of need.
    var reserve: Int { 1 + min(max(segmentCount / 128, 1), 4) }
}

/// Offsets of the header's words. Each word that changes has its own cache line.
@usableFromInline
enum Header {
    @usableFromInline static var bytes: Int { 4096 }
    static var magic: Int { 0 }
    static var version: Int { 8 }
    static var memory: Int { 16 }
    static var memoryMax: Int { 24 }
    static var rows: Int { 32 }
    static var segmentOption: Int { 40 }
    static var seed: Int { 48 }
    /// What a record must carry, claims aside, to be used as it is (see Mark).
    @usableFromInline static var mark: Int { 64 }
    @usableFromInline static var epoch: Int { 128 }
    /// Row + 1 of the thread that appends, or 0.
    static var appendLock: Int { 192 }
    /// Row + 1 of the thread that reclaims, or 0.
    static var reclaimLock: Int { 256 }
    /// Segment + 1 that is open, by queue.
    static var open: Int { 320 }
    static var serial: Int { 384 }
    static var sequence: Int { 448 }
    static var ghostClock: Int { 512 }
    /// The cut of the batch in progress: budget, then threshold and queue.
    static var cutBudget: Int { 576 }
    static var cutThreshold: Int { 584 }
    /// How many ghosts back still count: the number of objects, as of the last reclaim.
    static var ghostWindow: Int { 592 }
    /// 1 while the reserve of free segments is not met.
    static var reclaimWanted: Int { 600 }
    /// The newest ban's number.
    static var banSequence: Int { 640 }
    /// Odd while the table of bans is being written.
    static var banVersion: Int { 704 }
    /// What was checked against less than these is gone, or outdated.
    static var banEverythingHard: Int { 712 }
    static var banEverythingSoft: Int { 720 }
    /// Every record has been checked against the bans up to this one.
    static var banRetired: Int { 728 }
    /// What the sweep in progress will have retired at its end. What is not checked so far does not enter.
    static var banClaimed: Int { 736 }
    /// Row + 1 of the thread that changes the bans, or 0.
    static var banLock: Int { 768 }
    /// Row + 1 of the thread that sweeps, or 0; and the next slot that it looks at.
    static var sweepLock: Int { 832 }
    static var sweepCursor: Int { 840 }
}

/// A thread's row, written by its thread alone (and by control once its process is gone).
@usableFromInline
enum Row {
    @usableFromInline static var bytes: Int { 128 }
    /// 0 while offline, else the epoch of the turn.
    @usableFromInline static var epoch: Int { 0 }
    /// Process id, or 0 when free.
    @usableFromInline static var owner: Int { 8 }
    /// Offset of the record last handed out in this turn, or 0.
    @usableFromInline static var inHand: Int { 16 }
    // Counters; see StoreStatistics. Not folded when a row changes hands.
    static var inserted: Int { 24 }
    static var replaced: Int { 32 }
    static var evicted: Int { 40 }
    static var invalidated: Int { 48 }
    static var corrupt: Int { 56 }
    static var pressure: Int { 64 }
    static var bytesKept: Int { 72 }
    static var reclaimed: Int { 80 }
    /// Objects and bytes that can be found: gains less losses, as signed numbers.
    static var objects: Int { 88 }
    static var liveBytes: Int { 96 }
}

/// Invalidation counters.
@usableFromInline
enum Counters {
    @usableFromInline static var count: Int { 4096 }
}

/// A segment's entry in the table.
enum SegmentEntry {
    static var bytes: Int { 32 }
    /// State, queue and sequence in one word, so that a change is one store (see SegmentWord).
    static var word: Int { 0 }
    /// Bytes appended. Records lie back to back in [0, tail).
    static var tail: Int { 8 }
    /// While retired: the epoch that every online row must have reached.
    static var retiredAt: Int { 16 }
}

/// A segment's word: sequence (48 bits) | queue (8) | state (8).
///
///     free ─► open ─► sealed ─► victim ─► retired ─► free
struct SegmentWord: Equatable {
    enum State: UInt64 {
        case free = 0
        /// Records are appended to it.
        case open = 1
        case sealed = 2
        /// In the batch being reclaimed; what is worth it is being copied out.
        case victim = 3
        /// Nothing in the index leads here any more, but readers may still be inside.
        case retired = 4
    }
    var raw: UInt64

    init(raw: UInt64) { self.raw = raw }
    init(_ state: State, queue: Int, sequence: UInt64) {
        raw = sequence << 16 | UInt64(queue) << 8 | state.rawValue
    }

    /// nil for a value that no version of this code wrote.
    var state: State? { State(rawValue: raw & 0xff) }
    var queue: Int { Int(raw >> 8 & 1) }
    var sequence: UInt64 { raw >> 16 }

    func with(_ state: State) -> SegmentWord { SegmentWord(raw: raw & ~0xff | state.rawValue) }
}
