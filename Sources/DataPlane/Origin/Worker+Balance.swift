internal import AccessLog
internal import Balancing
internal import HTTP
internal import Loop
internal import Machines

/// The server of an exchange: chosen, counted as long as the exchange has it, and given back once.
extension Worker {
    /// Chooses a server that was not tried, and counts the exchange to it. False: there is none.
    @inline(__always)
    mutating func chooseServer(_ x: Handle<Exchange>, _ upstream: Int) -> Bool {
        if site.upstreams[upstream].hasOneServer, exchanges[x].fetch.tried.isEmpty {
            give(x, site.upstreams[upstream].servers.lowerBound, .first)
            return true
        }
        return chooseOfSeveral(x, upstream)
    }

    @inline(never)
    private mutating func chooseOfSeveral(_ x: Handle<Exchange>, _ upstream: Int) -> Bool {
        let key = routingHash(x)
        let tried = exchanges[x].fetch.tried
        if site.upstreams[upstream].needsLoads {
            counters.sumLoads(upstream, site.upstreams[upstream].servers)
        }
        let choice = Self.choose(
            key, of: site.upstreams[upstream], counters, excluding: tried, turn: &turns[upstream],
            now: now.milliseconds)
        guard let choice else { return false }
        give(
            x, site.upstreams[upstream].servers.lowerBound + choice.server,
            !tried.isEmpty ? .retry : choice.isSpill ? .spill : .first)
        if !tried.isEmpty { tell(x, .retried(on: exchanges[x].fetch.server)) }
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
    private mutating func routingHash(_ x: Handle<Exchange>) -> UInt64 {
        parseHead(x)
        return Self.routingHash(of: &exchanges[x], scratch.request)
    }

    private static func routingHash(
        of exchange: inout Exchange, _ request: borrowing RequestHead
    ) -> UInt64 {
        if exchange.keyCount > 0 {
            let key = exchange.routingKey
            return Rendezvous.hash(key)
        }
        let head = exchange.head
        return Rendezvous.hash(head.slice(request.path))
    }

    @inline(__always)
    private mutating func give(_ x: Handle<Exchange>, _ server: Int, _ choice: ServerChoice) {
        exchanges[x].fetch.server = server
        exchanges[x].fetch.choice = choice
        counters.assign(server, choice)
    }

    /// The exchange has its server no longer: it ends, or goes to another.
    @inline(__always)
    mutating func releaseServer(_ x: Handle<Exchange>) {
        guard exchanges[x].fetch.server >= 0 else { return }
        counters.release(exchanges[x].fetch.server)
        exchanges[x].fetch.server = -1
    }

    /// The thread ends, and what is under way with it.
    mutating func releaseServers() {
        var position = 0
        while let x = exchanges.next(from: &position) {
            exchanges[x].outcome.trouble = Trouble(cause: .stopped)
            logExchange(x, isLast: true)
            releaseServer(x)
            endReservation(x, .failed)
        }
        log.finishAll(&clients)
        board.leave(index, now: now.milliseconds)
    }
}
