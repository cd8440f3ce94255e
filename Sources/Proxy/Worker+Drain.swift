internal import Kernel
internal import Loop

/// The end of a thread: at once, or once what is under way has ended.
extension Worker {
    /// What the doorbell was rung for: INT stops at once, TERM lets what is under way end.
    mutating func obey(_ command: WorkerCommand) {
        guard command == .drain, !isDraining else { return }
        for index in listeners.indices { acceptAll(index, atMost: site.connectionLimit) }
        for slot in listeners { poller.remove(slot.listener.raw) }
        // Whoever comes now is refused by the kernel, instead of waiting in a queue that nobody empties.
        listeners.removeAll()
        isDraining = true
        drainDeadline = now.milliseconds + site.drain
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
    private mutating func endIfResting(_ h: Handle) {
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
            return clients.count == 0 && forwards.count == 0 || now.milliseconds >= drainDeadline
        }
    }
}
