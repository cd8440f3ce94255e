internal import Caching
internal import HTTP
internal import Loop
internal import Machines

/// What goes where the thread's share of `limits.buffers` is used up: first the bodies that are gathered for
/// the store, whose answers go on; then clients that take nothing. What takes slowly stays, so that the limit
/// may be passed by what is truly under way.
extension Worker {
    /// A client that has taken nothing of its answer for so long is a stalled one.
    private static var stallMilliseconds: UInt64 { 5_000 }

    /// What `limits.buffers` counts, of this thread.
    var bufferBytes: Int { fillBytes &+ ledger.bytes }

    /// How often it is looked for what to shed, where that is not enough.
    private static var restMilliseconds: UInt64 { 100 }

    /// Apart from the loop, which has mostly nothing to shed.
    @inline(never)
    mutating func shed() {
        guard now.milliseconds >= shedsAt else { return }
        shedsAt = now.milliseconds + Self.restMilliseconds
        // Somewhat below the limit, so that the next few bytes do not have it all begin again.
        let enough = site.fillLimit - site.fillLimit / 8
        var position = 0
        while bufferBytes > enough, let x = exchanges.next(from: &position) {
            if exchanges[x].answer.fill != nil { giveUpFill(x) }
        }
        guard bufferBytes > site.fillLimit else { return }
        dropStalled(until: enough)
    }

    private mutating func giveUpFill(_ x: Handle<Exchange>) {
        dropFill(x)
        helpers.note(.buffers, now: now.milliseconds)
        exchanges[x].outcome.reason = .pressure
        endReservationAfterCommit(x)
        // Neither a client nor the store wants the rest.
        if exchanges[x].client == nil { abort(x) }
    }

    /// Closes the clients that have taken nothing for the longest time.
    private mutating func dropStalled(until enough: Int) {
        // A time that the client has not renewed: it runs anew with every byte that it takes.
        let latest = now.milliseconds + site.writeTimeout - min(site.writeTimeout, Self.stallMilliseconds)
        var stalled = LongestIdle(capacity: 64)
        var position = 0
        while let h = clients.next(from: &position) {
            guard let deadline = clients.deadline(of: h), deadline <= latest,
                !clients[h].channel.isFlushed
            else { continue }
            stalled.offer(since: deadline, token: h.token)
        }
        stalled.end()
        while bufferBytes > enough, let next = stalled.next() {
            let h = Handle<Client>(token: next.token)
            guard clients.contains(h) else { continue }
            helpers.note(.stalled, now: now.milliseconds)
            dropClient(h)
        }
    }
}
