internal import Exchange
internal import HTTP
internal import Loop

/// What happens when time is up. One deadline a connection; what it means follows from the connection's
/// state, so a deadline that outlived its purpose does nothing.
extension Worker {
    mutating func fireTimers() {
        while let index = clientTimers.popExpired(now: now.milliseconds) {
            var position = index
            if let h = clients.next(from: &position), id(h) == index { clientExpired(h) }
        }
        while let index = originTimers.popExpired(now: now.milliseconds) {
            var position = index
            if let o = origins.next(from: &position), id(o) == index { originExpired(o) }
        }
        if let until = acceptPausedUntil, until <= now.milliseconds { resumeAccepting() }
    }

    private mutating func clientExpired(_ h: Handle) {
        switch clients[h].phase {
        case .lingering: closeClientNow(h)
        case .idle:
            if !clients[h].channel.isFlushed {
                // It takes no more of its answer.
                closeClientNow(h)
            } else if clients[h].headStarted {
                refuseSlowHead(h)
            } else {
                closeClientNow(h)
            }
        case .exchange(let f):
            if forwards[f].isWaiting {
                goOn(f)
            } else if !clients[h].channel.isFlushed || forwards[f].isTunnel {
                dropClient(h)
            } else if wantsRequestBody(f) {
                refuseSlowBody(h, f)
            } else if !forwards[f].requestBody.isComplete {
                // We do not read because the origin does not take it: its own deadline runs.
                clientTimers.set(id: id(h), deadline: now.milliseconds + site.bodyTimeout)
            }
        // Otherwise it waits for the origin, whose own deadline runs.
        }
    }

    private mutating func originExpired(_ o: Handle) {
        switch origins[o].phase {
        case .connecting(let f): fail(f, .connectTimeout)
        case .idle: discardIdle(o)
        case .active(let f):
            let timeouts = site.timeouts(origins[o].server)
            if forwards[f].isTunnel {
                abort(f)
            } else if !forwards[f].responseStarted {
                if forwards[f].requestBody.isComplete || origins[o].channel.backlog >= Channel.window {
                    fail(f, .responseTimeout)
                } else {
                    // The client is still sending; its own deadline runs.
                    originTimers.set(id: id(o), deadline: now.milliseconds + timeouts.response)
                }
            } else if let c = forwards[f].client, clients[c].channel.backlog >= Channel.window {
                // We do not read because the client does not: its own deadline runs.
                originTimers.set(id: id(o), deadline: now.milliseconds + timeouts.idle)
            } else {
                fail(f, .truncated)
            }
        }
    }
}
