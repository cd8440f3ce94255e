internal import AccessLog
internal import Bytes
internal import Caching
internal import HTTP
internal import Loop
internal import Machines

/// The lines of the access log: what they say of hits, exchanges and answers of Larder's own. `ClientLog`
/// writes them.
extension Worker {
    /// Logs an answer from the store to the request in `request`, parsed over `inbound`.
    @inline(never)
    mutating func logHit(
        _ context: borrowing RequestContext, status: UInt16, isStale: Bool, isLost: Bool
    ) {
        let again = context.again
        var cache = isStale ? CacheResult.stale : .hit
        if again?.cause == .renewed { cache = .revalidated }
        var entry = record(
            status, cache: cache, Reasons(), route: context.route, started: context.started)
        if let again {
            entry.server = Int32(again.server)
            entry.choice = again.choice
            Self.write(again.trouble, to: &entry)
        }
        write(context.client, entry, started: context.started, isLost: isLost)
    }

    /// Logs an answer of Larder's own to the request in `request`, parsed over `inbound`.
    mutating func logLocal(_ h: Handle<Client>, _ answer: LocalAnswer, isLost: Bool) {
        guard log.isEnabled else { return }
        var reasons = Reasons()
        if let reason = answer.reason { reasons.append(reason) }
        var entry = record(answer.status, cache: .none, reasons, route: -1, started: now.moment)
        Self.write(answer, to: &entry)
        write(h, entry, started: now.moment, isLost: isLost)
    }

    /// Logs an answer to the bytes in `inbound`, which are no request.
    mutating func logUnparsed(_ h: Handle<Client>, _ answer: LocalAnswer, isLost: Bool) {
        guard log.isEnabled else { return }
        var entry = record(answer.status, cache: .none, Reasons(), route: -1, started: now.moment)
        Self.write(answer, to: &entry)
        var found = ByteBuffer(capacity: Fault.limit)
        if let rule = answer.rule { Self.appendFault(rule, of: scratch.inbound, to: &found) }
        let line = ClientLog.Line(
            record: entry, client: h, started: now.moment, lost: isLost ? .clientLeft : nil, isLast: isLost)
        log.write(unparsed: line, found: found, to: &clients[h])
    }

    /// Logs an exchange with an origin when its answer is complete or given up. To be called once, while the
    /// exchange has its client.
    /// - Parameters:
    ///   - isLost: the client is gone, and `cause` says why.
    ///   - isLast: nothing more will be sent.
    ///   - rule: the rule that the request's body broke; nil for none.
    @inline(__always)
    mutating func logExchange(
        _ x: Handle<Exchange>, isLost: Bool = false, _ cause: Cause = .clientLeft, isLast: Bool = false,
        rule: BrokenRule? = nil
    ) {
        if log.isEnabled { writeExchange(x, lost: isLost ? cause : nil, isLast: isLast || isLost, rule) }
    }

    @inline(never)
    private mutating func writeExchange(
        _ x: Handle<Exchange>, lost: Cause?, isLast: Bool, _ rule: BrokenRule?
    ) {
        guard let c = exchanges[x].client else { return }
        parseHead(x)
        let started = exchanges[x].started
        let isBypass = exchanges[x].fetch.forwardReason == .bypass
        let cache = isBypass ? CacheResult.bypass : exchanges[x].answer.isUndone ? .hit : .miss
        var entry = record(
            exchanges[x].outcome.status, cache: cache, allReasons(x), route: exchanges[x].route,
            started: started)
        entry.server = Int32(exchanges[x].fetch.server)
        entry.choice = exchanges[x].fetch.choice
        Self.write(exchanges[x].outcome.trouble, to: &entry)
        if let rule { entry.rule = rule.code }
        let isMalformed = exchanges[x].outcome.trouble.cause == .malformed && fault.exchange == x
        if isMalformed { entry.rule = fault.rule }
        let line = ClientLog.Line(
            record: entry, client: c, started: started, lost: exchanges[x].machine.isTunnel ? nil : lost,
            isLast: isLast)
        if isMalformed {
            Self.write(
                line, scratch.request, &exchanges[x], fault.found, site.forwardingFields, &log, &clients[c])
        } else {
            Self.write(
                line, scratch.request, &exchanges[x], ByteBuffer(), site.forwardingFields, &log, &clients[c])
        }
    }

