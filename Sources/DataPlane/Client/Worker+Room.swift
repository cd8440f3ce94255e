internal import HTTP
internal import Kernel
internal import Loop
internal import Machines

/// Room for a new connection where `limits.connections` is reached, or the descriptors are: the connection
/// that has been idle longest is closed. A client may be closed between two requests at any time, and asks
/// again on another connection (RFC 9112 §9.5). Where none is idle the new client waits in the kernel's queue
/// until a connection ends or becomes idle.
extension Worker {
    enum Closing {
        case closed
        /// All that were found idle in this turn are used up; others may be idle by the next.
        case later
        case none
    }

    /// Does the limit of connections come near, so that answers should end theirs?
    @inline(__always)
    mutating func noteCrowd() { endsConnections = isDraining || connections.isCrowded }

    /// The limit is reached: counts the client that is queued at a listener in the place of one that is idle.
    /// False: there is no client, or it has to wait.
    mutating func makeRoom(_ listener: Int) -> Bool {
        guard listeners[listener].listener.hasQueued else { return false }
        while true {
            switch closeLongestIdle() {
            case .closed:
                helpers.note(.connections, now: now.milliseconds)
                if connections.take() { return true }
            case .later: return false
            case .none:
                helpers.note(.room, now: now.milliseconds)
                waitForRoom()
                return false
            }
        }
    }

    /// There is no descriptor for the client that is queued at a listener: makes one free. False: there is no
    /// client, or it has to wait.
    mutating func makeDescriptor(_ listener: Int) -> Bool {
        guard listeners[listener].listener.hasQueued else { return false }
        helpers.note(.clientDescriptors, now: now.milliseconds)
        switch closeLongestIdle() {
        case .closed: return true
        case .later: return false
        case .none:
            if origins.closeIdle() { return true }
            // It stays readable: without a rest the loop would spin.
            pauseAccepting()
            return false
        }
    }

    /// There is no descriptor for a connection to an origin: closes an idle one to any origin, or else the
    /// client's that has been idle longest. False: there is none.
    mutating func makeOriginDescriptor(_ x: Handle<Exchange>) -> Bool {
        if origins.closeIdle() { return true }
        // What is revalidated behind an answer may have a client that is in the middle of being answered.
        guard exchanges[x].client != nil, case .closed = closeLongestIdle() else { return false }
        return true
    }

    /// Closes the client's connection that has been idle longest.
    mutating func closeLongestIdle() -> Closing {
        if closeNextIdle() { return .closed }
        // One walk a turn: whoever floods us with connections must not make each cost a walk.
        guard walkedIn != turn else { return .later }
        walkedIn = turn
        findLongestIdle()
        return closeNextIdle() ? .closed : .none
    }

    /// Closes the first of those found that is still idle, and was not in use since.
    private mutating func closeNextIdle() -> Bool {
        while let candidate = longestIdle.next() {
            let h = Handle<Client>(token: candidate.token)
            // A request that has come is not seen by us before its event.
            guard clients.contains(h), idleSince(h) == candidate.since,
                !clients[h].channel.hasQueuedInput
            else { continue }
            closeClientNow(h)
            return true
        }
        return false
    }

    private mutating func findLongestIdle() {
        longestIdle.begin()
        let longestTime = max(site.keepAlive, site.headTimeout)
        var position = 0
        while let h = clients.next(from: &position) {
            // The deadline alone tells of most that they are not among the first: it is near, the client not.
            guard let deadline = clients.deadline(of: h),
                longestIdle.wants(since: deadline &- min(deadline, longestTime)), let since = idleSince(h)
            else { continue }
            longestIdle.offer(since: since, token: h.token)
        }
        longestIdle.end()
    }

    /// When the connection became idle, as its deadline tells; nil where it is in use.
    private func idleSince(_ h: Handle<Client>) -> UInt64? {
        guard clients[h].isIdle, let deadline = clients.deadline(of: h) else { return nil }
        return deadline &- min(deadline, clients[h].served ? site.keepAlive : site.headTimeout)
    }

    // MARK: Between threads

    /// Rests until there is room, and asks the other threads for some: one after another.
    private mutating func waitForRoom() {
        guard connections.wait(index) else { return }
        connections.ask(from: index, for: index)
        pauseAccepting()
    }

    /// The doorbell has rung: others may ask for room, or there may be room for whom this thread lets wait.
    mutating func answerRoomRequests() {
        var askers: [Int] = []
        connections.collect(index, into: &askers)
        for asker in askers where !connections.hasRoom {
            // The asker is rung as the connection is given back.
            if case .closed = closeLongestIdle() { continue }
            connections.ask(from: index, for: asker)
        }
        guard acceptPausedUntil != nil else { return }
        if connections.hasRoom || !connections.wait(index) { resumeAccepting() }
    }
}
