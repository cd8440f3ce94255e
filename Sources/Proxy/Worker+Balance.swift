internal import AccessLog
internal import Balancing
internal import Exchange
internal import HTTP
internal import Loop

/// The server of an exchange: chosen, counted as long as the exchange has it, and given back once.
extension Worker {
    /// Chooses a server that was not tried, and counts the exchange to it. False: there is none.
    @inline(__always)
    mutating func chooseServer(_ f: Handle, _ upstream: Int) -> Bool {
        if site.upstreams[upstream].hasOneServer, forwards[f].tried.isEmpty {
            give(f, site.upstreams[upstream].servers.lowerBound, .first)
            return true
        }
        return chooseOfSeveral(f, upstream)
    }

    @inline(never)
    private mutating func chooseOfSeveral(_ f: Handle, _ upstream: Int) -> Bool {
        let key = routingHash(f)
        let tried = forwards[f].tried
        if site.upstreams[upstream].needsLoads {
            counters.sumLoads(upstream, site.upstreams[upstream].servers)
        }
        let choice = Self.choose(
            key, of: site.upstreams[upstream], counters, excluding: tried, turn: &turns[upstream],
            now: now.milliseconds)
        guard let choice else { return false }
        give(
            f, site.upstreams[upstream].servers.lowerBound + choice.server,
            !tried.isEmpty ? .retry : choice.isSpill ? .spill : .first)
        if !tried.isEmpty { tell(f, .retried(on: forwards[f].server)) }
        return true
    }

    private static func choose(
        _ key: UInt64, of upstream: borrowing Site.Upstream, _ counters: borrowing ServerCounters,
        excluding tried: ServerSet, turn: inout Int, now: UInt64
    ) -> Balancer.Choice? {
        upstream.balancer.choose(
            key, loads: counters.loads(upstream.servers), excluding: tried,
            avoiding: counters.resting(upstream.servers, now: now), turn: &turn)
    }

    /// What chooses among servers: the key without scheme and settings, or the path where there is no key.
    private mutating func routingHash(_ f: Handle) -> UInt64 {
        parseHead(f)
        return Self.routingHash(of: &forwards[f], request)
    }

    private static func routingHash(
        of forward: inout Forward, _ request: borrowing RequestHead
    ) -> UInt64 {
        if forward.keyCount > 0 {
            let key = forward.routingKey
            return Rendezvous.hash(key)
        }
        let head = forward.head
        return Rendezvous.hash(head.slice(request.path))
    }

    @inline(__always)
    private mutating func give(_ f: Handle, _ server: Int, _ choice: ServerChoice) {
        forwards[f].server = server
        forwards[f].choice = choice
        counters.assign(server, choice)
    }

    /// The exchange has its server no longer: it ends, or goes to another.
    @inline(__always)
    mutating func releaseServer(_ f: Handle) {
        guard forwards[f].server >= 0 else { return }
        counters.release(forwards[f].server)
        forwards[f].server = -1
    }

    /// The thread ends, and what is under way with it.
    mutating func releaseServers() {
        var position = 0
        while let f = forwards.next(from: &position) {
            forwards[f].trouble = Trouble(cause: .stopped)
            logForward(f, isLast: true)
            releaseServer(f)
            settle(f, .failed)
        }
        logUnsent()
        board.leave(index, now: now.milliseconds)
    }
}
