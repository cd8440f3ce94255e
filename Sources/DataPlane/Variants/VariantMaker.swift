internal import Bytes
internal import Caching
internal import Compression
internal import Store

/// Makes coded variants of stored bodies, one at a time, on a thread that has its own row in the store.
struct VariantMaker: ~Copyable, Sendable {
    private var store: StoreThread
    private var encoders = EncoderPool()
    private var head = ByteBuffer(capacity: 4 * 1024)
    private var derivedHead = ByteBuffer(capacity: 4 * 1024)
    private var body = ByteBuffer(capacity: 64 * 1024)
    private var coded = ByteBuffer(capacity: 32 * 1024)
    private var vary = ByteBuffer(capacity: 64)

    private let clock: SteeredClock?

    init(_ store: consuming StoreThread, _ clock: SteeredClock?) {
        self.store = store
        self.clock = clock
    }

    /// Makes the variant, if its original is still there, and stores it, if it is smaller.
    mutating func make(_ job: VariantJob) {
        store.beginTurn()
        // Before the body is read: an invalidation from here on makes the store refuse the variant.
        let stamp = store.stamp(job.hash)
        let found = Self.copy(job, store, head: &head, body: &body, vary: &vary)
        if found == nil {
            VariantClaim(coding: Codings(job.coding), serial: job.serial, hash: job.hash)
                .giveBack(in: store, key: job.key.span)
        }
        store.endTurn()
        guard var facts = found, let encoded = encoders.take(job.coding, .store) else { return }
        var encoder = encoded
        coded.removeAll()
        let isWhole = Self.encode(body, with: &encoder, into: &coded)
        encoders.give(encoder)
        guard isWhole, CompressionRules.isWorthStoring(coded.count, insteadOf: body.count) else { return }
        facts.coding = Codings(job.coding)
        derivedHead.removeAll()
        guard
            Self.deriveHead(
                head, facts.coding, bodyCount: coded.count, limit: job.headLimit, into: &derivedHead)
        else { return }
        let now = Times.read(clock)
        store.beginTurn()
        StoredVariant(facts, of: job.serial, job.hash, stamp).insert(
            into: &store, key: job.key.span, head: derivedHead, body: coded, vary: vary, now: now)
        store.endTurn()
    }

    /// Applies bans to some more records.
    /// - Returns: whether there is more to do.
    mutating func sweep() -> Bool { store.sweep(limit: 16_384) }

    private static func copy(
        _ job: VariantJob, _ store: borrowing StoreThread, head: inout ByteBuffer, body: inout ByteBuffer,
        vary: inout ByteBuffer
    ) -> EntryFacts? {
        guard let view = store.original(key: job.key.span, hash: job.hash, serial: job.serial) else {
            return nil
        }
        head.removeAll()
        head.append(view.head)
        body.removeAll()
        body.append(view.body)
        vary.removeAll()
        vary.append(view.vary)
        return EntryFacts(view.facts)
    }

    private static func encode(
        _ body: borrowing ByteBuffer, with encoder: inout Encoder, into coded: inout ByteBuffer
    ) -> Bool { encoder.encode(body.span, .finish, into: &coded) }

    private static func deriveHead(
        _ head: borrowing ByteBuffer, _ coding: Codings, bodyCount: Int, limit: Int,
        into derived: inout ByteBuffer
    ) -> Bool {
        StoredHead.derive(from: head.span, coding: coding, bodyCount: bodyCount, limit: limit, into: &derived)
    }
}
