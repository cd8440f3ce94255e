internal import Bytes
internal import Caching
internal import HTTP
internal import Kernel
internal import Loop
internal import Machines

/// Bodies of answers on their way to the client and into the store. A client that cannot keep up stops the
/// reading from the origin: at most one window of bytes waits.
extension Worker {
    /// How far a pass of body bytes came.
    private struct Pass {
        /// Indices of `outbound`: up to where it is used up, and the run that is sent from there as it is.
        var offset = 0
        var direct = 0..<0
        var complete = false
        var failed = false
        /// The body breaks this rule, at `offset`.
        var refusal: BrokenRule?
    }

    /// Passes the body bytes in `outbound` to the client and to the fill. `out` holds the composed head, if
    /// it has not been sent yet.
    mutating func passBody(_ x: Handle<Exchange>, _ o: Handle<Origin>, ended: Bool) {
        scratch.coded.removeAll()
        var pass = readBody(x)
        if ended, !pass.complete, !pass.failed {
            pass.complete = exchanges[x].answer.body.closed()
            pass.failed = !pass.complete
        }
        // Bytes behind the end of an answer are nobody's: the connection is not kept.
        if pass.complete, pass.offset < scratch.outbound.count { exchanges[x].answer.reusable = false }
        switch exchanges[x].answer.transform.change {
        case .coded:
            if !pass.failed { pass.failed = !endEncoding(x, o, complete: pass.complete) }
        case .none, .varies, .decoded: break
        }
        if let refusal = pass.refusal { noteFault(x, refusal, at: pass.offset) }
        if pass.complete || pass.failed && PlantedFault.isPlanted(.endsCutAnswers),
            exchanges[x].answer.framing == .chunked
        {
            scratch.out.append("0\r\n")
            // Trailers speak of the origin's bytes: a strong tag, a digest.
            if !exchanges[x].answer.transform.changesBody, exchanges[x].answer.body.sawTrailers,
                takesTrailers(x)
            {
                Self.appendTrailers(&exchanges[x].answer.body, to: &scratch.out)
            }
            scratch.out.append("\r\n")
        }
        if let c = exchanges[x].client, !scratch.out.isEmpty || !pass.direct.isEmpty {
            guard clients[c].channel.send(scratch.out, scratch.outbound, pass.direct) else {
                dropClient(c)
                // What goes into the store goes on, and this may have been its end.
                if exchanges.contains(x) { endPass(x, o, complete: pass.complete, failed: pass.failed) }
                return
            }
            if !clients[c].channel.isFlushed {
                clients.setDeadline(c, at: now.milliseconds + site.writeTimeout)
            }
        }
        endPass(x, o, complete: pass.complete, failed: pass.failed)
    }

    private mutating func takesTrailers(_ x: Handle<Exchange>) -> Bool {
        parseHead(x)
        return Self.takesTrailers(scratch.request, &exchanges[x])
    }

    private static func takesTrailers(_ request: borrowing RequestHead, _ exchange: inout Exchange) -> Bool {
        request.takesTrailers(exchange.head)
    }

    private static func appendTrailers(_ body: inout BodyReader, to buffer: inout ByteBuffer) {
        buffer.append(body.trailers)
    }

    /// Takes the body's bytes out of `outbound`: into the fill, and into `out` as the client gets them.
    @inline(__always)
    private mutating func readBody(_ x: Handle<Exchange>) -> Pass {
        // By its length it goes to the client as it came: in one run, which most often nobody else wants.
        if exchanges[x].answer.framing == .length, exchanges[x].answer.fill == nil, exchanges[x].client != nil
        {
            return Self.readRun(&exchanges[x].answer.body, &scratch.outbound, &scratch.out)
        }
        return readRuns(x)
    }

    /// Takes a run that goes out where it is, the head put in front of it: less to copy, and one run to send.
    private static func readRun(
        _ body: inout BodyReader, _ outbound: inout ByteBuffer, _ out: inout ByteBuffer
    ) -> Pass {
        var pass = Pass()
        let (step, next) = body.next(outbound, from: 0)
        pass.offset = next
        if case .data(let range) = step {
            pass.direct = range
            if outbound.prepend(out.span) {
                pass.offset &+= out.count
                pass.direct = 0..<(out.count &+ range.count)
                out.removeAll()
            }
        }
        pass.complete = body.isComplete
        return pass
    }

    private mutating func readRuns(_ x: Handle<Exchange>) -> Pass {
        var pass = Pass()
        let copies =
            scratch.out.count &+ scratch.outbound.count <= StoredAnswer.gatherLimit
            || exchanges[x].answer.framing == .chunked
            || exchanges[x].answer.body.isChunked
        while true {
            let (step, next) = exchanges[x].answer.body.next(scratch.outbound, from: pass.offset)
            pass.offset = next
            switch step {
            case .data(let range):
                runsPassed &+= 1
                if exchanges[x].answer.fill != nil { fill(x, range) }
                if exchanges[x].answer.isEncoded {
                    if !encodings[exchanges[x].answer.encoding].encode(
                        scratch.outbound, range, into: &scratch.coded)
                    {
                        pass.failed = true
                        return pass
                    }
                } else if exchanges[x].client != nil, !exchanges[x].machine.isHeldBack {
                    switch exchanges[x].answer.framing {
                    case .chunked: appendChunk(scratch.outbound, range, to: &scratch.out)
                    case .length, .untilClose, .none:
                        if copies {
                            appendRun(scratch.outbound, range, to: &scratch.out)
                        } else {
                            pass.direct = range
                        }
                    }
                }
                if exchanges[x].answer.body.isComplete {
                    pass.complete = true
                    return pass
                }
            case .needMore: return pass
            case .end:
                pass.complete = true
                return pass
            case .refused(let refusal):
                (pass.failed, pass.refusal) = (true, refusal)
                return pass
            }
        }
    }

    /// What follows a pass of body bytes.
    mutating func endPass(_ x: Handle<Exchange>, _ o: Handle<Origin>, complete: Bool, failed: Bool) {
        let step = exchanges[x].machine.afterBody(
            isComplete: complete, isBroken: failed,
            isWanted: exchanges[x].client != nil || exchanges[x].answer.fill != nil,
            delivered: exchanges[x].answer.body.delivered)
        switch step {
        case .goOn: renewDeadline(x, o)
        case .drain: break
        case .fail:
            if PlantedFault.isPlanted(.storesTruncated) { commitFill(x) }
            fail(x, .truncated, fault.exchange == x ? .malformed : .truncated)
        case .endTunnelHalf: tunnelEvent(x, .originEnded)
        case .finish: finish(x)
        case .abort: abort(x)
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

func appendRun(_ bytes: borrowing ByteBuffer, _ range: Range<Int>, to buffer: inout ByteBuffer) {
    buffer.append(bytes.span.extracting(range))
}
