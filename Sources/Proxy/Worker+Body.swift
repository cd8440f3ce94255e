internal import Bytes
internal import Exchange
internal import HTTP
internal import Kernel
internal import Loop

/// Bodies on their way, both ways. Whoever cannot keep up stops the reading on the other side: at most one
/// window of bytes waits in each direction.
extension Worker {
    // MARK: Client to origin

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
                if forwards[f].requestChunked {
                    appendChunk(inbound, range, to: &out)
                } else {
                    direct = range
                }
            case .needMore: break reading
            case .end:
                if forwards[f].requestChunked { appendLastChunk(&forwards[f].requestBody, to: &out) }
                break reading
            case .refused(let reason):
                refusal = reason
                break reading
            }
        }
        if forwards[f].requestBody.delivered > site.requestBodyLimit { refusal = .bodyTooLarge }
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
        let complete = forwards[f].requestBody.isComplete
        if !forwards[f].responseStarted {
            originTimers.set(
                id: id(o), deadline: now.milliseconds + site.timeouts(origins[o].server).response)
        } else if forwards[f].isTunnel {
            touchTunnel(f, o)
        }
        if !complete, !forwards[f].isTunnel {
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
        answerFailure(f, status: refusal.status)
    }

    // MARK: Origin to client

    /// Passes the body bytes in `outbound` to the client and to the fill. `out` holds the composed head, if
    /// it has not been sent yet.
    mutating func passBody(_ f: Handle, _ o: Handle, ended: Bool) {
        var offset = 0
        var direct = 0..<0
        var failed = false
        var complete = false
        let before = forwards[f].responseBody.delivered
        let copies = forwards[f].framing == .chunked || forwards[f].responseBody.isChunked
        reading: while true {
            let (step, next) = forwards[f].responseBody.next(outbound, from: offset)
            offset = next
            switch step {
            case .data(let range):
                fill(f, range)
                guard forwards[f].client != nil else { continue }
                switch forwards[f].framing {
                case .chunked: appendChunk(outbound, range, to: &out)
                case .length, .untilClose, .none:
                    if copies { appendRun(outbound, range, to: &out) } else { direct = range }
                }
            case .needMore: break reading
            case .end:
                complete = true
                break reading
            case .refused:
                failed = true
                break reading
            }
        }
        if ended, !complete, !failed {
            complete = forwards[f].responseBody.closed()
            failed = !complete
        }
        if complete, forwards[f].framing == .chunked { appendLastChunk(&forwards[f].responseBody, to: &out) }
        forwards[f].bytesSent += forwards[f].responseBody.delivered - before
        // Bytes behind the end of an answer are nobody's: the connection is not kept.
        if complete, offset < outbound.count { forwards[f].reusable = false }
        if let c = forwards[f].client, !out.isEmpty || !direct.isEmpty {
            guard clients[c].channel.send(out, outbound, direct) else {
                dropClient(c)
                // What goes into the store goes on, and this may have been its end.
                if forwards.contains(f) { endPass(f, o, complete: complete, failed: failed) }
                return
            }
            if !clients[c].channel.isFlushed {
                clientTimers.set(id: id(c), deadline: now.milliseconds + site.writeTimeout)
            }
        }
        endPass(f, o, complete: complete, failed: failed)
    }

    /// What follows a pass of body bytes.
    private mutating func endPass(_ f: Handle, _ o: Handle, complete: Bool, failed: Bool) {
        if failed {
            fail(f, .truncated)
        } else if complete, forwards[f].isTunnel, !forwards[f].originShut {
            endTunnelFromOrigin(f, o)
        } else if complete {
            finish(f)
        } else if forwards[f].client == nil, forwards[f].fill == nil {
            // Neither a client nor the store wants the rest.
            abort(f)
        } else if forwards[f].isTunnel {
            touchTunnel(f, o)
        } else {
            originTimers.set(id: id(o), deadline: now.milliseconds + site.timeouts(origins[o].server).idle)
        }
    }
}

/// One chunk of chunked coding (RFC 9112 §7.1).
func appendChunk(_ bytes: borrowing ByteBuffer, _ range: Range<Int>, to buffer: inout ByteBuffer) {
    buffer.append(hexadecimal: UInt64(range.count))
    buffer.append("\r\n")
    buffer.append(bytes.span.extracting(range))
    buffer.append("\r\n")
}

/// The end of a chunked body, with the trailers that came with it.
func appendLastChunk(_ body: inout BodyReader, to buffer: inout ByteBuffer) {
    buffer.append("0\r\n")
    buffer.append(body.trailers)
    buffer.append("\r\n")
}

func appendRun(_ bytes: borrowing ByteBuffer, _ range: Range<Int>, to buffer: inout ByteBuffer) {
    buffer.append(bytes.span.extracting(range))
}
