internal import Bytes
internal import HTTP
internal import Kernel
internal import Loop
internal import Machines

/// Upgraded connections. Each side may end alone: the other hears it behind what is still on its way, and the
/// tunnel is over once both have ended.
extension Worker {
    /// Both sides agreed on another protocol: from here on bytes pass as they are, both ways. The 101 is
    /// parsed in `response` and stands at the front of `outbound`.
    mutating func openTunnel(_ x: Handle<Exchange>, _ o: Handle<Origin>, headCount: Int) {
        guard let c = exchanges[x].client else { return }
        exchanges[x].isTunnel = true
        exchanges[x].status = 101
        exchanges[x].responseStarted = true
        exchanges[x].framing = .untilClose
        exchanges[x].requestBody = BodyReader(.untilClose, trailerLimit: 0)
        exchanges[x].responseBody = BodyReader(.untilClose, trailerLimit: 0)
        clients[c].closing = true
        scratch.out.removeAll()
        composeAnswer(x, framing: .none, interim: true)
        scratch.outbound.removeFirst(headCount)
        passBody(x, o, ended: false)
        guard clients.contains(c), exchanges.contains(x) else { return }
        // What the client sent behind its request is the tunnel's first data.
        if clients[c].channel.wantsReading { deferClient(c) }
    }

    /// Traffic in a tunnel, either way, keeps both sides alive.
    mutating func touchTunnel(_ x: Handle<Exchange>, _ o: Handle<Origin>) {
        let timeouts = site.timeouts(origins[o].server)
        // Once one side has ended, a silent other side holds both connections for the shorter time only.
        let isHalf = exchanges[x].clientShut || exchanges[x].originShut
        let deadline = now.milliseconds + (isHalf ? timeouts.idle : timeouts.tunnel)
        origins.setDeadline(o, at: deadline)
        if let c = exchanges[x].client, clients[c].channel.isFlushed {
            clients.setDeadline(c, at: deadline)
        }
    }

    /// The client sends no more, or what it sent last is on its way to the origin now.
    mutating func endTunnelFromClient(_ x: Handle<Exchange>) {
        exchanges[x].clientShut = true
        if let o = exchanges[x].origin { touchTunnel(x, o) }
        guard let o = exchanges[x].origin, origins[o].channel.isFlushed else { return }
        if exchanges[x].originShut { finish(x) } else { origins[o].channel.socket.shutdownWrite() }
    }

    /// The origin sends no more.
    mutating func endTunnelFromOrigin(_ x: Handle<Exchange>, _ o: Handle<Origin>) {
        exchanges[x].originShut = true
        if exchanges[x].clientShut, origins[o].channel.isFlushed {
            finish(x)
            return
        }
        touchTunnel(x, o)
        if let c = exchanges[x].client, clients[c].channel.isFlushed {
            clients[c].channel.socket.shutdownWrite()
        }
    }

    /// The client took all that waited for it.
    mutating func tunnelFlushed(_ x: Handle<Exchange>, _ o: Handle<Origin>, _ c: Handle<Client>) {
        // The time to take what was sent is over; the tunnel's own runs again.
        touchTunnel(x, o)
        if exchanges[x].originShut { clients[c].channel.socket.shutdownWrite() }
    }

    /// Has our side of the client's connection ended while the client may still speak?
    func isHalfShut(_ h: Handle<Client>) -> Bool {
        guard case .exchange(let x) = clients[h].phase else { return false }
        return exchanges[x].isTunnel && exchanges[x].originShut
    }
}
