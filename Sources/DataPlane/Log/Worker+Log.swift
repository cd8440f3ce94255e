internal import AccessLog
internal import Bytes
internal import Caching
internal import HTTP
internal import Kernel
internal import Loop
internal import Machines
internal import Settings

/// The access log's lines. Numbers and borrowed bytes go to the thread's buffer; the writer's thread makes
/// text of them.
///
/// A line is written when the kernel has taken the last byte of its answer, so that it says what was sent and
/// when. Until then it waits in `unsent`. A client sends its next request only after that, so every byte that
/// the kernel takes on a connection belongs to exactly one line.
///
/// A client that has said its last byte may have closed its connection and left, or may still wait for its
/// answer. TCP shows the same for both until the client's kernel acknowledges the answer, or resets the
/// connection. So the line of such a client waits in `unsent` for that, too.
extension Worker {
    /// A line whose answer is still being sent, or may not have reached its client.
    struct UnsentLine {
        var held: HeldRecord
        let started: Moment
        /// The kernel has taken the whole answer: bytes and duration stand.
        var isSent = false
    }

    /// How an answer stands when its line is due.
    private struct Delivery {
        let client: Handle<Client>
        let started: Moment
        /// The client is gone before the end, and this is why.
        var lost: Cause?
        /// Nothing more will be sent.
        var isLast: Bool
    }

    /// An answer from the store. The head of its request is in `request` over `inbound`.
    @inline(never)
    mutating func logHit(
        _ h: Handle<Client>, route: Int, _ facts: HitFacts, _ again: Again?, isLost: Bool
    ) {
        var cache = facts.isStale ? CacheResult.stale : .hit
        if again?.cause == .renewed { cache = .revalidated }
        var entry = record(
            facts.status, cache: cache, Reasons(), route: route, started: again?.started ?? now.moment)
        if let again {
            entry.server = Int32(again.server)
            entry.choice = again.choice
            Self.write(again.trouble, to: &entry)
        }
        write(h, entry, started: again?.started ?? now.moment, isLost: isLost)
    }

    /// An answer of our own to the request in `request` over `inbound`.
    mutating func logLocal(_ h: Handle<Client>, _ answer: LocalAnswer, isLost: Bool) {
        guard log.isEnabled else { return }
        var reasons = Reasons()
        if let reason = answer.reason { reasons.append(reason) }
        var entry = record(answer.status, cache: .none, reasons, route: -1, started: now.moment)
        Self.write(answer, to: &entry)
        write(h, entry, started: now.moment, isLost: isLost)
    }

    /// An answer to bytes that made no request: those in `inbound`.
    mutating func logUnparsed(_ h: Handle<Client>, _ answer: LocalAnswer, isLost: Bool) {
        guard log.isEnabled else { return }
        var entry = record(answer.status, cache: .none, Reasons(), route: -1, started: now.moment)
        Self.write(answer, to: &entry)
        var found = ByteBuffer(capacity: Fault.limit)
        if let rule = answer.rule { Self.appendFault(rule, of: scratch.inbound, to: &found) }
        let delivery = Delivery(
            client: h, started: now.moment, lost: isLost ? .clientLeft : nil, isLast: isLost)
        let texts = AccessTexts(
            client: Span(), method: Span(), target: Span(), host: Span(), referer: Span(),
            userAgent: Span(), found: found.span)
        Self.write(entry, texts, delivery, &clients, &log, &unsent)
    }

    /// An exchange with an origin, when its answer is complete or given up; once, while its client is there.
    /// - Parameters:
    ///   - isLost: the client is gone, for `cause`.
    ///   - isLast: nothing more will be sent.
    ///   - rule: what the request broke behind its head.
    @inline(__always)
    mutating func logExchange(
        _ x: Handle<Exchange>, isLost: Bool = false, _ cause: Cause = .clientLeft, isLast: Bool = false,
        rule: Refusal? = nil
    ) {
        if log.isEnabled { writeExchange(x, lost: isLost ? cause : nil, isLast: isLast || isLost, rule) }
    }

