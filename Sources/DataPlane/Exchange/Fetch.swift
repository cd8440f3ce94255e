internal import AccessLog
internal import Balancing
internal import Caching
internal import Machines
internal import Store

/// Why an exchange asks the origin, which server it asks, and what it may do for a stored entry.
struct Fetch {
    /// What `Cache-Status` says of why the request goes on to the origin.
    let forwardReason: ForwardReason
    /// The entry that this fetch may renew or fall back on; nil where there is none.
    var renewal: Renewal?
    /// The entry that this fetch stores is to be revalidated without conditions from then on
    /// (`EntryFacts.Flags.fetchedWhole`).
    var isFetchedWhole: Bool
    /// A GET is sent for a client that asked by HEAD.
    var answersHead = false
    /// gzip may be undone for the client. It may not where that was tried already.
    var mayUndo = true
    /// What had been purged when the request was sent.
    var stamp = FetchStamp()
    var sentAt: Times
    /// Servers of the upstream that failed this exchange.
    var tried = ServerSet()
    /// Index in `Site.servers` of the server where this exchange counts as in flight; -1: none.
    var server = -1
    var choice = ServerChoice.first

    @inline(__always)
    init(_ forwardReason: ForwardReason, _ renewal: Renewal?, now: Times) {
        self.forwardReason = forwardReason
        self.renewal = renewal
        isFetchedWhole = renewal?.isFetchedWhole ?? false
        sentAt = now
    }
}
