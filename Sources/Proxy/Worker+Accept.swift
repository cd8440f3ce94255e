internal import HTTP
internal import Kernel
internal import Loop
internal import SystemPackage

/// Listening sockets: accepting, the limit of connections, and backing off when descriptors run out.
extension Worker {
    /// How long accepting rests after the kernel had no descriptor or the limit was reached.
    private static var pauseMilliseconds: UInt64 { 100 }
    /// Connections taken from one listener in a turn, before those that are there get theirs.
    static var acceptBudget: Int { 64 }

    /// Watches the doorbells, the ticker and the listeners: to be called once, before `run`.
    mutating func watchListeners() throws(Errno) {
        try poller.addReadable(bell.counter.raw, token: Handle.named(kind: Kind.bell).token)
        let calls = Handle.named(kind: Kind.bell, index: 1)
        try board.mailboxes[index].doorbell.attach(to: poller, token: calls.token)
        try poller.addReadable(ticker.raw, token: Handle.named(kind: Kind.ticker).token)
        resumeAccepting()
    }

    mutating func acceptAll(_ index: Int, atMost budget: Int = Self.acceptBudget) {
        // An event may still tell of a listener that the same turn's drain closed.
        guard listeners.indices.contains(index) else { return }
        for _ in 0..<budget {
            guard clients.count < site.connectionLimit else {
                pauseAccepting()
                return
            }
            switch listeners[index].listener.accept() {
            case .connection(let accepted): admit(accepted)
            case .wouldBlock: return
            default:
                // No descriptor, or no listener that works. It stays readable: without a rest the loop would
                // spin.
                pauseAccepting()
                return
            }
        }
    }

    private mutating func admit(_ accepted: consuming Accepted) {
        let peer = accepted.peer
        let h = clients.insert(Client(accepted.socket, peer: peer))
        // The request is often there already, and a connection that its answer ends is never watched at all.
        // What happens before the watch is told when it begins.
        clients[h].channel.readable = true
        advanceClient(h)
        guard clients.contains(h) else { return }
        if !clients[h].served, !clients[h].headStarted, clients[h].phase == .idle {
            // Nothing yet: the head's time runs without a head.
            clientTimers.set(id: id(h), deadline: now.milliseconds + site.headTimeout)
        }
        do {
            try poller.add(clients[h].channel.socket.raw, token: h.token)
        } catch {
            dropClient(h)
        }
    }

    mutating func pauseAccepting() {
        guard acceptPausedUntil == nil else { return }
        for slot in listeners { poller.remove(slot.listener.raw) }
        acceptPausedUntil = now.milliseconds + Self.pauseMilliseconds
    }

    mutating func resumeAccepting() {
        acceptPausedUntil = nil
        guard !isDraining else { return }
        for index in listeners.indices {
            let token = Handle.named(kind: Kind.listener, index: UInt32(index)).token
            do {
                try poller.addListener(listeners[index].listener.raw, token: token)
            } catch {
                // No kernel memory for a watch: later.
                pauseAccepting()
                return
            }
        }
    }
}
