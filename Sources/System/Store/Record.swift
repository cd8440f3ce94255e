/// A record in the log, 8-aligned:
///
///      0  mark        0 until it is written whole; then see Mark
///      8  checksum    XXH3-64 (seeded) of all that follows, padding left out
///     16  serial (48 bits) | key bytes (16)
///     24  body bytes (32) | head bytes (16) | Vary bytes (16)
///     32  expiry in Unix seconds (32) | unused (23) | derived (1) | coding (8)
///     40  facts, five words
///     80  key, Vary values, head, body; padded to 8
///
/// Lengths and facts are written under the append lock before the segment's tail moves past the record, so
/// that whoever walks a segment steps over records that were never finished. Contents never change once the
/// mark is set.
///
/// A *derived* record holds the body of another in another coding, and has that one's serial.
@usableFromInline
struct RecordHeader {
    @usableFromInline static var bytes: Int { 80 }
    @usableFromInline static var checksum: Int { 8 }

    @usableFromInline let offset: Int
    @usableFromInline let lengths: (UInt64, UInt64)
    /// The word at 32.
    @usableFromInline let kind: UInt64

    @inlinable @inline(__always)
    init(offset: Int, lengths: (UInt64, UInt64), kind: UInt64) {
        self.offset = offset
        self.lengths = lengths
        self.kind = kind
    }

    /// Of no record.
    @inlinable @inline(__always)
    static var none: RecordHeader { RecordHeader(offset: 0, lengths: (0, 0), kind: 0) }

    /// The claim to derive a coding.
    @inlinable @inline(__always)
    static func claim(of coding: UInt8) -> UInt64 { 1 << UInt64(coding.trailingZeroBitCount & 3) }

    static func kind(expires: UInt32, _ variant: Variant) -> UInt64 {
        UInt64(expires) << 32 | (variant.isDerived ? 1 << 8 : 0) | UInt64(variant.coding)
    }

    @inlinable var serial: UInt64 { lengths.0 >> 16 }
    @inlinable var keyCount: Int { Int(lengths.0 & 0xffff) }
    @inlinable var bodyCount: Int { Int(lengths.1 >> 32) }
    @inlinable var headCount: Int { Int(lengths.1 >> 16 & 0xffff) }
    @inlinable var varyCount: Int { Int(lengths.1 & 0xffff) }
    @inlinable var isDerived: Bool { kind & 1 << 8 != 0 }
    @inlinable var coding: UInt8 { UInt8(truncatingIfNeeded: kind) }
    var expiry: UInt32 { UInt32(truncatingIfNeeded: kind >> 32) }
    @inlinable var payload: Int { offset &+ RecordHeader.bytes }
    @inlinable var payloadCount: Int { keyCount &+ varyCount &+ headCount &+ bodyCount }
    /// Bytes in the log, padding included.
    @inlinable var total: Int { RecordHeader.total(payload: payloadCount) }
    @inlinable static func total(payload: Int) -> Int { (bytes &+ payload &+ 7) & ~7 }
    /// Where Vary values, head and body begin.
    var vary: Int { payload + keyCount }
    var head: Int { vary + varyCount }
    var body: Int { head + headCount }

    /// The header at `offset`, each word read once; nil if the record would leave `limit`.
    @inlinable @inline(__always)
    static func read(_ arena: Arena, _ offset: Int, limit: Int) -> RecordHeader? {
        guard offset >= arena.geometry.areaStart, offset &+ bytes <= limit else { return nil }
        let header = RecordHeader(
            offset: offset, lengths: (arena.plain(offset &+ 16), arena.plain(offset &+ 24)),
            kind: arena.plain(offset &+ 32))
        // Lengths have 32 bits at most: the sum can't overflow.
        return offset &+ header.total <= limit ? header : nil
    }

    /// XXH3-64 of everything behind the checksum itself.
    func computedChecksum(_ arena: Arena) -> UInt64 {
        arena.hash64(offset + 16, RecordHeader.bytes - 16 + payloadCount)
    }
}

/// The first word of a record, and the word in the header that it is compared with:
/// nonce (32) | newest ban that the record was checked against (28) | claims (4).
///
/// A record whose nonce is not the store's was written before an unclean death, and must prove itself by its
/// checksum. One whose sequence is not the newest must be checked against the newer bans. Both are one
/// comparison. Claims are codings that somebody has set out to derive; none in the header.
@usableFromInline
enum Mark {
    @usableFromInline static var claimMask: UInt64 { 15 }
    static var sequenceMask: UInt64 { 1 << 28 - 1 }
    /// Within an era of so many bits a sequence is told by its low 28; the next era has another nonce.
    static var eraBits: UInt64 { 27 }

