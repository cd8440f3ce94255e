internal import HTTP
internal import Loop
internal import Machines

/// What happens when time is up. One deadline a connection; what it means follows from the connection's
/// state, so a deadline that outlived its purpose does nothing. A side's time runs only while the exchange
/// waits for that side: while one has not taken what was sent to it, we may not be reading the other.
extension Worker {
    mutating func fireTimers() {
        while let h = clients.popExpired(now: now.milliseconds) { clientExpired(h) }
        while let o = origins.popExpired(now: now.milliseconds) { originExpired(o) }
        while let x = exchanges.popExpired(now: now.milliseconds) { exchangeExpired(x) }
        if let until = acceptPausedUntil, until <= now.milliseconds { resumeAccepting() }
    }

    private mutating func clientExpired(_ h: Handle<Client>) {
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
        case .exchange(let x):
            if !clients[h].channel.isFlushed || exchanges[x].machine.isTunnel {
                dropClient(h, .clientTimeout)
            }
        }
    }

    /// The exchange has waited long enough for another's fetch, or for its request's body.
    private mutating func exchangeExpired(_ x: Handle<Exchange>) {
        if exchanges[x].machine.isWaiting {
            goOn(x)
        } else if owesBody(x) {
            if let o = exchanges[x].origin, origins[o].channel.isFlushed, wantsRequestBody(x) {
                refuseSlowBody(x)
            } else {
                exchanges.setDeadline(x, at: now.milliseconds + site.bodyTimeout)
            }
        }
    }

    private mutating func originExpired(_ o: Handle<Origin>) {
        switch origins[o].phase {
        case .connecting(let x): fail(x, .connectTimeout)
        case .idle: origins.discardIdle(o)
        case .active(let x):
            if waitsForClient(x, o) {
                renewDeadline(x, o)
            } else {
                switch exchanges[x].machine.onOriginDeadline {
                case .abort: abort(x)
                case .fail(let failure): fail(x, failure, failure == .truncated ? .bodyTimeout : nil)
                }
            }
        }
    }

    /// Must the client send more of its request? Once the answer has begun it may stop: what follows goes by
    /// the origin's time.
    func owesBody(_ x: Handle<Exchange>) -> Bool {
        !exchanges[x].machine.isReadingBody && !exchanges[x].requestBody.isComplete
    }

    /// Is it the client, whose own deadline runs, that has to take or to send something first?
    private func waitsForClient(_ x: Handle<Exchange>, _ o: Handle<Origin>) -> Bool {
        guard let c = exchanges[x].client else { return false }
        guard exchanges[x].machine.isReadingBody else { return owesBody(x) && origins[o].channel.isFlushed }
        return !clients[c].channel.isFlushed
    }

    /// Something moved, either way: the origin's time begins anew.
    mutating func renewDeadline(_ x: Handle<Exchange>, _ o: Handle<Origin>) {
        if exchanges[x].machine.isTunnel {
            touchTunnel(x, o)
            return
        }
        let timeouts = site.timeouts(origins[o].server)
        origins.setDeadline(
            o, at: now.milliseconds + (exchanges[x].machine.isReadingBody ? timeouts.idle : timeouts.response)
        )
    }
}
