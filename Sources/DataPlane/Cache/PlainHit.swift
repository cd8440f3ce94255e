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
package enum PlainHit {
    /// Composes the answer: its head in `out`.
    /// - Returns: nil where the short way cannot tell; then nothing was written, and `StoreFinding` tells.
    @inline(__always)
    @_lifetime(borrow store)
    package static func find(
        _ lookup: borrowing StoreLookup, in store: borrowing StoreThread, by rules: borrowing Rules,
        _ request: borrowing RequestHead, into out: inout ByteBuffer
    ) -> StoredAnswer? {
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
        let facts = HitFacts(status: EntryFacts(view.facts).status)
        let (head, body) = (view.head, view.body)
        let count = head.count &+ body.count
        guard count <= StoredAnswer.gatherLimit, rules.cacheStatus != .debug, lookup.persistence.isUsual
        else {
            let content = StoredContent(
                head: head, body: body, AnswerAge(seconds: age, timeToLive: Int64(ttl)), .hit)
            return content.answer(lookup, by: rules, request, facts, into: &out)
        }
        out.removeAll()
        // As `StoredContent` does it, with one look at the buffer for all of it.
        out.append(atMost: count &+ CacheStatus.plainHitLimit &+ 64) { room in
            room.append(long: head)
            room.append("Age: ")
            room.append(decimal: UInt64(age))
            room.append("\r\n")
            CacheStatus.appendPlainHit(ttlSeconds: ttl, rules.cacheStatus, to: &room)
            room.append("\r\n")
            room.append(long: body)
        }
        return StoredAnswer(body: Span(), facts)
    }
}