    static func make(nonce: UInt64, sequence: UInt64) -> UInt64 {
        nonce << 32 | (sequence & sequenceMask) << 4
    }

    static func nonce(_ mark: UInt64) -> UInt64 { mark >> 32 }

    /// The sequence at or before `newest` that the mark was made with.
    static func sequence(_ mark: UInt64, newest: UInt64) -> UInt64 {
        newest &- ((newest &- (mark >> 4)) & sequenceMask)
    }

    /// Never 0, which is the mark of what was never finished.
    static func nextNonce(_ nonce: UInt64) -> UInt64 { max((nonce &+ 1) & 0xffff_ffff, 1) }
}

/// An index slot: tag (23 bits) | pending (1) | outdated (1) | offset in units of 8 bytes (39). 0 is empty.
///
/// *Outdated* is a live record that a soft purge has taken. The bit lies here, and not in the record, so that
/// it goes with the record when a reclaim moves that, in one compare-and-swap.
///
/// A *pending* slot is seen by invalidations and by nobody else: a writer checks that nothing happened to its
/// key in between, and only then makes it live.
@usableFromInline
enum Slot {
    @inlinable static var pending: UInt64 { 1 << 40 }
    @inlinable static var outdated: UInt64 { 1 << 39 }
    @inlinable static var offsetMask: UInt64 { 1 << 39 &- 1 }

    /// The bits that decide whether a slot is worth a look: the tag, in its place.
    @inlinable @inline(__always)
    static func tag(_ hashHigh: UInt64) -> UInt64 { hashHigh << 41 }

    @inlinable @inline(__always)
    static func offset(_ slot: UInt64) -> Int { Int(slot & offsetMask) &* 8 }

    @inlinable @inline(__always)
    static func matches(_ slot: UInt64, _ tag: UInt64) -> Bool { (slot ^ tag) >> 41 == 0 && slot != 0 }

    /// As `matches`, and not pending. (For the tag 0 an empty slot is live too: it leads to the offset 0,
    /// where no record is.)
    @inlinable @inline(__always)
    static func isLive(_ slot: UInt64, _ tag: UInt64) -> Bool { (slot ^ tag) >> 40 == 0 }

    @inlinable @inline(__always)
    static func make(_ offset: Int, _ tag: UInt64) -> UInt64 { tag | UInt64(offset / 8) }
}

/// A borrowed record: it can't outlive the turn, because `endTurn` needs the thread's handle exclusively.
public struct RecordView: ~Escapable {
    public let facts: RecordFacts
    /// Taken by a soft purge: to be used as if its freshness had ended.
    public let isOutdated: Bool
    @usableFromInline let header: RecordHeader
    @usableFromInline let payload: Span<UInt8>

    @inlinable @inline(__always)
    @_lifetime(copy payload)
    init(facts: RecordFacts, payload: Span<UInt8>, header: RecordHeader, isOutdated: Bool) {
        self.facts = facts
        self.payload = payload
        self.header = header
        self.isOutdated = isOutdated
    }

    /// The same for an original and all that was derived from it.
    @inlinable public var serial: UInt64 { header.serial }
    @inlinable public var isDerived: Bool { header.isDerived }
    /// Where its record lies: for `StoreThread.claim`.
    @inlinable var offset: Int { header.offset }

    @inlinable var varyStart: Int { header.keyCount }
    @inlinable var headStart: Int { header.keyCount &+ header.varyCount }
    @inlinable var bodyStart: Int { headStart &+ header.headCount }

    /// The Vary values that it was stored with.
    @inlinable public var vary: Span<UInt8> {
        @inline(__always) @_lifetime(copy self) get { payload.extracting(varyStart..<headStart) }
    }
    @inlinable public var head: Span<UInt8> {
        @inline(__always) @_lifetime(copy self) get { payload.extracting(headStart..<bodyStart) }
    }
    @inlinable public var body: Span<UInt8> {
        @inline(__always) @_lifetime(copy self) get { payload.extracting(bodyStart..<payload.count) }
    }
}
