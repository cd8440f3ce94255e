internal import Bytes
internal import Caching
internal import Compression
internal import Store

/// A variant that is about to be stored beside its original. Workers and helper threads store them.
struct StoredVariant {
    /// The original's facts with the variant's coding.
    let facts: EntryFacts
    let claim: VariantClaim
    /// What had been purged when the original was read.
    let stamp: FetchStamp

    /// - Parameters:
    ///   - facts: the variant's facts, its coding included.
    ///   - serial: the original's.
    ///   - hash: the hash of the original's key.
    init(_ facts: EntryFacts, of serial: UInt64, _ hash: Hash128, _ stamp: FetchStamp) {
        self.facts = facts
        self.stamp = stamp
        claim = VariantClaim(coding: facts.coding, serial: serial, hash: hash)
    }

    /// Stores the variant. If the store has no memory for it now, or the original was invalidated, the claim
    /// is given back, and a later hit asks for the variant again. If the store has no place for such a
    /// variant, the claim stays. Only within a turn of the store.
    /// - Returns: whether it is stored.
    @discardableResult
    func insert(
        into store: inout StoreThread, key: Span<UInt8>, head: borrowing ByteBuffer,
        body: borrowing ByteBuffer, vary: borrowing ByteBuffer, now: Times
    ) -> Bool {
        let outcome = store.insert(
            key: key, hash: claim.hash,
            variant: .derived(coding: facts.coding.rawValue, from: claim.serial), facts: facts.record,
            vary: vary.span, head: head.span, body: body.span, expires: facts.expirySeconds,
            now: UInt32(clamping: now.wallSeconds), stamp: stamp)
        switch outcome {
        case .pressure, .invalidated: claim.giveBack(in: store, key: key)
        case .stored, .crowded, .tooLarge: break
        }
        return outcome == .stored
    }
}