    @inline(never)
    private mutating func writeExchange(_ x: Handle<Exchange>, lost: Cause?, isLast: Bool, _ rule: Refusal?) {
        guard let c = exchanges[x].client else { return }
        parseHead(x)
        let started = exchanges[x].started
        let isBypass = exchanges[x].forwardReason == .bypass
        let cache = isBypass ? CacheResult.bypass : exchanges[x].isFromStore ? .hit : .miss
        var entry = record(
            exchanges[x].status, cache: cache, allReasons(x), route: exchanges[x].route, started: started)
        entry.server = Int32(exchanges[x].server)
        entry.choice = exchanges[x].choice
        Self.write(exchanges[x].trouble, to: &entry)
        if let rule { entry.rule = rule.code }
        let isMalformed = exchanges[x].trouble.cause == .malformed && fault.exchange == x
        if isMalformed { entry.rule = fault.rule }
        let delivery = Delivery(
            client: c, started: started, lost: exchanges[x].isTunnel ? nil : lost, isLast: isLast)
        if isMalformed {
            Self.write(
                entry, scratch.request, &exchanges[x], site.forwardingFields, fault.found, delivery, &clients,
                &log,
                &unsent)
        } else {
            let none = ByteBuffer()
            Self.write(
                entry, scratch.request, &exchanges[x], site.forwardingFields, none, delivery, &clients, &log,
                &unsent)
        }
    }

    private static func write(
        _ entry: AccessRecord, _ request: borrowing RequestHead, _ exchange: inout Exchange,
        _ forwarding: borrowing ForwardingFields, _ found: borrowing ByteBuffer, _ delivery: Delivery,
        _ clients: inout SlotTable<Client>, _ log: inout AccessLogThread,
        _ unsent: inout [UInt64: UnsentLine]
    ) {
        write(
            entry, request, exchange.request, forwarding, found, delivery, &clients, &log, &unsent)
    }

    private mutating func write(_ h: Handle<Client>, _ entry: AccessRecord, started: Moment, isLost: Bool) {
        let delivery = Delivery(
            client: h, started: started, lost: isLost ? .clientLeft : nil, isLast: isLost)
        Self.write(
            entry, scratch.request, scratch.inbound, site.forwardingFields, ByteBuffer(), delivery, &clients,
            &log, &unsent)
    }

    /// `request` is parsed over the front of `buffer`.
    private static func write(
        _ entry: AccessRecord, _ request: borrowing RequestHead, _ buffer: borrowing ByteBuffer,
        _ forwarding: borrowing ForwardingFields, _ found: borrowing ByteBuffer, _ delivery: Delivery,
        _ clients: inout SlotTable<Client>, _ log: inout AccessLogThread,
        _ unsent: inout [UInt64: UnsentLine]
    ) {
        let bytes = buffer.span
        let told = forwarding.client(of: request, bytes, peer: clients[delivery.client].peer.address)
        let texts = AccessTexts(
            client: bytes.extracting(told), method: bytes.slice(request.methodName),
            target: bytes.slice(request.target),
            host: request.authority(in: bytes, defaultPort: Scheme.http.defaultPort),
            referer: bytes.slice(request.fields.first(.referer)?.value ?? .empty),
            userAgent: bytes.slice(request.fields.first(.userAgent)?.value ?? .empty), found: found.span)
        write(entry, texts, delivery, &clients, &log, &unsent)
    }

    /// Writes the line, or keeps it until the rest of its answer is sent.
    private static func write(
        _ entry: AccessRecord, _ texts: borrowing AccessTexts, _ delivery: Delivery,
        _ clients: inout SlotTable<Client>, _ log: inout AccessLogThread,
        _ unsent: inout [UInt64: UnsentLine]
    ) {
        let c = delivery.client
        var entry = entry
        let peer = clients[c].peer.address
        guard delivery.isLast || clients[c].channel.isFlushed else {
            unsent[c.token] = UnsentLine(held: log.hold(entry, peer: peer, texts), started: delivery.started)
            return
        }
        close(&entry, delivery.lost, started: delivery.started, &clients[c])
        guard !delivery.isLast, clients[c].channel.ending, entry.status != 101 else {
            log.write(entry, peer: peer, texts)
            return
        }
        let line = UnsentLine(
            held: log.hold(entry, peer: peer, texts), started: delivery.started, isSent: true)
        if let earlier = unsent.updateValue(line, forKey: c.token) { log.write(earlier.held) }
    }

