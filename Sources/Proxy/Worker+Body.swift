internal import Bytes
internal import Caching
internal import Exchange
internal import HTTP
internal import Kernel
internal import Loop

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
        var refusal: Refusal?
    }

    /// Passes the body bytes in `outbound` to the client and to the fill. `out` holds the composed head, if
    /// it has not been sent yet.
    mutating func passBody(_ f: Handle, _ o: Handle, ended: Bool) {
        coded.removeAll()
        var pass = readBody(f)
        if ended, !pass.complete, !pass.failed {
            pass.complete = forwards[f].responseBody.closed()
            pass.failed = !pass.complete
        }
        // Bytes behind the end of an answer are nobody's: the connection is not kept.
        if pass.complete, pass.offset < outbound.count { forwards[f].reusable = false }
        switch forwards[f].transform.change {
        case .coded:
            if !pass.failed { pass.failed = !endEncoding(f, o, complete: pass.complete) }
        case .none, .varies, .decoded: break
        }
        if let refusal = pass.refusal { noteFault(f, refusal, at: pass.offset) }
        if pass.complete, forwards[f].framing == .chunked {
            out.append("0\r\n")
            // Trailers speak of the origin's bytes: a strong tag, a digest.
            if !forwards[f].transform.changesBody, forwards[f].responseBody.sawTrailers, takesTrailers(f) {
                Self.appendTrailers(&forwards[f].responseBody, to: &out)
            }
            out.append("\r\n")
        }
        if let c = forwards[f].client, !out.isEmpty || !pass.direct.isEmpty {
            guard clients[c].channel.send(out, outbound, pass.direct) else {
                dropClient(c)
                // What goes into the store goes on, and this may have been its end.
                if forwards.contains(f) { endPass(f, o, complete: pass.complete, failed: pass.failed) }
                return
            }
            if !clients[c].channel.isFlushed {
                clientTimers.set(id: id(c), deadline: now.milliseconds + site.writeTimeout)
            }
        }
        endPass(f, o, complete: pass.complete, failed: pass.failed)
    }

    private mutating func takesTrailers(_ f: Handle) -> Bool {
        parseHead(f)
        return Self.takesTrailers(request, &forwards[f])
    }

    private static func takesTrailers(_ request: borrowing RequestHead, _ forward: inout Forward) -> Bool {
        request.takesTrailers(forward.head)
    }

    private static func appendTrailers(_ body: inout BodyReader, to buffer: inout ByteBuffer) {
        buffer.append(body.trailers)
    }

    /// Takes the body's bytes out of `outbound`: into the fill, and into `out` as the client gets them.
    @inline(__always)
    private mutating func readBody(_ f: Handle) -> Pass {
        // By its length it goes to the client as it came: in one run, which most often nobody else wants.
        if forwards[f].framing == .length, forwards[f].fill == nil, forwards[f].client != nil {
            return Self.readRun(&forwards[f].responseBody, &outbound, &out)
        }
        return readRuns(f)
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

    private mutating func readRuns(_ f: Handle) -> Pass {
        var pass = Pass()
        let copies =
            out.count &+ outbound.count <= Self.gatherLimit || forwards[f].framing == .chunked
            || forwards[f].responseBody.isChunked
        while true {
            let (step, next) = forwards[f].responseBody.next(outbound, from: pass.offset)
            pass.offset = next
            switch step {
            case .data(let range):
                runsPassed &+= 1
                if forwards[f].fill != nil { fill(f, range) }
                if forwards[f].transform.changesBody {
                    if !Self.recode(&forwards[f].recoder, outbound, range, into: &coded) {
                        pass.failed = true
                        return pass
                    }
                } else if forwards[f].client != nil, !forwards[f].isHeldBack {
                    switch forwards[f].framing {
                    case .chunked: appendChunk(outbound, range, to: &out)
                    case .length, .untilClose, .none:
                        if copies { appendRun(outbound, range, to: &out) } else { pass.direct = range }
                    }
                }
                if forwards[f].responseBody.isComplete {
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
    mutating func endPass(_ f: Handle, _ o: Handle, complete: Bool, failed: Bool) {
        if failed {
            fail(f, .truncated, fault.exchange == f ? .malformed : .truncated)
        } else if complete, forwards[f].isTunnel, !forwards[f].originShut {
            endTunnelFromOrigin(f, o)
        } else if complete {
            finish(f)
        } else if forwards[f].client == nil, forwards[f].fill == nil {
            // Neither a client nor the store wants the rest. (What is drained has no more time than it had.)
            if forwards[f].responseBody.delivered >= forwards[f].drainLimit { abort(f) }
        } else {
            renewDeadline(f, o)
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
