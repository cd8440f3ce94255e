internal import AccessLog
internal import Balancing
internal import Exchange
internal import Loop

/// The server of an exchange: chosen, counted as long as the exchange has it, and given back once.
extension Worker {
    /// Chooses a server that was not tried, and counts the exchange to it. False: there is none.
    mutating func chooseServer(_ f: Handle, _ upstream: Int) -> Bool {
        let members = site.upstreams[upstream].servers
        let tried = forwards[f].tried
        if site.upstreams[upstream].hasOneServer, tried.isEmpty {
            give(f, members.lowerBound, .first)
            return true
        }
        let key = forwards[f].keyed.routingHash
        let resting = counters.resting(members, now: now.milliseconds)
        if site.upstreams[upstream].balancer.needsLoads { counters.sumLoads(upstream, members) }
        var turn = turns[upstream]
        let choice = site.upstreams[upstream].balancer.choose(
            key, loads: counters.loads(members), excluding: tried, avoiding: resting, turn: &turn)
        turns[upstream] = turn
        guard let choice else { return false }
        give(
            f, members.lowerBound + choice.server,
            !tried.isEmpty ? .retry : choice.isSpill ? .spill : .first)
        return true
    }

    private mutating func give(_ f: Handle, _ server: Int, _ choice: ServerChoice) {
        forwards[f].server = server
        forwards[f].choice = choice
        counters.assign(server, choice)
    }

    /// The exchange has its server no longer: it ends, or goes to another.
    mutating func releaseServer(_ f: Handle) {
        guard forwards[f].server >= 0 else { return }
        counters.release(forwards[f].server)
        forwards[f].server = -1
    }

    /// The thread ends, and what is under way with it.
    mutating func releaseServers() {
        var position = 0
        while let f = forwards.next(from: &position) {
            releaseServer(f)
            settle(f, .failed)
        }
        board.leave(index, now: now.milliseconds)
    }
}
