internal import AccessLog
internal import Caching
internal import Machines

/// A request that is looked up a second time, and what has happened to it since the first time.
struct Again: BitwiseCopyable {
    let cause: LookupCause
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
    var waitsAgain: Bool { cause.mayWaitAgain && waits < Reservations.waitLimit }

    /// Of a request that was answered by the store alone.
    static func undone(_ started: Moment) -> Again {
        Again(
            cause: .undone, forwardReason: .miss, started: started, server: -1, choice: .first,
            trouble: Trouble())
    }

    var served: CacheStatus.Served { cause.served(forwardReason, insteadOf: status) }

    /// As `LookupCause.mayAnswer`.
    func mayAnswer(_ use: StaleUse, isFresh: Bool) -> Bool { cause.mayAnswer(use, isFresh: isFresh) }
}
