internal import Bytes
internal import Caching
internal import Exchange
internal import HTTP
internal import Loop

/// An answer of our own: small, correct, never cached.
struct LocalAnswer {
    let status: UInt16
    var reason: Reason?
    /// The value of `Allow`, where the status wants one.
    var allow: StaticString?

    static var options: LocalAnswer {
        LocalAnswer(status: 204, allow: "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS")
    }
    static var noRoute: LocalAnswer { LocalAnswer(status: 404) }
    static var onlyIfCached: LocalAnswer { LocalAnswer(status: 504, reason: .clientRefresh) }
    static var loop: LocalAnswer { LocalAnswer(status: 508) }
    static func refused(_ refusal: Refusal) -> LocalAnswer { LocalAnswer(status: refusal.status) }
}

extension Worker {
    /// Answers the request at the front of `inbound` (head parsed in `request`) and drops its head. A body
    /// that comes with it is not read: the connection closes.
    mutating func answer(_ h: Handle, _ answer: LocalAnswer, headCount: Int) {
        if request.framing != .none {
            clients[h].closing = true
            clients[h].lingers = true
        }
        compose(
            answer, closing: clients[h].closing, minorVersion: request.minorVersion,
            body: request.method != .head)
        logLocal(h, answer)
        inbound.removeFirst(headCount)
        send(h)
    }

    /// Answers bytes that are no request we take, and closes.
    mutating func refuse(_ h: Handle, _ refusal: Refusal) {
        inbound.removeAll()
        clients[h].closing = true
        clients[h].lingers = true
        compose(.refused(refusal), closing: true, minorVersion: 1, body: true)
        logUnparsed(h, status: refusal.status)
        send(h)
    }

    /// The head did not come in time.
    mutating func refuseSlowHead(_ h: Handle) {
        clients[h].channel.dropInput()
        clients[h].closing = true
        clients[h].lingers = true
        compose(LocalAnswer(status: 408), closing: true, minorVersion: 1, body: true)
        logUnparsed(h, status: 408)
        send(h)
    }

    /// The body did not come in time.
    mutating func refuseSlowBody(_ f: Handle) {
        if let o = forwards[f].origin {
            forwards[f].origin = nil
            closeOrigin(o)
        }
        answerFailure(f, status: 408)
    }

    /// The exchange failed before anything of an answer was sent: the client gets this status.
    mutating func answerFailure(_ f: Handle, status: UInt16) {
        guard let c = forwards[f].client else {
            abort(f)
            return
        }
        if !forwards[f].requestBody.isComplete {
            clients[c].closing = true
            clients[c].lingers = true
        }
        forwards[f].status = status
        compose(
            LocalAnswer(status: status, reason: forwards[f].reason), closing: clients[c].closing,
            minorVersion: forwards[f].minorVersion, body: forwards[f].method != .head)
        logForward(f)
        forget(f)
        guard clients[c].channel.send(out) else {
            closeClientNow(c)
            return
        }
        releaseClient(c)
    }

    /// Sends `out` to a client between requests.
    private mutating func send(_ h: Handle) {
        guard clients[h].channel.send(out) else {
            closeClientNow(h)
            return
        }
        if clients[h].closing {
            finishClient(h)
        } else if !clients[h].channel.isFlushed {
            clientTimers.set(id: id(h), deadline: now.milliseconds + site.writeTimeout)
        }
    }

    /// Writes the whole answer into `out`.
    private mutating func compose(_ answer: LocalAnswer, closing: Bool, minorVersion: UInt8, body: Bool) {
        let reason = StatusText.reason(answer.status)
        out.removeAll()
        out.append("HTTP/1.1 ")
        out.append(decimal: UInt64(answer.status))
        out.append(" ")
        out.append(reason)
        out.append("\r\nDate: ")
        date.append(now: now.times.wallSeconds, to: &out)
        out.append("\r\nCache-Control: no-store\r\n")
        if let allow = answer.allow {
            out.append("Allow: ")
            out.append(allow)
            out.append("\r\n")
        }
        Self.appendConnection(closing: closing, minorVersion: minorVersion, to: &out)
        guard answer.status != 204 else {
            out.append("\r\n")
            return
        }
        out.append("Content-Type: text/plain; charset=utf-8\r\nContent-Length: ")
        out.append(decimal: UInt64(reason.utf8CodeUnitCount + 5))
        out.append("\r\n\r\n")
        guard body else { return }
        out.append(decimal: UInt64(answer.status))
        out.append(" ")
        out.append(reason)
        out.append("\n")
    }
}
