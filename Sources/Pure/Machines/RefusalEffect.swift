/// What a response that may not be stored does to the reservation of its fetch, to the hit-for-miss memory
/// and to the entry that it would have renewed or replaced.
///
///     the response                               waiting requests     hit-for-miss       the entry
///     to HEAD or for a range                     the next one fetches unchanged          stays
///     refused for this client's cookie or        go on alone          unchanged          stays
///       credentials, or for lack of memory
///     an error of the origin (5xx)               go on alone          unchanged          stays
///     a status that the request caused (401)     go on alone          unchanged          stays
///     any other                                  go on alone          marks the key if   goes
///                                                                     the next response
///                                                                     is refused too
///
/// Which of the waiting requests go on alone is the question of `RefusalScope`.

internal import Bytes
public import Caching
public import HTTP

public struct RefusalEffect: Equatable, Sendable, BitwiseCopyable {
    /// How the reservation ends, if the fetch holds one.
    public let ending: Reservations.Ending
    /// The response has taken the place of the entry, which may not be used any more.
    public let removesEntry: Bool

    public init(_ ending: Reservations.Ending, removesEntry: Bool) {
        self.ending = ending
        self.removesEntry = removesEntry
    }
}

extension Rules {
    /// - Parameters:
    ///   - reason: why `judge` refused `response`, which was parsed from `bytes`.
    ///   - request: the verdict on the request that was sent.
    ///   - sent: when the request was sent to the origin.
    ///   - received: when the head of the response was complete.
    public func refusalEffect(
        _ reason: Reason, of response: borrowing ResponseHead, _ bytes: Span<UInt8>,
        to request: RequestVerdict, sent: Times, received: Times
    ) -> RefusalEffect {
        // The response to a HEAD, or for a range, tells nothing of the response that a GET will get.
        guard request.mayStore else { return RefusalEffect(.failed, removesEntry: false) }
        guard reason.dependsOnlyOnResponse, response.status < 500,
            !Self.isShapedByRequest(status: response.status)
        else {
            return RefusalEffect(
                .unstorable(remember: PlantedFault.isPlanted(.remembersRefusals)), removesEntry: false)
        }
        let remember = isLasting(reason, of: response, bytes, to: request, sent: sent, received: received)
        return RefusalEffect(.unstorable(remember: remember), removesEntry: true)
    }
}
