internal import Exchange
internal import HTTP
internal import Loop

/// What happens when time is up. One deadline a connection; what it means follows from the connection's
/// state, so a deadline that outlived its purpose does nothing. A side's time runs only while the exchange
/// waits for that side: while one has not taken what was sent to it, we may not be reading the other.
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
                closeClientNow(h, .clientTimeout)
            } else if clients[h].headStarted {
                refuseSlowHead(h)
            } else {
                closeClientNow(h)
            }
        case .exchange(let f):
            if forwards[f].isWaiting {
                goOn(f)
            } else if !clients[h].channel.isFlushed || forwards[f].isTunnel {
                dropClient(h, .clientTimeout)
            } else if owesBody(f) {
                if let o = forwards[f].origin, origins[o].channel.isFlushed, wantsRequestBody(f) {
                    refuseSlowBody(f)
                } else {
                    clientTimers.set(id: id(h), deadline: now.milliseconds + site.bodyTimeout)
                }
            }
        }
    }

    private mutating func originExpired(_ o: Handle) {
        switch origins[o].phase {
        case .connecting(let f): fail(f, .connectTimeout)
        case .idle: discardIdle(o)
        case .active(let f):
            if waitsForClient(f, o) {
                renewDeadline(f, o)
            } else if forwards[f].isTunnel || forwards[f].drainLimit > 0 {
                abort(f)
            } else {
                let hasBegun = forwards[f].responseStarted
                fail(f, hasBegun ? .truncated : .responseTimeout, hasBegun ? .bodyTimeout : nil)
            }
        }
    }

    /// Must the client send more of its request? Once the answer has begun it may stop: what follows goes by
    /// the origin's time.
    func owesBody(_ f: Handle) -> Bool {
        !forwards[f].responseStarted && !forwards[f].requestBody.isComplete
    }

    /// Is it the client, whose own deadline runs, that has to take or to send something first?
    private func waitsForClient(_ f: Handle, _ o: Handle) -> Bool {
        guard let c = forwards[f].client else { return false }
        guard forwards[f].responseStarted else { return owesBody(f) && origins[o].channel.isFlushed }
        return !clients[c].channel.isFlushed
    }

    /// Something moved, either way: the origin's time begins anew.
    mutating func renewDeadline(_ f: Handle, _ o: Handle) {
        if forwards[f].isTunnel {
            touchTunnel(f, o)
            return
        }
        let timeouts = site.timeouts(origins[o].server)
        originTimers.set(
            id: id(o),
            deadline: now.milliseconds + (forwards[f].responseStarted ? timeouts.idle : timeouts.response))
    }
}
