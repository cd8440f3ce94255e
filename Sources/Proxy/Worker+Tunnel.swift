internal import Bytes
internal import Exchange
internal import HTTP
internal import Kernel
internal import Loop

/// Upgraded connections. Each side may end alone: the other hears it behind what is still on its way, and the
/// tunnel is over once both have ended.
extension Worker {
    /// Both sides agreed on another protocol: from here on bytes pass as they are, both ways. The 101 is
    /// parsed in `response` and stands at the front of `outbound`.
    mutating func openTunnel(_ f: Handle, _ o: Handle, headCount: Int) {
        guard let c = forwards[f].client else { return }
        forwards[f].isTunnel = true
        forwards[f].status = 101
        forwards[f].responseStarted = true
        forwards[f].framing = .untilClose
        forwards[f].requestBody = BodyReader(.untilClose, trailerLimit: 0)
        forwards[f].responseBody = BodyReader(.untilClose, trailerLimit: 0)
        clients[c].closing = true
        out.removeAll()
        composeAnswer(f, framing: .none, interim: true)
        outbound.removeFirst(headCount)
        passBody(f, o, ended: false)
        guard clients.contains(c), forwards.contains(f) else { return }
        // What the client sent behind its request is the tunnel's first data.
        if clients[c].channel.wantsReading { deferClient(c) }
    }

    /// Traffic in a tunnel, either way, keeps both sides alive.
    mutating func touchTunnel(_ f: Handle, _ o: Handle) {
        let timeouts = site.timeouts(origins[o].server)
        // Once one side has ended, a silent other side holds both connections for the shorter time only.
        let isHalf = forwards[f].clientShut || forwards[f].originShut
        let deadline = now.milliseconds + (isHalf ? timeouts.idle : timeouts.tunnel)
        originTimers.set(id: id(o), deadline: deadline)
        if let c = forwards[f].client, clients[c].channel.isFlushed {
            clientTimers.set(id: id(c), deadline: deadline)
        }
    }

    /// The client sends no more, or what it sent last is on its way to the origin now.
    mutating func endTunnelFromClient(_ f: Handle) {
        forwards[f].clientShut = true
        if let o = forwards[f].origin { touchTunnel(f, o) }
        guard let o = forwards[f].origin, origins[o].channel.isFlushed else { return }
        if forwards[f].originShut { finish(f) } else { origins[o].channel.socket.shutdownWrite() }
    }

    /// The origin sends no more.
    mutating func endTunnelFromOrigin(_ f: Handle, _ o: Handle) {
        forwards[f].originShut = true
        if forwards[f].clientShut, origins[o].channel.isFlushed {
            finish(f)
            return
        }
        touchTunnel(f, o)
        if let c = forwards[f].client, clients[c].channel.isFlushed {
            clients[c].channel.socket.shutdownWrite()
        }
    }

    /// The client took all that waited for it.
    mutating func tunnelFlushed(_ f: Handle, _ o: Handle, _ c: Handle) {
        // The time to take what was sent is over; the tunnel's own runs again.
        touchTunnel(f, o)
        if forwards[f].originShut { clients[c].channel.socket.shutdownWrite() }
    }

    /// Has our side of the client's connection ended while the client may still speak?
    func isHalfShut(_ h: Handle) -> Bool {
        guard case .exchange(let f) = clients[h].phase else { return false }
        return forwards[f].isTunnel && forwards[f].originShut
    }
}
