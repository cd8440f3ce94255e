internal import HTTP
internal import Kernel
internal import Loop
internal import SystemPackage

/// Listening sockets: accepting, and backing off when there is no room or no descriptor.
extension Worker {
    /// How long accepting rests where nothing makes room: a doorbell ends the rest where another connection
    /// ends.
    private static var pauseMilliseconds: UInt64 { 100 }
    /// Connections taken from one listener in a turn, before those that are there get theirs.
    static var acceptBudget: Int { 64 }

    /// Watches the doorbells, the ticker and the listeners: to be called once, before `run`.
    mutating func watchListeners() throws(Errno) {
        try poller.addReadable(bell.counter.raw, token: Token(kind: Kind.bell).word)
        let calls = Token(kind: Kind.bell, index: 1)
        try board.mailboxes[index].doorbell.attach(to: poller, token: calls.word)
        try poller.addReadable(ticker.raw, token: Token(kind: Kind.ticker).word)
        resumeAccepting()
    }

    mutating func acceptAll(_ index: Int, atMost budget: Int = Self.acceptBudget) {
        // An event may still tell of a listener that the same turn's drain closed.
        guard listeners.indices.contains(index) else { return }
        var hasMadeDescriptor = false
        for _ in 0..<budget {
            guard clients.count < site.clientLimit || makeDescriptor(index) else { return }
            guard connections.take() || makeRoom(index) else { return }
            switch listeners[index].listener.accept() {
            case .connection(let accepted):
                hasMadeDescriptor = false
                admit(accepted)
            case .wouldBlock:
                connections.give()
                return
            case .descriptorLimit:
                connections.give()
                // Closing one was of no use where another program took its descriptor.
                guard !hasMadeDescriptor else { return pauseAccepting() }
                hasMadeDescriptor = true
                guard makeDescriptor(index) else { return }
            case .failed:
                // No listener that works. It stays readable: without a rest the loop would spin.
                connections.give()
                pauseAccepting()
                return
            }
        }
    }

    /// The connection is counted already.
    private mutating func admit(_ accepted: consuming Accepted) {
        lastAcceptedAt = now.milliseconds
        let isCrowded = connections.isCrowded
        if isCrowded { _ = closeLongestIdle() }
        // Room that was made is for the next one: this one's answer ends its connection.
        endsConnections = isDraining || isCrowded
        defer { noteCrowd() }
        let peer = accepted.peer
        let h = clients.insert(Client(accepted.socket, peer: peer, ledger))
        // The request is often there already, and a connection that its answer ends is never watched at all.
        // What happens before the watch is told when it begins.
        clients[h].channel.readable = true
        advanceClient(h)
        guard clients.contains(h) else { return }
        if !clients[h].served, !clients[h].headStarted, clients[h].phase == .idle {
            // Nothing yet: the head's time runs without a head.
            clients.setDeadline(h, at: now.milliseconds + site.headTimeout)
        }
        do {
            try clients[h].channel.watch(by: poller, token: h.token)
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
        for index in listeners.indices {
            let token = Token(kind: Kind.listener, index: UInt32(index)).word
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
