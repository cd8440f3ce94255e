internal import Bytes
internal import Exchange
internal import HTTP
internal import Kernel
internal import Loop

/// Request bodies on their way to the origin. Whoever cannot keep up stops the reading on the other side: at
/// most one window of bytes waits.
extension Worker {
    /// Can the exchange take body bytes (or tunnel bytes) from its client now?
    func wantsRequestBody(_ f: Handle) -> Bool {
        guard let o = forwards[f].origin, case .active = origins[o].phase, forwards[f].sent != .nothing else {
            return false
        }
        return !forwards[f].requestBody.isComplete && origins[o].channel.backlog < Channel.window
    }

    /// Passes the body bytes at the front of `inbound` to the origin, and drops them.
    mutating func sendRequestBody(_ f: Handle) {
        guard let o = forwards[f].origin, let c = forwards[f].client else { return }
        var offset = 0
        var direct = 0..<0
        var refusal: Refusal?
        out.removeAll()
        reading: while true {
            let (step, next) = forwards[f].requestBody.next(inbound, from: offset)
            offset = next
            switch step {
            case .data(let range):
                runsPassed &+= 1
                if forwards[f].requestChunked {
                    appendChunk(inbound, range, to: &out)
                } else {
                    direct = range
                }
            case .needMore: break reading
            case .end:
                // Its trailers end here: many servers know none in a request, and fail.
                if forwards[f].requestChunked { out.append("0\r\n\r\n") }
                break reading
            case .refused(let reason):
                refusal = reason
                break reading
            }
        }
        // A tunnel's bytes are no body.
        if forwards[f].requestBody.delivered > site.requestBodyLimit, !forwards[f].isTunnel {
            refusal = .bodyTooLarge
        }
        if let refusal {
            refuseExchange(f, refusal)
            return
        }
        if !out.isEmpty || !direct.isEmpty {
            forwards[f].sent = .body
            let alive = origins[o].channel.send(out, inbound, direct)
            inbound.removeFirst(offset)
            guard alive else {
                // What the origin said before it closed may still be an answer: an early refusal of a large
                // body.
                inbound.removeAll()
                originFailedToTake(f, o)
                return
            }
        } else {
            inbound.removeFirst(offset)
        }
        renewDeadline(f, o)
        if owesBody(f) {
            clientTimers.set(id: id(c), deadline: now.milliseconds + site.bodyTimeout)
        }
    }

    /// The origin takes no more of the request. Reads its last words; without any, the exchange failed.
    private mutating func originFailedToTake(_ f: Handle, _ o: Handle) {
        if let c = forwards[f].client {
            clients[c].closing = true
            clients[c].lingers = true
        }
        if forwards[f].isTunnel {
            abort(f)
            return
        }
        origins[o].channel.readable = true
        origins[o].channel.ending = true
        deferOrigin(o)
    }

    /// The client's request turned out malformed or too large after its head was sent on.
    private mutating func refuseExchange(_ f: Handle, _ refusal: Refusal) {
        guard let c = forwards[f].client else { return }
        inbound.removeAll()
        guard !forwards[f].responseStarted else {
            abort(f)
            return
        }
        if let o = forwards[f].origin {
            closeOrigin(o)
            forwards[f].origin = nil
        }
        // Even where the body has come whole: what stood behind it is dropped.
        clients[c].closing = true
        clients[c].lingers = true
        forwards[f].trouble = Trouble(cause: Cause(refusal))
        answerFailure(f, status: refusal.status, refusal)
    }
}
