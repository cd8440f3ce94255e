package import Bytes
package import Caching
package import HTTP
internal import Settings
package import Store

/// The short way of a hit, which nearly every hit takes: the request is plain (`RequestVerdict.isPlain`) and
/// is looked up for the first time, one record has its key, or the newest of several is in the coding
/// preferred, and that record is fresh and answers the request as it is.
///
/// It decides less than `StoreFinding`, and never otherwise: what it answers, `StoreFinding` answers with the
/// same bytes. `HitChecks` holds the two together.
package struct PlainHit: ~Escapable {
    private let view: RecordView
    private let ageSeconds: UInt32
    private let ttlSeconds: UInt32

    @_lifetime(copy view) @inline(__always)
    private init(_ view: RecordView, ageSeconds: UInt32, ttlSeconds: UInt32) {
        self.view = view
        self.ageSeconds = ageSeconds
        self.ttlSeconds = ttlSeconds
    }

    /// Looks up and decides.
    /// - Returns: nil where the short way cannot tell; then `StoreFinding` tells.
    @inline(__always)
    @_lifetime(borrow store)
    package static func find(
        _ lookup: borrowing StoreLookup, in store: borrowing StoreThread, by rules: borrowing Rules,
        _ request: borrowing RequestHead
    ) -> PlainHit? {
        let accepted = lookup.verdict.codings
        let preferred = rules.compression.choose(accepted: accepted) ?? .identity
        var age: UInt32 = 0
        var ttl: UInt32 = 0
        let now = lookup.now
        let bytes = lookup.bytes
        let found = store.lookupOnly(key: lookup.key, hash: lookup.keyed.hash, coding: preferred.rawValue) {
            facts, vary, isOutdated in
            let entry = EntryFacts(facts)
            // Left to `StoreFinding`: a body that could be had in a better coding, so that it asks for that;
            // a client that refuses identity where no coding is preferred; and what suits clients without
            // Accept-Encoding in one coding only (`RequestVerdict.reach`).
            guard accepted.contains(entry.coding), !entry.flags.contains(.codedForUnstated),
                entry.coding == preferred || !entry.flags.contains(.compressible),
                let use = rules.plainUse(entry, now: now, isOutdated: isOutdated),
                Variance.matches(vary, request.fields, bytes)
            else { return false }
            age = use.ageSeconds
            ttl = use.ttlSeconds
            return true
        }
        guard let view = found else { return nil }
        return PlainHit(view, ageSeconds: age, ttlSeconds: ttl)
    }

    /// Composes the answer; its head replaces what stands in `out`.
    @inline(__always)
    @_lifetime(copy self)
    package func answer(
        _ lookup: borrowing StoreLookup, by rules: borrowing Rules, _ request: borrowing RequestHead,
        into out: inout ByteBuffer
    ) -> StoredAnswer {
        let status = EntryFacts(view.facts).status
        let (head, body) = (view.head, view.body)
        guard rules.cacheStatus != .debug, lookup.persistence.isUsual else {
            let content = StoredContent(
                head: head, body: body, status: status,
                AnswerAge(seconds: ageSeconds, timeToLive: Int64(ttlSeconds)), .hit)
            // A copy: `lookup` itself then needs no place in memory.
            let copy = StoreLookup(
                bytes: lookup.bytes, key: lookup.key, lookup.keyed, lookup.verdict, lookup.now,
                lookup.persistence)
            return content.answer(copy, by: rules, request, into: &out)
        }
        // As `StoredContent` composes it, with one look at the buffer for all of it.
        let isGathered = head.count &+ body.count <= StoredAnswer.gatherLimit
        let count = head.count &+ (isGathered ? body.count : 0)
        out.removeAll()
        out.append(atMost: count &+ CacheStatus.plainHitLimit &+ 64) { room in
            room.append(long: head)
            room.append("Age: ")
            room.append(decimal: UInt64(ageSeconds))
            room.append("\r\n")
            CacheStatus.appendPlainHit(ttlSeconds: ttlSeconds, rules.cacheStatus, to: &room)
            room.append("\r\n")
            if isGathered { room.append(long: body) }
        }
        return StoredAnswer(body: isGathered ? Span() : body, status: status)
    }
}
