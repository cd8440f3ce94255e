/// What the end of a fetch whose response was to be stored does to its reservation and to the hit-for-miss
/// memory.
///
///     the response                        waiting requests        hit-for-miss
///     is stored                           look it up              clears the marks of key and variant,
///                                                                 unless each request has to revalidate
///     was invalidated during the fetch    the next one fetches    unchanged
///     is not stored: its own fault        go on alone             marks the key
///     is not stored: lack of memory       go on alone             unchanged

public import Bytes
public import Caching

public struct CommitEffect: Equatable, Sendable, BitwiseCopyable {
    /// How the reservation ends, if the fetch holds one.
    public let ending: Reservations.Ending
    /// The fetch ran without a reservation because what it would have reserved was marked as hit-for-miss.
    /// The response was storable, so that mark is wrong. (A reservation that ends with `stored` clears its
    /// own mark.)
    public let clearsReservationMark: Bool
    /// The response is one variant of a key. The key's own mark, made before its variants were known, is
    /// wrong too.
    public let clearsKeyMark: Bool

    /// - Parameters:
    ///   - stored: what was stored; nil: nothing was.
    ///   - reason: why it was not.
    ///   - isVariant: the fetch is of one variant, not of the whole key.
    @inlinable
    public init(stored: EntryFacts?, _ reason: Reason?, holdsReservation: Bool, isVariant: Bool) {
        if stored != nil, PlantedFault.isPlanted(.keepsHitForMiss) {
            (ending, clearsReservationMark, clearsKeyMark) = (.stored, false, false)
            return
        }
        if let facts = stored {
            ending = .stored
            clearsReservationMark = facts.isWorthWaitingFor && !holdsReservation
            clearsKeyMark = facts.isWorthWaitingFor && isVariant
            return
        }
        clearsReservationMark = false
        clearsKeyMark = false
        switch reason {
        // An invalidation came during the fetch: waiting requests must not get this response, but may get
        // the next one.
        case nil, .invalidated: ending = .failed
        // `expired` is said here of an entry that a 304 did not make fresh. The next response is a whole one
        // and has a lifetime of its own.
        case .some(let reason):
            ending = .unstorable(remember: reason.dependsOnlyOnResponse && reason != .expired)
        }
    }
}

extension Reservations.Ending {
    /// How the reservation ends when the head of a storable response has come: nil where it goes on, so that
    /// waiting requests get the entry. If each of them has to revalidate the entry by itself, waiting only
    /// delays them (RFC 9111 §5.2.2.4).
    @inlinable
    public init?(storing facts: EntryFacts) {
        guard !facts.isWorthWaitingFor else { return nil }
        self = .unstorable(remember: true)
    }
}
