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
        exchanges[x].machine.openTunnel()
        exchanges[x].outcome.status = 101
        exchanges[x].answer.framing = .untilClose
        exchanges[x].requestBody = BodyReader(.untilClose, trailerLimit: 0)
        exchanges[x].answer.body = BodyReader(.untilClose, trailerLimit: 0)
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
        guard case .tunnel(let tunnel) = exchanges[x].machine.phase else { return }
        let timeouts = site.timeouts(origins[o].server)
        // Once one side has ended, a silent other side holds both connections for the shorter time only.
        let deadline = now.milliseconds + (tunnel.isHalf ? timeouts.idle : timeouts.tunnel)
        origins.setDeadline(o, at: deadline)
        if let c = exchanges[x].client, clients[c].channel.isFlushed {
            clients.setDeadline(c, at: deadline)
        }
    }

    /// A side of the tunnel has ended, or has taken all that was sent to it. Nothing happens where the
    /// exchange is no tunnel.
    mutating func tunnelEvent(_ x: Handle<Exchange>, _ event: Tunnel.Event) {
        guard exchanges[x].machine.isTunnel, let o = exchanges[x].origin, let c = exchanges[x].client
        else { return }
        let action = exchanges[x].machine.tunnelEvent(
            event, isOriginFlushed: origins[o].channel.isFlushed,
            isClientFlushed: clients[c].channel.isFlushed)
        if action == .finish {
            finish(x)
            return
        }
        touchTunnel(x, o)
        switch action {
        case .endOrigin: origins[o].channel.endOutput()
        case .endClient: clients[c].channel.endOutput()
        case .finish, .some(.none), nil: break
        }
    }

    /// Has our side of the client's connection ended while the client may still speak?
    func isHalfShut(_ h: Handle<Client>) -> Bool {
        guard case .exchange(let x) = clients[h].phase,
            case .tunnel(let tunnel) = exchanges[x].machine.phase
        else { return false }
        return tunnel.hasOriginEnded
    }
}
