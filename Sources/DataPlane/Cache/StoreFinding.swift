package import Bytes
package import Caching
internal import Compression
package import HTTP
package import Machines
package import Store

/// What the store has for a request: the general way of a hit, which decides everything that may be decided
/// of what is stored.
package enum StoreFinding: ~Escapable {
    case answer(StoredAnswer, HitFacts)
    /// An entry in a coding that the client does not take, but that can be undone.
    case undecoded(Undecoded)
    case unanswered(Unanswered)

    package struct Undecoded: BitwiseCopyable {
        /// Of the entry's original.
        let serial: UInt64
        let age: AnswerAge
        /// As in `HitFacts`.
        let refreshes: StaleUse?
    }

    /// Looks up, decides, and composes the answer: its head in `out`. Where a stored entry is to be
    /// revalidated first, `out` has the conditions for that.
    ///
    /// A coding that this client would take, and that nobody has made yet, is claimed on the record, once:
    /// `HitFacts.wanted`.
    @_lifetime(borrow store)
    package static func find(
        _ lookup: borrowing StoreLookup, in store: borrowing StoreThread, by rules: borrowing Rules,
        _ request: borrowing RequestHead, into out: inout ByteBuffer
    ) -> StoreFinding {
        let (verdict, again, now) = (lookup.verdict, lookup.again, lookup.now)
        // A range is of the bytes that the origin made, where they can be had.
        let preferred =
            verdict.flags.contains(.range)
            ? .identity : rules.compression.choose(accepted: verdict.codings) ?? .identity
        guard let view = newest(lookup, in: store, preferring: preferred, request.fields) else {
            return .unanswered(.absent)
        }
        let entry = EntryFacts(view.facts)
        var facts = HitFacts(serial: view.serial)
        let age: AnswerAge
        switch rules.use(entry, for: verdict, now: now, isOutdated: view.isOutdated) {
        case .fresh(let seconds, let ttl): age = AnswerAge(seconds: seconds, timeToLive: Int64(ttl))
        case .refused(let reason): return .unanswered(.refused(reason))
        case .stale(let use):
            // An entry that was purged softly counts as one that expires now.
            age = AnswerAge(
                seconds: use.ageSeconds,
                timeToLive: view.isOutdated ? -Int64(use.staleSeconds) : entry.timeToLive(now))
            guard mayAnswer(use, again, &facts) else {
                return .unanswered(
                    .stale(
                        Renewal(
                            of: view.serial, use, in: store, key: lookup.key, lookup.keyed.hash,
                            conditionsInto: &out)))
            }
        case .refresh(let reason, let use):
            age = AnswerAge(seconds: use.ageSeconds, timeToLive: entry.timeToLive(now))
            guard let again, again.mayAnswer(use, isFresh: true) else {
                return .unanswered(
                    .refresh(
                        reason,
                        Renewal(
                            of: view.serial, use, in: store, key: lookup.key, lookup.keyed.hash,
                            conditionsInto: &out)))
            }
        }
        if entry.coding != preferred {
            if !verdict.codings.contains(entry.coding) {
                // gzip that was found to be damaged is claimed, and goes as it is where it is for everybody.
                let mayUndo =
                    verdict.reach(of: entry) == .undone && again?.undoes != false
                    && store.isUnclaimed(view, coding: Codings.identity.rawValue)
                if mayUndo {
                    return .undecoded(
                        Undecoded(serial: view.serial, age: age, refreshes: facts.refreshes))
                }
                guard entry.flags.contains(.codedForAll) else { return .unanswered(.absent) }
            }
            if entry.flags.contains(.compressible), let coding = ContentCoding(preferred),
                VariantClaim.take(coding, of: view, in: store, lookup.key, lookup.keyed.hash)
            {
                facts.wanted = coding
            }
        }
        let content = StoredContent(
            head: view.head, body: view.body, status: entry.status, age, again?.served ?? .hit)
        return .answer(content.answer(lookup, by: rules, request, into: &out), facts)
    }

    /// The newest record that may answer: its coding is accepted, or can be undone, and its Vary values
    /// match. Of the codings of one body the preferred one.
    @inline(__always)
    @_lifetime(borrow store)
    static func newest(
        _ lookup: borrowing StoreLookup, in store: borrowing StoreThread, preferring preferred: Codings,
        _ fields: borrowing FieldTable
    ) -> RecordView? {
        let (bytes, verdict) = (lookup.bytes, lookup.verdict)
        return store.lookup(key: lookup.key, hash: lookup.keyed.hash) { facts, vary in
            Variance.matches(vary, fields, bytes)
                ? verdict.rank(EntryFacts(facts), preferring: preferred) : 0
        }
    }

    /// May an entry answer that is no longer fresh?
    private static func mayAnswer(_ use: StaleUse, _ again: Again?, _ facts: inout HitFacts) -> Bool {
        if let again, again.mayAnswer(use, isFresh: false) {
            facts.isStale = again.cause.answersStale
            return true
        }
        guard use.mayAnswerNow || PlantedFault.isPlanted(.servesStale) else { return false }
        facts.isStale = true
        if use.mayWhileRevalidating { facts.refreshes = use }
        return true
    }
}

/// Why the store does not answer a request, which then goes on to an origin.
package enum Unanswered: BitwiseCopyable, Equatable, Sendable {
    case absent
    /// An entry that is no longer fresh.
    case stale(Renewal)
    /// A fresh entry, but the client asks for a fresher one.
    case refresh(Reason, Renewal)
    /// A fresh entry that may not answer this request.
    case refused(Reason)
}

extension EntryFacts {
    @inline(__always)
    package init(_ facts: RecordFacts) {
        self.init(unpacking: [facts.words.0, facts.words.1, facts.words.2, facts.words.3, facts.words.4])
    }

    package var record: RecordFacts {
        let words = pack()
        return RecordFacts(words[0], words[1], words[2], words[3], words[4])
    }
}
