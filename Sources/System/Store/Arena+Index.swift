public import Bytes
public import Eviction

/// The index: slots, their frequencies, and the records they lead to.
///
/// Slots change by compare-and-swap alone: empty → pending → live, live → live elsewhere (a reclaim moves the
/// record), live → outdated, anything → empty. A slot leads only to records of segments that are not yet
/// retired.
extension Arena {
    /// The first slot of a key's first bucket, of its two.
    @inlinable @inline(__always)
    func firstBucket(_ hash: Hash128) -> Int {
        let first = hash.low.multipliedFullWidth(by: UInt64(geometry.bucketCount)).high
        return Int(truncatingIfNeeded: first) &* 8
    }

    /// Not inlined: most lookups end in the first.
    @usableFromInline @inline(never)
    func secondBucket(_ hash: Hash128) -> Int {
        let count = UInt64(geometry.bucketCount)
        let first = hash.low.multipliedFullWidth(by: count).high
        let second = hash.high.multipliedFullWidth(by: count).high
        let other = second == first ? (first &+ 1 == count ? 0 : first &+ 1) : second
        return Int(truncatingIfNeeded: other) &* 8
    }

    /// Which of a bucket's eight slots may lead to a record of a key with this tag: a bit for each. They may
    /// change at once, so whoever takes one looks again.
    @inlinable @inline(__always)
    func live(_ bucket: Int, _ tag: UInt64) -> UInt64 {
        let start = slotOffset(bucket)
        var places: UInt64 = 0
        for place in 0..<8 where Slot.isLive(load(start &+ place &* 8), tag) { places |= 1 &<< UInt64(place) }
        return places
    }

    /// Of several slots of a bucket with this tag, the one that leads to a record in this coding, where none
    /// leads to a newer record of any.
    @usableFromInline @inline(never)
    func newest(in coding: UInt8, of places: UInt64, _ bucket: Int, _ tag: UInt64) -> Int? {
        var places = places
        var found: Int?
        var (serial, newest): (UInt64, UInt64) = (0, 0)
        while places != 0 {
            let index = bucket &+ places.trailingZeroBitCount
            places &= places &- 1
            let slot = loadAcquiring(slotOffset(index))
            guard Slot.isLive(slot, tag),
                let header = RecordHeader.read(self, Slot.offset(slot), limit: geometry.areaEnd)
            else { return nil }
            newest = max(newest, header.serial)
            if header.coding == coding, found == nil || header.serial > serial {
                found = index
                serial = header.serial
            }
        }
        return serial == newest ? found : nil
    }

    @inlinable @inline(__always)
    func slotOffset(_ slot: Int) -> Int { geometry.indexOffset &+ slot &* 8 }

    /// The record that a slot leads to, if its lengths are sound and its key is `key`.
    @inlinable @inline(__always)
    func record(_ slot: UInt64, ifKeyed key: borrowing Span<UInt8>) -> RecordHeader? {
        guard let header = RecordHeader.read(self, Slot.offset(slot), limit: geometry.areaEnd) else {
            return nil
        }
        return header.keyCount == key.count && equals(key, header.payload) ? header : nil
    }

    @inlinable @inline(__always)
    func facts(_ header: RecordHeader) -> RecordFacts {
        let start = header.offset &+ 40
        return RecordFacts(
            plain(start), plain(start &+ 8), plain(start &+ 16), plain(start &+ 24), plain(start &+ 32))
    }

    /// Whether the record was written or checked since the last unclean death and the newest ban.
    @inlinable @inline(__always)
    func isCurrent(_ header: RecordHeader) -> Bool {
        loadAcquiring(header.offset) & ~Mark.claimMask == load(Header.mark)
    }

    /// Whether the record is what was written, by its checksum.
    func isSound(_ header: RecordHeader) -> Bool {
        loadAcquiring(header.offset) != 0
            && plain(header.offset + RecordHeader.checksum) == header.computedChecksum(self)
    }

    /// Bumps a slot's frequency, up to its maximum. Races lose a count, nothing else.
    @inlinable @inline(__always)
    func touch(_ slot: Int) {
        let offset = geometry.frequencyOffset &+ slot
        let value = loadByte(offset)
        if value < Arena.maxFrequency { storeByte(value &+ 1, offset) }
    }

    @inlinable static var maxFrequency: UInt8 { Eviction.maxFrequency }

    func frequency(_ slot: Int) -> UInt8 { loadByte(geometry.frequencyOffset + slot) }
    func setFrequency(_ value: UInt8, _ slot: Int) { storeByte(value, geometry.frequencyOffset + slot) }

    /// All slots that may lead to a key's records: those of its first bucket, then those of its second.
    func slots(of hash: Hash128) -> KeySlots {
        KeySlots(first: firstBucket(hash), second: secondBucket(hash))
    }

    /// The record of `key` that is live in a slot, and what the slot holds.
    func live(_ index: Int, _ tag: UInt64, _ key: borrowing Span<UInt8>) -> (RecordHeader, slot: UInt64)? {
        let slot = loadAcquiring(slotOffset(index))
        guard Slot.isLive(slot, tag), let header = record(slot, ifKeyed: key) else { return nil }
        return (header, slot)
    }

    /// The slot that leads to the record at `offset`, pending or live, with its value.
    func slot(of hash: Hash128, leadingTo offset: Int) -> (index: Int, value: UInt64)? {
        for index in slots(of: hash) {
            let value = loadAcquiring(slotOffset(index))
            if value != 0, Slot.offset(value) == offset { return (index, value) }
        }
        return nil
    }

    /// Empties every slot that leads into a segment. For a log that can't be walked: reads the whole index.
    func sweep(segment: Int) -> Int {
        var removed = 0
        let start = geometry.segmentStart(segment)
        for index in 0..<geometry.bucketCount * 8 {
            let offset = Slot.offset(loadAcquiring(slotOffset(index)))
            guard offset >= start, offset < start + geometry.segmentBytes else { continue }
            if let value = detach(index, from: offset), value & Slot.pending == 0 { removed += 1 }
        }
        return removed
    }

    /// Empties a slot for as long as it leads to the record at `offset`: a purge may mark it meanwhile.
    /// - Returns: what it held; nil when it leads there no more.
    func detach(_ index: Int, from offset: Int) -> UInt64? {
        while true {
            let value = loadOrdered(slotOffset(index))
            guard value != 0, Slot.offset(value) == offset else { return nil }
            if compareExchange(value, 0, slotOffset(index)) { return value }
        }
    }
}

/// The sixteen slots of a key, for all but hits: these look at the first bucket first, and mostly at no
/// other.
struct KeySlots: Sequence, IteratorProtocol {
    let first: Int
    let second: Int
    private var count = 0

    init(first: Int, second: Int) {
        self.first = first
        self.second = second
    }

    mutating func next() -> Int? {
        guard count < 16 else { return nil }
        defer { count += 1 }
        return count < 8 ? first + count : second + count - 8
    }
}

/// The ghost list's words.
struct GhostList: GhostMemory {
    let arena: Arena
    var ghostWords: Int { arena.geometry.ghostWords }
    func ghost(at index: Int) -> UInt32 { arena.loadNarrow(arena.geometry.ghostOffset + index * 4) }
    func setGhost(_ word: UInt32, at index: Int) {
        arena.storeNarrow(word, arena.geometry.ghostOffset + index * 4)
    }
}
