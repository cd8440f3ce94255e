internal import Bytes
internal import HTTP
internal import Kernel
internal import Loop
internal import Machines

/// Origin connections: events, and the answer's bytes as they come.
extension Worker {
    mutating func originEvent(_ o: Handle<Origin>, _ event: Event) {
        guard origins.contains(o) else { return }
        origins[o].channel.note(event)
        switch origins[o].phase {
        case .connecting(let x):
            guard event.writable || event.error || event.hangup else { return }
            originConnected(o, x)
            // What came with the handshake (an early refusal, and the end) raises no event again.
            if origins.contains(o), origins[o].channel.readable { advanceOrigin(o) }
        case .idle:
            // It closed, or said something nobody asked for.
            if origins[o].channel.readable, !PlantedFault.isPlanted(.keepsUnasked) { origins.discardIdle(o) }
        case .active(let x):
            if origins[o].takenIn == turn, origins[o].keptIn != turn, origins[o].channel.readable {
                // The wait that this turn began with found it so: that was before our request was sent.
                // Whatever it is, it is no answer to that. (If it was still at work then, what was found has
                // been read.)
                fail(x, .closed)
                return
            }
            if event.writable, !origins[o].channel.isFlushed {
                flushOrigin(o, x)
                guard origins.contains(o) else { return }
            }
            if origins[o].channel.readable { advanceOrigin(o) }
        }
    }

    /// Reads the answer as far as the client keeps up, within the turn's budget.
    mutating func advanceOrigin(_ o: Handle<Origin>) {
        var budget = Self.turnBudget
        while origins.contains(o), case .active(let x) = origins[o].phase, wantsResponse(o, x) {
            guard budget > 0 else {
                deferOrigin(o)
                return
            }
            if exchanges[x].answer.isEncoded, waitForEncodingBudget(o, x) { return }
            // One window of what is compressed is a turn's work.
            budget -= exchanges[x].answer.isEncoded ? Self.turnBudget : 1
            runsPassed = 0
            scratch.outbound.removeAll(leavingRoom: Self.headRoom)
            switch origins[o].channel.receive(into: &scratch.outbound) {
            case .nothing:
                // The last read came up to the window, and seemed to have more behind it.
                if holdsBack(x) { useResponse(o, x, ended: false) }
                return
            case .failed:
                // Half a head was an answer's beginning: no retry.
                fail(
                    x, scratch.outbound.isEmpty ? exchanges[x].machine.failureOfClose : .malformed,
                    hasBegun(x) ? .bodyReset : .reset)
                return
            case .some: useResponse(o, x, ended: false)
            case .end: useResponse(o, x, ended: true)
            }
            budget -= runsPassed / Self.runsPerRead
        }
    }

    /// What a head for the client may have more than the origin's and still be put in front of the body,
    /// where that is. A longer one is sent beside it.
    private static var headRoom: Int { 512 }

    /// Has the origin more for us, and does the client keep up? Only heads are ever kept, and they wait for
    /// more.
    private func wantsResponse(_ o: Handle<Origin>, _ x: Handle<Exchange>) -> Bool {
        origins[o].channel.readable && keepsUp(x)
    }

    /// Does the client, if there is one, take what is sent?
    private func keepsUp(_ x: Handle<Exchange>) -> Bool {
        guard let c = exchanges[x].client else { return true }
        return clients[c].channel.backlog < Channel.window
    }

    /// Uses `outbound`: interim heads, the head, then the body.
    private mutating func useResponse(_ o: Handle<Origin>, _ x: Handle<Exchange>, ended: Bool) {
        guard !exchanges[x].machine.isReadingBody else {
            scratch.out.removeAll()
            passBody(x, o, ended: ended)
            return
        }
        while !scratch.outbound.isEmpty {
            switch Self.parse(
                scratch.outbound, into: &scratch.response, site.answerLimits, &origins[o].scan,
                exchanges[x].method)
            {
            case .needMore:
                if ended {
                    fail(x, .malformed, .truncated)
                } else {
                    origins[o].channel.keep(scratch.outbound)
                }
                return
            case .refused(let refusal):
                noteFault(x, refusal)
                fail(x, .malformed)
                return
            case .complete(let count):
                origins[o].scan = HeadScan()
                guard scratch.response.status < 200 else {
                    handleResponseHead(x, o, headCount: count, ended: ended)
                    return
                }
                handleInterim(x, o, headCount: count)
                guard exchanges.contains(x), exchanges[x].origin == o, !exchanges[x].machine.isTunnel else {
                    return
                }
            }
        }
        if ended { fail(x, exchanges[x].machine.failureOfClose, hasBegun(x) ? .truncated : .closed) }
    }

    /// Has anything of the answer come, so that its end now is no end before the answer?
    private func hasBegun(_ x: Handle<Exchange>) -> Bool {
        exchanges[x].machine.hasResponseBegun || !scratch.outbound.isEmpty
    }

    private static func parse(
        _ bytes: borrowing ByteBuffer, into response: inout ResponseHead, _ limits: HeadLimits,
        _ scan: inout HeadScan,
        _ method: Method
    ) -> HeadResult { response.parse(bytes.span, limits: limits, scan: &scan, requestMethod: method) }

    private mutating func flushOrigin(_ o: Handle<Origin>, _ x: Handle<Exchange>) {
        switch origins[o].channel.flush() {
        case .failed:
            // What the origin said before it closed may still be an answer (an early refusal of a large
            // body).
            origins[o].channel.readable = true
        case .pending:
            // It takes what is sent slowly, but it takes it.
            renewDeadline(x, o)
        case .done:
            renewDeadline(x, o)
            tunnelEvent(x, .originFlushed)
            guard exchanges.contains(x) else { return }
            if let c = exchanges[x].client { advanceClient(c) }
        }
    }
}
