internal import Bytes
internal import HTTP
internal import Kernel
internal import Loop
internal import Machines

/// Client connections: events, requests out of the bytes that came, lingering.
extension Worker {
    /// The most bytes read and dropped while lingering.
    private static var lingerBytes: Int { 1 << 20 }

    mutating func clientEvent(_ h: Handle<Client>, _ event: Event) {
        guard clients.contains(h) else { return }
        if event.error || event.hangup, !isHalfShut(h) {
            // Reset, or shut both ways: nobody is there to take an answer. Where an answer is out, its
            // acknowledgement may be what shut it.
            if clients[h].phase == .lingering, log.awaitsDelivery(h) { closeClient(h) } else { dropClient(h) }
            return
        }
        clients[h].channel.note(event)
        if event.writable, !clients[h].channel.isFlushed {
            flushClient(h)
            guard clients.contains(h) else { return }
        }
        if clients[h].channel.readable { advanceClient(h) }
    }

    /// Reads and uses what came, as far as the connection's phase allows, within the turn's budget.
    mutating func advanceClient(_ h: Handle<Client>) {
        var budget = Self.turnBudget
        requestsLeft = Self.requestBudget
        while clients.contains(h), wantsInput(h) {
            guard budget > 0, requestsLeft > 0 else {
                deferClient(h)
                return
            }
            budget -= 1
            runsPassed = 0
            scratch.inbound.removeAll()
            let received = clients[h].channel.receive(into: &scratch.inbound)
            if received == .failed {
                dropClient(h)
                return
            }
            let before = scratch.inbound.count
            useInput(h)
            budget -= runsPassed / Self.runsPerRead
            guard clients.contains(h) else { return }
            // Nearly always it is used up, and there is no more.
            if scratch.inbound.isEmpty, received == .some, !clients[h].channel.wantsReading { return }
            let isUnused = scratch.inbound.count == before
            if !scratch.inbound.isEmpty { clients[h].channel.keep(scratch.inbound) }
            if received == .end, isUnused || scratch.inbound.isEmpty {
                clientEnded(h)
                return
            }
            if !clients[h].channel.readable, isUnused || !clients[h].channel.hasInput { return }
        }
    }

    /// May this connection read (or go on with bytes it kept)?
    private func wantsInput(_ h: Handle<Client>) -> Bool {
        guard clients[h].channel.wantsReading else { return false }
        switch clients[h].phase {
        case .idle: return clients[h].takesRequest
        case .exchange(let x): return wantsRequestBody(x)
        case .lingering: return true
        }
    }

    /// Uses `inbound`, and drops from its front what is used.
    @inline(__always)
    private mutating func useInput(_ h: Handle<Client>) {
        switch clients[h].phase {
        case .idle: readRequests(h)
        case .exchange(let x): sendRequestBody(x)
        case .lingering:
            clients[h].dropped += scratch.inbound.count
            scratch.inbound.removeAll()
            if clients[h].dropped > Self.lingerBytes { closeClient(h) }
        }
    }

    /// Answers the requests at the front of `inbound`, until one has to wait for an origin or for the socket.
    @inline(__always)
    private mutating func readRequests(_ h: Handle<Client>) {
        while !scratch.inbound.isEmpty, requestsLeft > 0, clients[h].takesRequest {
            requestsLeft &-= 1
            scratch.requestOf = .none
            switch Self.parse(scratch.inbound, into: &scratch.request, site.headLimits, &clients[h].scan) {
            case .needMore:
                if !clients[h].headStarted {
                    clients[h].headStarted = true
                    clients.setDeadline(h, at: now.milliseconds + site.headTimeout)
                }
                return
            case .refused(let refusal):
                rejectRequest(h, refusal)
                return
            case .complete(let count):
                clients[h].noteHead()
                if handleRequest(h, headCount: count) { sendComposed(h) }
                guard clients.contains(h) else { return }
                // A request that came whole with its body goes on here, without another turn.
                if case .exchange(let x) = clients[h].phase, !scratch.inbound.isEmpty, wantsRequestBody(x) {
                    sendRequestBody(x)
                    guard clients.contains(h) else { return }
                }
            }
        }
        if clients[h].phase == .idle { rest(h) }
    }

    /// Between requests: the keep-alive time runs.
    @inline(__always)
    mutating func rest(_ h: Handle<Client>) {
        guard !clients[h].headStarted else { return }
        let time = clients[h].channel.isFlushed ? site.keepAlive : site.writeTimeout
        clients.setDeadline(h, at: now.milliseconds + time)
    }

    /// The client sends no more.
    private mutating func clientEnded(_ h: Handle<Client>) {
        switch clients[h].phase {
        case .idle:
            // Between requests, or with half a head that will never be whole. What is being sent still goes
            // out.
            if clients[h].channel.isFlushed { closeClient(h) } else { clients[h].closing = true }
        case .lingering: closeClient(h)
        case .exchange(let x):
            if exchanges[x].machine.isTunnel {
                tunnelEvent(x, .clientEnded)
            } else if exchanges[x].requestBody.isComplete {
                // A half-closed client still gets its answer.
                clients[h].closing = true
            } else {
                dropClient(h)
            }
        }
    }

    /// Sends kept output; then what waited for it goes on.
    private mutating func flushClient(_ h: Handle<Client>) {
        switch clients[h].channel.flush() {
        case .failed: dropClient(h)
        case .pending: clients.setDeadline(h, at: now.milliseconds + site.writeTimeout)
        case .done:
            log.noteSent(h, &clients[h])
            switch clients[h].phase {
            case .exchange(let x):
                queueUndoing(x)
                guard let o = exchanges[x].origin else { break }
                tunnelEvent(x, .clientFlushed)
                guard exchanges.contains(x) else { break }
                advanceOrigin(o)
            case .idle:
                if clients[h].closing {
                    closeClient(h)
                } else {
                    rest(h)
                    if clients[h].channel.wantsReading { deferClient(h) }
                }
            case .lingering: break
            }
        }
    }

    /// Ends the connection as soon as everything is sent. With unread input about, the sending side is shut
    /// first and the rest read away for a while.
    mutating func finishClient(_ h: Handle<Client>) {
        clients[h].closing = true
        guard clients[h].channel.isFlushed else {
            clients.setDeadline(h, at: now.milliseconds + site.writeTimeout)
            return
        }
        closeClient(h)
    }

    static func parse(
        _ bytes: borrowing ByteBuffer, into request: inout RequestHead, _ limits: HeadLimits,
        _ scan: inout HeadScan
    ) -> HeadResult { request.parse(bytes.span, limits: limits, scan: &scan) }
}
