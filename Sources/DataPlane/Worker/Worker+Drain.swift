internal import Kernel
internal import Loop

/// The end of a thread: at once, or once what is under way has ended.
extension Worker {
    /// Who was accepted so shortly before a drain shows that others are about to come: milliseconds.
    private static var busyMilliseconds: UInt64 { 1_000 }
    /// Handshakes are over when nobody has come for so long, and at the latest `busyMilliseconds` after the
    /// drain began.
    private static var quietMilliseconds: UInt64 { 100 }
    static var handshakeLookMilliseconds: Int { 20 }

    /// What the doorbell was rung for: INT stops at once, TERM lets what is under way end.
    mutating func obey(_ command: WorkerCommand) {
        guard command == .drain, !isDraining else { return }
        isDraining = true
        noteCrowd()
        drainDeadline = now.milliseconds + site.drain
        closeIdleClients()
        stopAccepting()
    }

    /// Whoever comes now is not let in. Who is in the queue is, and who is in the middle of a handshake gets
    /// a moment to end it: closing a listener resets both.
    private mutating func stopAccepting() {
        var isStopped = true
        for slot in listeners {
            do { try slot.listener.stopHandshakes() } catch { isStopped = false }
        }
        for index in listeners.indices { acceptAll(index, atMost: connections.limit) }
        let wasBusy = now.milliseconds - min(now.milliseconds, lastAcceptedAt) < Self.busyMilliseconds
        // Where the kernel cannot keep others out, waiting would let them in for ever.
        handshakeDeadline = isStopped && wasBusy ? now.milliseconds + Self.busyMilliseconds : 0
        closeQuietListeners()
    }

    /// Ends accepting for good, once no more handshakes are to be expected.
    mutating func closeQuietListeners() {
        guard !listeners.isEmpty else { return }
        if now.milliseconds < handshakeDeadline {
            guard now.milliseconds >= lastAcceptedAt + Self.quietMilliseconds,
                // (A unix listener that is shut says so for ever, and has no handshakes.)
                !listeners.contains(where: {
                    $0.listener.hasQueued && $0.listener.localAddress?.isUnix == false
                })
            else { return }
        }
        for slot in listeners { poller.remove(slot.listener.raw) }
        listeners.removeAll()
    }

    private mutating func closeIdleClients() {
        var position = 0
        while let h = clients.next(from: &position) {
            // One that never asked anything gets its first answer, within the time for a head.
            guard clients[h].phase == .idle, !clients[h].headStarted, clients[h].served else { continue }
            guard clients[h].channel.isFlushed else {
                clients[h].closing = true
                continue
            }
            // A request that has come already is answered, and ends the connection; without one it ends now.
            clients[h].channel.readable = true
            advanceClient(h)
            if clients.contains(h) { endIfResting(h) }
        }
    }

    /// Ends a client's connection that has nothing under way.
    private mutating func endIfResting(_ h: Handle<Client>) {
        guard clients[h].phase == .idle, !clients[h].headStarted, clients[h].channel.isFlushed,
            !clients[h].channel.readable, !clients[h].channel.hasInput
        else { return }
        closeClientNow(h)
    }

    /// Is nothing left to do, or the time to do it over?
    func shouldStop() -> Bool {
        switch bell.command {
        case .run: return false
        case .stop: return true
        case .drain:
            guard isDraining else { return false }
            return clients.count == 0 && exchanges.count == 0 && listeners.isEmpty
                || now.milliseconds >= drainDeadline
        }
    }
}
