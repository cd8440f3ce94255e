internal import Balancing
internal import Bytes
internal import Caching
internal import Files
internal import HTTP
internal import Kernel
internal import Loop
internal import Machines
internal import Settings
internal import Store
internal import SystemPackage

/// Requests on their way to an origin: choice of the server, connections, the request's head, failures and
/// retries.
extension Worker {
    /// Starts an exchange for the request at hand, and drops its head from `inbound`. `out` has the
    /// conditions of a revalidation.
    @inline(__always)
    mutating func beginExchange(
        _ context: borrowing RequestContext, _ forwardReason: ForwardReason, _ renewal: Renewal?
    ) {
        let h = context.client
        clients[h].peer.writeHost()
        let x = makeExchange(context, of: h, peer: nil, forwardReason, renewal)
        scratch.inbound.removeFirst(context.headCount)
        clients[h].phase = .exchange(x)
        if scratch.request.framing != .none {
            exchanges.setDeadline(x, at: now.milliseconds + site.bodyTimeout)
        }
        if let again = context.again {
            exchanges[x].fetch.mayUndo = again.undoes && again.cause.mayUndoFetched
            exchanges[x].machine.hasWaited(again.waits)
        }
        if reserve(x, waits: context.again?.waitsAgain ?? true) { connect(x) }
    }

    /// Makes an exchange for the request at hand. Nothing is sent yet.
    /// - Parameters:
    ///   - client: nil where the exchange revalidates an entry behind an answer.
    ///   - peer: the client's address, where there is no client.
    @inline(__always)
    mutating func makeExchange(
        _ context: borrowing RequestContext, of client: Handle<Client>?, peer: SocketAddress?,
        _ forwardReason: ForwardReason, _ renewal: Renewal?
    ) -> Handle<Exchange> {
        let upstream = site.routes[context.route].upstream
        let hasBody = scratch.request.framing != .none
        let replayable = OriginRequest.isReplayable(scratch.request)
        let reuse =
            switch site.upstreams[upstream].reuse {
            case .safe: replayable
            case .always: !scratch.request.upgradesToWebSocket
            case .never: false
            }
        let attempts = Attempts(
            idempotent: replayable, retries: site.upstreams[upstream].retries, reuse: reuse)
        let x = exchanges.insert(
            Exchange(
                context, of: client, peer: peer, forwardReason, renewal, attempts,
                keyCount: scratch.key.count, minorVersion: scratch.request.minorVersion, now: now.times))
        Self.keep(scratch.inbound, scratch.key, conditions: scratch.out, in: &exchanges[x], &spares)
        if hasBody { exchanges[x].expectBody(scratch.request.framing, trailerLimit: site.headLimits.head) }
        scratch.requestOf = x
        return x
    }

    /// Keeps the request's head, the key, and the conditions if they are of use.
    @inline(__always)
    private static func keep(
        _ inbound: borrowing ByteBuffer, _ key: borrowing ByteBuffer, conditions out: borrowing ByteBuffer,
        in exchange: inout Exchange, _ spares: inout SpareBuffers
    ) {
        let head = inbound.span.extracting(first: exchange.headCount)
        let key = key.span
        let conditions = exchange.fetch.renewal?.isConditional == true ? out.span : Span()
        let count = head.count &+ key.count &+ conditions.count
        spares.take(&exchange.request, capacity: count)
        exchange.request.append(atMost: count) {
            $0.append(long: head)
            $0.append(long: key)
            $0.append(long: conditions)
        }
    }

    /// Finds the exchange a connection: an idle one, else a new one to the server that the key chooses.
    mutating func connect(_ x: Handle<Exchange>) {
        let upstream = site.routes[exchanges[x].route].upstream
        if exchanges[x].fetch.server < 0, !chooseServer(x, upstream) {
            recover(x, exchanges[x].machine.giveUp(status: 502, mayUseEntry: mayUseEntry(x)))
            return
        }
        exchanges[x].machine.connect()
        let server = exchanges[x].fetch.server
        if !exchanges[x].machine.attempts.mustBeFresh,
            let o = origins.takeIdle(server, for: x, turn: turn)
        {
            exchanges[x].origin = o
            sendRequest(x, o)
            return
        }
        open(x, server)
    }

    /// Opens a connection. Where there is no descriptor for it, an idle connection is closed first.
    private mutating func open(_ x: Handle<Exchange>, _ server: Int) {
        for isLast in [false, true] {
            do {
                let o = try origins.open(server, for: x, poller, now: now.milliseconds)
                exchanges[x].origin = o
                guard case .active = origins[o].phase else { return }
                if site.servers[server].files == nil { counters.didConnect(server) }
                sendRequest(x, o)
                return
            } catch {
                if !isLast, error.isLackOfResources, makeOriginDescriptor(x) { continue }
                fail(x, OriginFailure(connecting: error), Cause(connecting: error))
                return
            }
        }
    }

    /// The handshake of a new connection ended.
    mutating func originConnected(_ o: Handle<Origin>, _ x: Handle<Exchange>) {
        if let error = origins[o].channel.connectError() {
            fail(x, .notConnected, Cause(connecting: error))
            return
        }
        origins[o].phase = .active(x)
        counters.didConnect(origins[o].server)
        sendRequest(x, o)
    }

