internal import Bytes
internal import HTTP
internal import Kernel
internal import Loop
internal import Machines

/// Request bodies on their way to the origin. Whoever cannot keep up stops the reading on the other side: at
/// most one window of bytes waits.
extension Worker {
    /// Can the exchange take body bytes (or tunnel bytes) from its client now?
    func wantsRequestBody(_ x: Handle<Exchange>) -> Bool {
        guard let o = exchanges[x].origin, case .active = origins[o].phase,
            exchanges[x].machine.takesRequestBody
        else {
            return false
        }
        return !exchanges[x].requestBody.isComplete && origins[o].channel.backlog < Channel.window
    }

    /// Passes the body bytes at the front of `inbound` to the origin, and drops them.
    mutating func sendRequestBody(_ x: Handle<Exchange>) {
        guard let o = exchanges[x].origin, exchanges[x].client != nil else { return }
        var offset = 0
        var direct = 0..<0
        var refusal: BrokenRule?
        scratch.out.removeAll()
        reading: while true {
            let (step, next) = exchanges[x].requestBody.next(scratch.inbound, from: offset)
            offset = next
            switch step {
            case .data(let range):
                runsPassed &+= 1
                if exchanges[x].requestChunked {
                    appendChunk(scratch.inbound, range, to: &scratch.out)
                } else {
                    direct = range
                }
            case .needMore: break reading
            case .end:
                // Its trailers end here: many servers know none in a request, and fail.
                if exchanges[x].requestChunked { scratch.out.append("0\r\n\r\n") }
                break reading
            case .refused(let reason):
                refusal = reason
                break reading
            }
        }
        // A tunnel's bytes are no body.
        if exchanges[x].requestBody.delivered > site.requestBodyLimit, !exchanges[x].machine.isTunnel {
            refusal = .bodyTooLarge
        }
        if let refusal {
            refuseExchange(x, refusal)
            return
        }
        if !scratch.out.isEmpty || !direct.isEmpty {
            exchanges[x].machine.sentBody()
            let alive = origins[o].channel.send(scratch.out, scratch.inbound, direct)
            scratch.inbound.removeFirst(offset)
            guard alive else {
                // What the origin said before it closed may still be an answer: an early refusal of a large
                // body.
                scratch.inbound.removeAll()
                originFailedToTake(x, o)
                return
            }
        } else {
            scratch.inbound.removeFirst(offset)
        }
        renewDeadline(x, o)
        if owesBody(x) {
            exchanges.setDeadline(x, at: now.milliseconds + site.bodyTimeout)
        }
    }

    /// The origin takes no more of the request. Reads its last words; without any, the exchange failed.
    private mutating func originFailedToTake(_ x: Handle<Exchange>, _ o: Handle<Origin>) {
        if let c = exchanges[x].client {
            clients[c].closing = true
            clients[c].lingers = true
        }
        if exchanges[x].machine.isTunnel {
            abort(x)
            return
        }
        origins[o].channel.readable = true
        origins[o].channel.ending = true
        deferOrigin(o)
    }

    /// The client's request turned out malformed or too large after its head was sent on.
    private mutating func refuseExchange(_ x: Handle<Exchange>, _ refusal: BrokenRule) {
        guard let c = exchanges[x].client else { return }
        scratch.inbound.removeAll()
        guard !exchanges[x].machine.isReadingBody else {
            abort(x)
            return
        }
        if let o = exchanges[x].origin {
            origins.close(o)
            exchanges[x].origin = nil
        }
        // Even where the body has come whole: what stood behind it is dropped.
        clients[c].closing = true
        clients[c].lingers = true
        exchanges[x].outcome.trouble = Trouble(cause: Cause(refusal))
        answerFailure(x, status: refusal.status, refusal)
    }
}
