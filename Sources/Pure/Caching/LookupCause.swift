/// Why a request is looked up a second time, and what that permits.

/// The event that sends a request back to the store.
public enum LookupCause: BitwiseCopyable, Equatable, Sendable, CaseIterable {
    /// Another exchange's fetch, which the request had waited for, was stored.
    case stored
    /// The origin's 304 renewed the entry.
    case renewed
    /// The origin failed, and the entry may answer all the same.
    case failed
    /// The entry's gzip was undone for the request, or could not be.
    case undone
    /// The request's own fetch was stored: the response has to be undone for it.
    case fetched

    /// May an entry that is due for revalidation answer now?
    /// - Parameter isFresh: the entry is fresh, and only the client's wish has it revalidated.
    public func mayAnswer(_ use: StaleUse, isFresh: Bool) -> Bool {
        switch self {
        case .stored: isFresh
        case .renewed, .undone, .fetched: true
        case .failed: use.mayIfError
        }
    }

    /// Is an answer that this cause permits a stale one? A 304 has just made its entry fresh, and a response
    /// that was just fetched is as fresh as it can be.
    public var answersStale: Bool { self == .failed || self == .undone }

    /// May the request wait for another fetch, because what it had waited for was not for it?
    public var mayWaitAgain: Bool { self == .stored }

    /// May a response that is fetched now be undone for the request? Not a second time.
    public var mayUndoFetched: Bool { self != .fetched }

    /// The request's part in Cache-Status (RFC 9211).
    /// - Parameter status: the origin's error status; 0 where it did not answer.
    public func served(_ reason: ForwardReason, insteadOf status: UInt16) -> CacheStatus.Served {
        switch self {
        case .stored: .collapsed(reason)
        case .renewed: .revalidated(reason)
        case .failed: .insteadOf(status, reason)
        case .undone: .hit
        case .fetched: .fetched(reason)
        }
    }
}

extension StaleUse {
    /// May the entry answer a request that comes now, before the origin is asked (RFC 5861 §3, RFC 9111
    /// §5.2.1.2)?
    public var mayAnswerNow: Bool { mayWhileRevalidating || mayByClient }
}