    /// The line's answer has ended: what was sent of it, and when.
    private static func close(
        _ entry: inout AccessRecord, _ lost: Cause?, started: Moment, _ client: inout Client
    ) {
        if let lost { mark(&entry, lost) }
        entry.bytesSent = client.channel.taken &- client.logged
        client.logged = client.channel.taken
        entry.durationMicroseconds = Clock.bootMicroseconds() &- started.microseconds
    }

    /// Writes a client's line that waited, if there is one: its answer is sent, or never will be.
    /// - Parameter lost: why the rest is not sent; nil: it is.
    mutating func logUnsent(_ h: Handle<Client>, _ lost: Cause?) {
        guard !unsent.isEmpty, var line = unsent.removeValue(forKey: h.token) else { return }
        if line.isSent {
            if let lost { Self.mark(&line.held.record, lost) }
        } else {
            let isTunnel = line.held.record.status == 101
            Self.close(&line.held.record, isTunnel ? nil : lost, started: line.started, &clients[h])
        }
        log.write(line.held)
    }

    /// The thread ends: the lines of all answers that it leaves unsent.
    mutating func logUnsent() {
        for (token, line) in unsent { logUnsent(Handle(token: token), line.isSent ? nil : .stopped) }
    }

    /// The kernel has taken all that was kept for a client.
    mutating func noteSent(_ h: Handle<Client>) {
        guard !unsent.isEmpty, clients[h].channel.ending, var line = unsent[h.token], !line.isSent,
            line.held.record.status != 101
        else {
            logUnsent(h, nil)
            return
        }
        Self.close(&line.held.record, nil, started: line.started, &clients[h])
        line.isSent = true
        unsent[h.token] = line
    }

    /// Does a line wait for the client to acknowledge its answer, all of which is sent?
    func awaitsDelivery(_ h: Handle<Client>) -> Bool { !unsent.isEmpty && unsent[h.token]?.isSent == true }

    private static func mark(_ entry: inout AccessRecord, _ lost: Cause) {
        entry.status = 499
        entry.cause = lost.code
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

    /// All that refuses the answer in `response` over `outbound`, and its request, for the log.
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
        exchange.reasons = route.rules.refusals(
            of: response, outbound.span, to: request, exchange.head, served: exchange.verdict,
            sent: exchange.sentAt, received: received)
    }

    /// The reasons of the line: first what `Cache-Status` says, or would have said had it been known.
    /// The request's head is in `request`.
    private mutating func allReasons(_ x: Handle<Exchange>) -> Reasons {
        var reasons = Reasons()
        guard let strongest = exchanges[x].reason else { return reasons }
        reasons.append(strongest)
        if exchanges[x].reasons.isEmpty, !exchanges[x].verdict.mayStore {
            // No answer was judged.
            reasons.append(
                contentsOf: Self.refusals(scratch.request, &exchanges[x], site.routes[exchanges[x].route]))
        } else {
            reasons.append(contentsOf: exchanges[x].reasons)
        }
        return reasons
    }

    private static func refusals(
        _ request: borrowing RequestHead, _ exchange: inout Exchange, _ route: borrowing Site.Route
    ) -> Reasons { route.rules.refusals(of: request, exchange.head) }
}

extension AccessLog.Options {
    init(_ settings: Settings) throws(StartFailure) {
        let destination: AccessLog.Destination
        switch settings.log.access {
        case .none: destination = .none
        case .standardOutput: destination = .standardOutput
        case .file(let path): destination = .file(path)
        case .syslog: throw StartFailure("syslog is not built yet")
        }
        let format: LogFormat
        do {
            switch settings.log.format {
            case .json: format = .json
            case .combined: format = .combined
            case .combinedCache: format = .combinedCache
            case .template(let text): format = try LogFormat(parsing: text)
            }
        } catch {
            throw StartFailure("\(error)")
        }
        self.init(
            destination: destination, format: format, routes: settings.routes.map(\.name),
            servers: settings.upstreams.flatMap(\.serverNames), reasons: Reason.codes)
    }
}
