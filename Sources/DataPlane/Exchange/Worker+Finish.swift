internal import Bytes
internal import Caching
internal import HTTP
internal import Kernel
internal import Loop
internal import Machines
internal import Settings
internal import Store

/// How exchanges and connections end.
extension Worker {
    /// The answer is complete and queued: commit, keep or close the origin's connection, let the client go
    /// on.
    mutating func finish(_ x: Handle<Exchange>) {
        if exchanges[x].machine.isHeldBack {
            scratch.out.removeAll()
            commitFill(x)
            if concludeHeldBack(x) { return }
        }
        if exchanges[x].answer.fill != nil { commitFill(x) }
        if exchanges[x].answer.isEncoded { commitVariant(x) }
        // A request that was answered early is not read to its end.
        let isRead = exchanges[x].requestBody.isComplete
        releaseOrigin(x)
        logExchange(x)
        counters.answered(stored: exchanges[x].outcome.isStored, exchanges[x].outcome.reason)
        let client = exchanges[x].client
        if let c = client { clients[c].lingers = !isRead }
        forget(x)
        if let c = client { releaseClient(c) }
    }

    /// The origin has answered: its connection is kept, or closed.
    @inline(__always)
    mutating func releaseOrigin(_ x: Handle<Exchange>) {
        guard let o = exchanges[x].origin else { return }
        exchanges[x].origin = nil
        if exchanges[x].answer.reusable, exchanges[x].requestBody.isComplete, !exchanges[x].machine.isTunnel {
            keepOrigin(o)
        } else {
            origins.close(o)
        }
    }

    /// Forgets the exchange. Its connections are dealt with already.
    @inline(__always)
    mutating func forget(_ x: Handle<Exchange>) {
        endReservation(x, .failed)
        if exchanges[x].answer.fill != nil { dropFill(x) }
        releaseServer(x)
        if exchanges[x].answer.isEncoded { dropEncoding(x) }
        if exchanges[x].answer.isUndone { dropUndoing(x) }
        spares.give(&exchanges[x].request)
        exchanges.discard(x)
    }

    /// The client has its answer: the next request, or the end.
    @inline(__always)
    mutating func releaseClient(_ c: Handle<Client>) {
        clients[c].phase = .idle
        if clients[c].closing {
            finishClient(c)
            return
        }
        rest(c)
        if clients[c].channel.wantsReading {
            if !PlantedFault.isPlanted(.forgetsPipelined) { deferClient(c) }
        } else if isDraining {
            finishClient(c)
        }
    }

    /// Keeps the origin's connection for the next request.
    @inline(__always)
    mutating func keepOrigin(_ o: Handle<Origin>) {
        if isDraining { origins.close(o) } else { origins.keepIdle(o, turn: turn, now: now.milliseconds) }
    }

    /// The answer cannot be completed: the client's connection ends so that nobody takes it for whole.
    mutating func abort(_ x: Handle<Exchange>) {
        if let o = exchanges[x].origin {
            exchanges[x].origin = nil
            origins.close(o)
        }
        let client = exchanges[x].client
        let reset = exchanges[x].answer.framing == .untilClose && !exchanges[x].machine.isTunnel
        tell(x, client == nil ? .dropped : .cut)
        logExchange(x, isLast: reset)
        forget(x)
        guard let c = client else { return }
        if reset {
            // A clean close would look like the end of the body; so would the shutdown that begins a linger.
            clients[c].channel.resetOnClose()
            closeClientNow(c)
            return
        }
        clients[c].phase = .idle
        clients[c].lingers = false
        finishClient(c)
    }

    /// The client is gone. A fetch whose answer is on its way into the store, or may be, goes on without it.
    /// - Parameter cause: why it is gone.
    mutating func dropClient(_ c: Handle<Client>, _ cause: Cause = .clientLeft) {
        if case .exchange(let x) = clients[c].phase {
            logExchange(x, isLost: true, cause)
            detach(x, from: c)
            if !exchanges[x].machine.outlivesClient(isStoring: exchanges[x].answer.fill != nil) {
                abort(x)
            } else if let o = exchanges[x].origin, origins[o].channel.readable {
                // Reading may have waited for this client, and no event will come for what is there already.
                deferOrigin(o)
            }
        }
        closeClientNow(c, cause)
    }

    /// The exchange goes on without its client.
    mutating func detach(_ x: Handle<Exchange>, from c: Handle<Client>) {
        exchanges[x].peer = clients[c].peer.address
        exchanges[x].client = nil
    }

    /// Closes a client's connection when everything is sent, with a linger where input may still be on its
    /// way, or where the log has to know whether the answer arrived.
    mutating func closeClient(_ c: Handle<Client>) {
        if log.awaitsDelivery(c) {
            awaitDelivery(c)
            return
        }
        let unread = clients[c].lingers || clients[c].channel.wantsReading
        if unread, clients[c].phase != .lingering, !clients[c].channel.ended {
            clients[c].phase = .lingering
            clients[c].channel.endOutput()
            clients[c].channel.dropInput()
            clients.setDeadline(c, at: now.milliseconds + site.lingerTimeout)
            if clients[c].channel.readable { deferClient(c) }
            return
        }
        closeClientNow(c)
    }

    /// The client had said its last byte when its answer went out: waits until TCP says what became of it.
    private mutating func awaitDelivery(_ c: Handle<Client>) {
        if clients[c].phase != .lingering {
            clients[c].phase = .lingering
            clients[c].channel.endOutput()
            clients.setDeadline(c, at: now.milliseconds + site.lingerTimeout)
        }
        switch clients[c].channel.delivery() {
        case .pending: return
        case .acknowledged: log.finish(c, &clients[c], lost: nil)
        case .lost: log.finish(c, &clients[c], lost: .clientLeft)
        }
        closeClientNow(c)
    }

    /// - Parameter cause: why what is not sent yet never will be.
    mutating func closeClientNow(_ c: Handle<Client>, _ cause: Cause = .clientLeft) {
        if !clients[c].channel.isFlushed {
            // What is not sent is lost: a clean close would let an answer that the close ends look whole.
            clients[c].channel.resetOnClose()
            log.finish(c, &clients[c], lost: cause)
        } else {
            log.finish(c, &clients[c], lost: nil)
        }
        clients.discard(c)
        connections.give()
        noteCrowd()
    }
}
