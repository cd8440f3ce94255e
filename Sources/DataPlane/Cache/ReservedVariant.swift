/// Which of a key's variants a request takes its place in, as far as the store knows what the key varies by.
/// A worker asks it, and the simulation of one.

public import Bytes
public import Caching
public import HTTP
public import Store

public enum ReservedVariant {
    /// A digest of the request's values of the fields that the key's newest record varies by, and where the
    /// record of these values is in a coding that it does not take, of the codings that it takes. Zero where
    /// nothing is known, or nothing tells requests apart.
    ///
    /// Requests with the same digest wait for one fetch; if it was of no use to one of them after all, that
    /// is seen when it looks again.
    ///
    /// - Parameter blob: is overwritten.
    public static func digest(
        _ store: borrowing StoreThread, _ key: Span<UInt8>, _ hash: Hash128, _ verdict: RequestVerdict,
        _ request: borrowing FieldTable, _ bytes: Span<UInt8>, _ blob: inout ByteBuffer
    ) -> Hash128 {
        guard !store.hasNone(hash), let newest = store.lookup(key: key, hash: hash, ranking: { _, _ in 1 })
        else { return .zero }
        func rank(_ facts: RecordFacts) -> Int {
            verdict.rank(EntryFacts(facts), preferring: .identity)
        }
        if newest.vary.isEmpty, rank(newest.facts) > 0 { return .zero }
        blob.removeAll()
        Variance.append(namesOf: newest.vary, request, bytes, to: &blob)
        var isThere = false
        let usable = store.lookup(key: key, hash: hash) { facts, vary in
            guard Variance.matches(vary, request, bytes) else { return 0 }
            isThere = true
            return rank(facts)
        }
        if usable == nil, isThere { blob.append(verdict.codings.rawValue) }
        return blob.isEmpty ? .zero : store.hash(blob.span)
    }
}

extension Hash128 {
    static var zero: Hash128 { Hash128(low: 0, high: 0) }

    /// This and `variant` together: of a key, what is reserved.
    public func of(variant: Hash128) -> Hash128 {
        Hash128(low: low ^ variant.low, high: high ^ variant.high)
    }
}
