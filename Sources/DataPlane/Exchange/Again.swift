internal import AccessLog
internal import Caching
internal import Machines

/// Why a request is looked up once more.
struct Again: BitwiseCopyable {
    enum Cause: BitwiseCopyable, Equatable {
        /// Another's fetch, which it had waited for, was stored.
        case stored
        /// The origin's 304 renewed the entry.
        case renewed
        /// The origin failed, and the entry may answer all the same.
        case failed
        /// The entry's gzip was undone for it, or could not be.
        case undone
        /// Its own fetch was stored: what it brought has to be undone.
        case fetched
    }

    let cause: Cause
    /// Why it went to the origin, or would have gone.
    let forwardReason: ForwardReason
    /// When the request came.
    let started: Moment
    /// The server that was asked; -1: none was.
    let server: Int
    let choice: ServerChoice
    let trouble: Trouble
    /// What the client gets when there is no entry after all: of `failed` only.
    var failure: UInt16 = 502
    /// What the origin answered; 0 where it did not.
    var status: UInt16 = 0
    /// How often it has waited for another's fetch.
    var waits: UInt8 = 0
    /// May gzip be undone for it? Not a second time.
    var undoes = true

    /// May it wait once more, where what it had waited for was not for it?
    var waitsAgain: Bool { cause == .stored && waits < Reservations.waitLimit }

    /// Of a request that was answered by the store alone.
    static func undone(_ started: Moment) -> Again {
        Again(
            cause: .undone, forwardReason: .miss, started: started, server: -1, choice: .first,
            trouble: Trouble())
    }

    var served: CacheStatus.Served {
        switch cause {
        case .stored: .collapsed(forwardReason)
        case .renewed: .revalidated(forwardReason)
        case .failed: .insteadOf(status, forwardReason)
        case .undone: .hit
        case .fetched: .fetched(forwardReason)
        }
    }

    /// May an entry that is due for revalidation answer now?
    /// - Parameter isFresh: but for the wish to have it revalidated, it would answer.
    func mayAnswer(_ use: StaleUse, isFresh: Bool) -> Bool {
        switch cause {
        case .stored: isFresh
        case .renewed, .undone, .fetched: true
        case .failed: use.mayIfError
        }
    }
}