    private static func write(
        _ line: ClientLog.Line, _ request: borrowing RequestHead, _ exchange: inout Exchange,
        _ found: borrowing ByteBuffer, _ forwarding: borrowing ForwardingFields, _ log: inout ClientLog,
        _ client: inout Client
    ) {
        log.write(line, request, in: exchange.request, found: found, forwarding, to: &client)
    }

    private mutating func write(_ h: Handle<Client>, _ entry: AccessRecord, started: Moment, isLost: Bool) {
        let line = ClientLog.Line(
            record: entry, client: h, started: started, lost: isLost ? .clientLeft : nil, isLast: isLost)
        log.write(
            line, scratch.request, in: scratch.inbound, found: ByteBuffer(), site.forwardingFields,
            to: &clients[h])
    }

    private func record(
        _ status: UInt16, cache: CacheResult, _ reasons: Reasons, route: Int, started: Moment
    ) -> AccessRecord {
        AccessRecord(
            wallMilliseconds: started.wallMilliseconds,
            version: scratch.request.minorVersion == 0 ? .http10 : .http11,
            status: status, bytesSent: 0, durationMicroseconds: 0, cache: cache,
            reasons: [reasons.low, reasons.high], route: Int32(route))
    }

    private static func write(_ trouble: Trouble, to entry: inout AccessRecord) {
        guard let cause = trouble.cause else { return }
        entry.cause = cause.code
        if trouble.server != entry.server { entry.failedServer = trouble.server }
    }

    private static func write(_ answer: LocalAnswer, to entry: inout AccessRecord) {
        if let cause = answer.cause { entry.cause = cause.code }
        if let rule = answer.rule { entry.rule = rule.code }
    }

    // MARK: Reasons

    /// Notes for the log all reasons not to store the response in `response` over `outbound`: its own and
    /// those of its request.
    @inline(never)
    mutating func noteRefusals(_ x: Handle<Exchange>) {
        parseHead(x)
        Self.noteRefusals(
            scratch.response, scratch.outbound, scratch.request, &exchanges[x],
            site.routes[exchanges[x].route], received: now.times)
    }

    private static func noteRefusals(
        _ response: borrowing ResponseHead, _ outbound: borrowing ByteBuffer,
        _ request: borrowing RequestHead, _ exchange: inout Exchange, _ route: borrowing Site.Route,
        received: Times
    ) {
        guard route.caches else { return }
        exchange.outcome.reasons = route.rules.refusals(
            of: response, outbound.span, to: request, exchange.head, served: exchange.verdict,
            sent: exchange.fetch.sentAt, received: received)
    }

    /// The reasons of the exchange's line. The first one is what `Cache-Status` says, or would say if it had
    /// been known in time. The request's head is in `request`.
    private mutating func allReasons(_ x: Handle<Exchange>) -> Reasons {
        var reasons = Reasons()
        guard let strongest = exchanges[x].outcome.reason else { return reasons }
        reasons.append(strongest)
        if exchanges[x].outcome.reasons.isEmpty, !exchanges[x].verdict.mayStore {
            // No response was judged: only the request gives reasons.
            reasons.append(
                contentsOf: Self.refusals(scratch.request, &exchanges[x], site.routes[exchanges[x].route]))
        } else {
            reasons.append(contentsOf: exchanges[x].outcome.reasons)
        }
        return reasons
    }

    private static func refusals(
        _ request: borrowing RequestHead, _ exchange: inout Exchange, _ route: borrowing Site.Route
    ) -> Reasons { route.rules.refusals(of: request, exchange.head) }
}