    /// Sends the request's head on `o`; a body follows as it comes.
    private mutating func sendRequest(_ x: Handle<Exchange>, _ o: Handle<Origin>) {
        parseHead(x)
        exchanges[x].fetch.sentAt = now.times
        if exchanges[x].verdict.mayRevalidate {
            exchanges[x].fetch.stamp = store.stamp(exchanges[x].keyed.hash)
        }
        scratch.out.removeAll()
        composeRequest(x)
        guard origins[o].channel.send(scratch.out) else {
            fail(x, .closed, .reset)
            return
        }
        exchanges[x].machine.sentHead()
        origins.setDeadline(o, at: now.milliseconds + site.timeouts(origins[o].server).response)
        if let c = exchanges[x].client, !exchanges[x].requestBody.isComplete { deferClient(c) }
    }

    /// Has the exchange's head in `request`: parses it again, unless it is there still. It was valid once and
    /// has not changed.
    mutating func parseHead(_ x: Handle<Exchange>) {
        guard scratch.requestOf != x else { return }
        Self.parseHead(of: &exchanges[x], into: &scratch.request, site.headLimits)
        scratch.requestOf = x
        if scratch.request.fields.containsAny(of: ForwardingFields.claims) { believeClaims(of: x) }
    }

    private mutating func believeClaims(of x: Handle<Exchange>) {
        if let c = exchanges[x].client {
            believeClaims(of: clients[c].peer.address)
        } else if let peer = exchanges[x].peer {
            believeClaims(of: peer)
        }
    }

    private static func parseHead(
        of exchange: inout Exchange, into request: inout RequestHead, _ limits: HeadLimits
    ) {
        var scan = HeadScan()
        let result = request.parse(exchange.head, limits: limits, scan: &scan)
        precondition(result == .complete(exchange.headCount), "a kept request head changed")
    }

    /// The origin connection of `x` failed: closes it, and does what the machine says.
    /// - Parameter cause: what is known of the failure; nil: no more than its kind.
    mutating func fail(_ x: Handle<Exchange>, _ failure: OriginFailure, _ cause: Cause? = nil) {
        var isReused = false
        if let o = exchanges[x].origin {
            isReused = origins[o].takenIn != 0
            origins.close(o)
            exchanges[x].origin = nil
        }
        let server = exchanges[x].fetch.server
        if failure.concernsAddress { origins.useNextAddress(of: server) }
        var tried = exchanges[x].fetch.tried
        tried.insert(site.servers[server].index)
        let upstream = site.routes[exchanges[x].route].upstream
        let recovery = exchanges[x].machine.fail(
            failure,
            ExchangeMachine.Chances(
                isReused: isReused, addressCount: site.servers[server].addresses.count,
                hasServers: !site.upstreams[upstream].balancer.members.isSubset(of: tried),
                mayUseEntry: mayUseEntry(x)))
        if recovery != .nextAddress, recovery != .reconnect { count(x, failure, cause ?? Cause(failure)) }
        if recovery == .nextServer {
            exchanges[x].fetch.tried = tried
            releaseServer(x)
        }
        recover(x, recovery)
    }

    /// Counts a failure against the server of the exchange, unless the failure is Larder's own.
    private mutating func count(_ x: Handle<Exchange>, _ failure: OriginFailure, _ cause: Cause) {
        let server = exchanges[x].fetch.server
        if failure == .notConnected || failure == .connectTimeout {
            counters.didNotConnect(server, now: now.milliseconds)
        }
        note(x, cause, isServerFailure: !failure.isLocal)
        guard failure.isLocal else {
            counters.failed(server)
            return
        }
        exchanges[x].outcome.reason = .pressure
        helpers.note(failure == .noPort ? .ports : .originSockets, now: now.milliseconds)
    }

    private mutating func recover(_ x: Handle<Exchange>, _ recovery: ExchangeMachine.Recovery) {
        switch recovery {
        case .nextAddress, .reconnect, .nextServer: connect(x)
        case .useEntry:
            tell(x, .stale)
            // Later: the request may be in the middle of being handled, with others behind it in `inbound`.
            deferred.append(Token(x.token))
        case .answer(let status): answerFailure(x, status: status)
        case .abort: abort(x)
        }
    }

    /// May a stored entry answer in place of an error?
    private func mayUseEntry(_ x: Handle<Exchange>) -> Bool {
        exchanges[x].fetch.renewal?.mayIfError == true && exchanges[x].client != nil
    }
}

extension Cause {
    /// Why the kernel did not connect.
    fileprivate init(connecting error: Errno) {
        self =
            switch error {
            case .connectionRefused, .noSuchFileOrDirectory: .refused
            case .timedOut: .connectTimeout
            case .connectionReset: .reset
            case .addressNotAvailable: .noSocket
            default: error.isLackOfResources ? .noSocket : .unreachable
            }
    }
}

extension OriginFailure {
    /// Why a connection could not be begun.
    init(connecting error: Errno) {
        if error.isLackOfResources {
            self = .noSocket
        } else if error == .addressNotAvailable {
            self = .noPort
        } else {
            self = .notConnected
        }
    }
}
