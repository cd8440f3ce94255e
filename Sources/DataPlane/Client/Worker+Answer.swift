internal import Bytes
internal import Caching
internal import HTTP
internal import Loop
internal import Machines

/// An answer of our own: small, correct, never cached.
struct LocalAnswer {
    let status: UInt16
    var reason: Reason?
    /// Why it is an error, for the log and in a sentence of the body.
    var cause: Cause?
    /// What the request breaks: said in the body instead.
    var rule: BrokenRule?
    /// The value of `Allow`, where the status wants one.
    var allow = Allow.nothing

    enum Allow {
        case nothing
        /// What Larder itself takes.
        case all
        /// What anybody may send on a route.
        case route(Int)
    }

    static var options: LocalAnswer { LocalAnswer(status: 204, allow: .all) }
    static var misdirected: LocalAnswer { LocalAnswer(status: 421, cause: .misdirected) }
    static var forbidden: LocalAnswer { LocalAnswer(status: 403, cause: .forbidden) }
    static func notAllowed(route: Int) -> LocalAnswer {
        LocalAnswer(status: 405, cause: .notAllowed, allow: .route(route))
    }
    static var loop: LocalAnswer { LocalAnswer(status: 508, cause: .loop) }
    static var noRoute: LocalAnswer { LocalAnswer(status: 404, cause: .noRoute) }
    static var onlyIfCached: LocalAnswer {
        LocalAnswer(status: 504, reason: .clientRefresh, cause: .onlyIfCached)
    }
    static func refused(_ refusal: BrokenRule) -> LocalAnswer {
        LocalAnswer(status: refusal.status, cause: Cause(refusal), rule: refusal)
    }

    /// The body's second line; empty where the status line says it all.
    var explanation: StaticString { rule?.explanation ?? cause?.explanation ?? "" }
}

extension Worker {
    /// Answers the request at the front of `inbound` (head parsed in `request`) and drops its head. A body
    /// that comes with it is not read: the connection closes.
    mutating func answer(_ h: Handle<Client>, _ answer: LocalAnswer, headCount: Int) {
        if scratch.request.framing != .none {
            clients[h].closing = true
            clients[h].lingers = true
        }
        compose(
            answer, closing: clients[h].closing, minorVersion: scratch.request.minorVersion,
            body: scratch.request.method != .head)
        let isSent = clients[h].channel.send(scratch.out)
        logLocal(h, answer, isLost: !isSent)
        scratch.inbound.removeFirst(headCount)
        endLocal(h, isSent: isSent)
    }

    /// Answers bytes that are no request we take, and closes.
    mutating func rejectRequest(_ h: Handle<Client>, _ refusal: BrokenRule) {
        clients[h].closing = true
        clients[h].lingers = true
        answerUnparsed(h, .refused(refusal))
        scratch.inbound.removeAll()
        // The head was not dropped where the connection is gone already.
        if clients.contains(h) { finishClient(h) }
    }

    /// Answers bytes that make no request: those in `inbound`, if any.
    private mutating func answerUnparsed(_ h: Handle<Client>, _ answer: LocalAnswer) {
        compose(answer, closing: true, minorVersion: 1, body: true)
        let isSent = clients[h].channel.send(scratch.out)
        logUnparsed(h, answer, isLost: !isSent)
        if !isSent { closeClientNow(h) }
    }

    /// The head did not come in time.
    mutating func refuseSlowHead(_ h: Handle<Client>) {
        clients[h].channel.dropInput()
        clients[h].closing = true
        clients[h].lingers = true
        scratch.inbound.removeAll()
        answerUnparsed(h, LocalAnswer(status: 408, cause: .requestHeadTimeout))
        if clients.contains(h) { finishClient(h) }
    }

    /// The body did not come in time.
    mutating func refuseSlowBody(_ x: Handle<Exchange>) {
        if let o = exchanges[x].origin {
            exchanges[x].origin = nil
            origins.close(o)
        }
        exchanges[x].outcome.trouble = Trouble(cause: .requestBodyTimeout)
        answerFailure(x, status: 408)
    }

    /// The exchange failed before anything of an answer was sent: the client gets this status.
    /// - Parameter rule: what the request breaks.
    mutating func answerFailure(_ x: Handle<Exchange>, status: UInt16, _ rule: BrokenRule? = nil) {
        guard let c = exchanges[x].client else {
            abort(x)
            return
        }
        if !exchanges[x].requestBody.isComplete {
            clients[c].closing = true
            clients[c].lingers = true
        }
        exchanges[x].outcome.status = status
        tell(x, .answered(status))
        compose(
            LocalAnswer(
                status: status, reason: exchanges[x].outcome.reason,
                cause: exchanges[x].outcome.trouble.cause, rule: rule),
            closing: clients[c].closing, minorVersion: exchanges[x].minorVersion,
            body: exchanges[x].method != .head && !exchanges[x].fetch.answersHead)
        let isSent = clients[c].channel.send(scratch.out)
        logExchange(x, isLost: !isSent, rule: rule)
        forget(x)
        guard isSent else {
            closeClientNow(c)
            return
        }
        releaseClient(c)
    }

    /// What follows an answer to a client between requests.
    private mutating func endLocal(_ h: Handle<Client>, isSent: Bool) {
        guard isSent else {
            closeClientNow(h)
            return
        }
        if clients[h].closing {
            finishClient(h)
        } else if !clients[h].channel.isFlushed {
            clients.setDeadline(h, at: now.milliseconds + site.writeTimeout)
        }
    }

    /// Writes the whole answer into `out`.
    private mutating func compose(_ answer: LocalAnswer, closing: Bool, minorVersion: UInt8, body: Bool) {
        let reason = StatusText.reason(answer.status)
        scratch.out.removeAll()
        scratch.out.append("HTTP/1.1 ")
        scratch.out.append(decimal: UInt64(answer.status))
        scratch.out.append(" ")
        scratch.out.append(reason)
        scratch.out.append("\r\nDate: ")
        date.append(now: now.times.wallSeconds, to: &scratch.out)
        scratch.out.append("\r\nCache-Control: no-store\r\n")
        switch answer.allow {
        case .nothing: break
        case .all: scratch.out.append("Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n")
        case .route(let route):
            scratch.out.append("Allow: ")
            site.routes[route].methods.appendAllow(to: &scratch.out)
            scratch.out.append("\r\n")
        }
        Self.appendConnection(closing: closing, minorVersion: minorVersion, to: &scratch.out)
        guard answer.status != 204 else {
            scratch.out.append("\r\n")
            return
        }
        scratch.out.append("Content-Type: text/plain; charset=utf-8\r\nContent-Length: ")
        let explanation = answer.explanation
        let count = explanation.utf8CodeUnitCount
        scratch.out.append(decimal: UInt64(reason.utf8CodeUnitCount + 5 + (count > 0 ? count + 1 : 0)))
        scratch.out.append("\r\n\r\n")
        guard body else { return }
        scratch.out.append(decimal: UInt64(answer.status))
        scratch.out.append(" ")
        scratch.out.append(reason)
        scratch.out.append("\n")
        guard count > 0 else { return }
        scratch.out.append(explanation)
        scratch.out.append("\n")
    }
}
