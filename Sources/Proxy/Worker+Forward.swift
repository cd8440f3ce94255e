internal import Balancing
internal import Bytes
internal import Caching
internal import Exchange
internal import Files
internal import HTTP
internal import Kernel
internal import Loop
internal import Settings
internal import Store
internal import SystemPackage

/// Requests on their way to an origin: choice of the server, connections, the request's head, failures and
/// retries.
extension Worker {
    /// Starts an exchange for the request at the front of `inbound` (head parsed in `request`, key in `key`,
    /// the conditions of a revalidation in `out`), and drops the head.
    @inline(__always)
    mutating func forward(
        _ h: Handle, route: Int, verdict: RequestVerdict, _ forwarding: Forwarding, _ keyed: KeyedRequest,
        _ renewal: Renewal?, headCount: Int, again: Again?
    ) {
        clients[h].peer.writeHost()
        let f = makeExchange(
            h, peer: nil, route: route, verdict: verdict, forwarding, keyed, renewal,
            headCount: headCount, started: again?.started ?? now.moment)
        inbound.removeFirst(headCount)
        clients[h].phase = .exchange(f)
        if let again { forwards[f].mayUndo = again.undoes && again.cause != .fetched }
        if request.framing != .none {
            clientTimers.set(id: id(h), deadline: now.milliseconds + site.bodyTimeout)
        }
        if let again { forwards[f].waits = again.waits }
        if reserve(f, waits: again?.waitsAgain ?? true) { connect(f) }
    }

    /// An exchange for the request at the front of `inbound`, as `forward` says; nothing is sent yet.
    @inline(__always)
    mutating func makeExchange(
        _ client: Handle?, peer: SocketAddress?, route: Int, verdict: RequestVerdict,
        _ forwarding: Forwarding, _ keyed: KeyedRequest, _ renewal: Renewal?, headCount: Int,
        started: Moment
    ) -> Handle {
        let upstream = site.routes[route].upstream
        let hasBody = request.framing != .none
        let replayable = OriginRequest.isReplayable(request)
        let reuse =
            switch site.upstreams[upstream].reuse {
            case .safe: replayable
            case .always: !request.upgradesToWebSocket
            case .never: false
            }
        let f = forwards.insert(
            Forward(
                client: client, peer: peer, route: route, verdict: verdict, forwarding: forwarding,
                renewal: renewal, headCount: headCount, keyCount: key.count,
                minorVersion: request.minorVersion, keyed: keyed,
                attempts: Attempts(
                    idempotent: replayable, retries: site.upstreams[upstream].retries, reuse: reuse),
                now: now.times, started: started))
        Self.keep(inbound, key, conditions: out, in: &forwards[f], &spares)
        if hasBody { forwards[f].expectBody(request.framing, trailerLimit: site.headLimits.head) }
        requestOf = f
        return f
    }

    /// Keeps the request's head, the key, and the conditions if they are of use.
    @inline(__always)
    private static func keep(
        _ inbound: borrowing ByteBuffer, _ key: borrowing ByteBuffer, conditions out: borrowing ByteBuffer,
        in forward: inout Forward, _ spares: inout SpareBuffers
    ) {
        let head = inbound.span.extracting(first: forward.headCount)
        let key = key.span
        let conditions = forward.renewal?.isConditional == true ? out.span : Span()
        let count = head.count &+ key.count &+ conditions.count
        spares.take(&forward.request, capacity: count)
        forward.request.append(atMost: count) {
            $0.append(long: head)
            $0.append(long: key)
            $0.append(long: conditions)
        }
    }

    /// Finds the exchange a connection: an idle one, else a new one to the server that the key chooses.
    mutating func connect(_ f: Handle) {
        let upstream = site.routes[forwards[f].route].upstream
        if forwards[f].server < 0, !chooseServer(f, upstream) {
            giveUp(f, status: 502)
            return
        }
        let server = forwards[f].server
        if !forwards[f].attempts.mustBeFresh {
            while let token = pools[server].take() {
                let o = Handle(token: token)
                guard origins.contains(o) else { continue }
                forwards[f].origin = o
                origins[o].phase = .active(f)
                origins[o].takenIn = turn
                sendRequest(f, o)
                return
            }
        }
        open(f, server: server)
    }

    /// Opens a connection. Where there is no descriptor for it, an idle connection is closed first.
    private mutating func open(_ f: Handle, server: Int) {
        for isLast in [false, true] {
            do {
                try begin(f, server: server)
                return
            } catch {
                if !isLast, error.isLackOfResources, makeOriginDescriptor(f) { continue }
                fail(f, OriginFailure(connecting: error), Cause(connecting: error))
                return
            }
        }
    }

    private mutating func begin(_ f: Handle, server: Int) throws(Errno) {
        if let files = site.servers[server].files {
            let o = try watchOrigin(Origin(try files.connect(), server: server, phase: .active(f), ledger))
            forwards[f].origin = o
            sendRequest(f, o)
            return
        }
        let address = site.servers[server].addresses[addressInUse[server]]
        let connecting = try Socket.connect(to: address)
        let pending = connecting.inProgress
        let o = try watchOrigin(
            Origin(
                connecting.socket, server: server, phase: pending ? .connecting(f) : .active(f), ledger))
        forwards[f].origin = o
        if pending {
            originTimers.set(id: id(o), deadline: now.milliseconds + site.timeouts(server).connect)
        } else {
            counters.didConnect(server)
            sendRequest(f, o)
        }
    }

    private mutating func watchOrigin(_ origin: consuming Origin) throws(Errno) -> Handle {
        let o = origins.insert(origin)
        do {
            try poller.add(origins[o].channel.socket.raw, token: o.token)
        } catch {
            origins.discard(o)
            throw error
        }
        return o
    }

    /// The handshake of a new connection ended.
    mutating func originConnected(_ o: Handle, _ f: Handle) {
        if let error = origins[o].channel.socket.connectError() {
            fail(f, .notConnected, Cause(connecting: error))
            return
        }
        origins[o].phase = .active(f)
        counters.didConnect(origins[o].server)
        sendRequest(f, o)
    }

    /// Sends the request's head on `o`; a body follows as it comes.
    private mutating func sendRequest(_ f: Handle, _ o: Handle) {
        parseHead(f)
        forwards[f].sentAt = now.times
        if forwards[f].verdict.mayRevalidate { forwards[f].stamp = store.stamp(forwards[f].keyed.hash) }
        out.removeAll()
        composeRequest(f)
        guard origins[o].channel.send(out) else {
            fail(f, .closed, .reset)
            return
        }
        forwards[f].sent = .head
        originTimers.set(id: id(o), deadline: now.milliseconds + site.timeouts(origins[o].server).response)
        if let c = forwards[f].client, !forwards[f].requestBody.isComplete { deferClient(c) }
    }

    /// Has the exchange's head in `request`: parses it again, unless it is there still. It was valid once and
    /// has not changed.
    mutating func parseHead(_ f: Handle) {
        guard requestOf != f else { return }
        Self.parseHead(of: &forwards[f], into: &request, site.headLimits)
        requestOf = f
        if request.fields.containsAny(of: ForwardedHeads.claims) { believeClaims(of: f) }
    }

    private mutating func believeClaims(of f: Handle) {
        if let c = forwards[f].client {
            believeClaims(of: clients[c].peer.address)
        } else if let peer = forwards[f].peer {
            believeClaims(of: peer)
        }
    }

    private static func parseHead(
        of forward: inout Forward, into request: inout RequestHead, _ limits: HeadLimits
    ) {
        var scan = HeadScan()
        let result = request.parse(forward.head, limits: limits, scan: &scan)
        precondition(result == .complete(forward.headCount), "a kept request head changed")
    }

    /// The origin connection of `f` failed: close it, then do what the retry rules say.
    /// - Parameter cause: what is known of it; nil: no more than the failure says.
    mutating func fail(_ f: Handle, _ failure: OriginFailure, _ cause: Cause? = nil) {
        var failure = failure
        if forwards[f].isHeldBack {
            // Nothing has been sent: the answer can still be an honest error.
            forwards[f].isHeldBack = false
            forwards[f].responseStarted = false
            if failure == .truncated { failure = .malformed }
        }
        var reused = false
        if let o = forwards[f].origin {
            reused = origins[o].takenIn != 0
            closeOrigin(o)
            forwards[f].origin = nil
        }
        let server = forwards[f].server
        if failure.concernsAddress, let next = nextAddress(server) {
            // The server's name has more addresses: the next one, before another server.
            addressInUse[server] = next
            if forwards[f].addressesTried < site.servers[server].addresses.count - 1 {
                forwards[f].addressesTried += 1
                connect(f)
                return
            }
        }
        if failure == .notConnected || failure == .connectTimeout {
            counters.didNotConnect(server, now: now.milliseconds)
        }
        let upstream = site.routes[forwards[f].route].upstream
        var tried = forwards[f].tried
        tried.insert(site.servers[server].index)
        let left = !site.upstreams[upstream].balancer.members.isSubset(of: tried)
        let recovery = forwards[f].attempts.on(
            failure, reused: reused, sent: forwards[f].sent, serversLeft: left)
        // An origin may close an idle connection at any moment: that is no failure of its.
        if recovery != .reconnect {
            note(f, cause ?? Cause(failure), isServers: !failure.isOurs)
            if !failure.isOurs { counters.failed(server) }
        }
        if failure.isOurs {
            forwards[f].reason = .pressure
            helpers.note(failure == .noPort ? .ports : .originSockets, now: now.milliseconds)
        }
        switch recovery {
        case .reconnect:
            forwards[f].sent = .nothing
            connect(f)
        case .nextServer:
            forwards[f].tried = tried
            releaseServer(f)
            forwards[f].addressesTried = 0
            forwards[f].sent = .nothing
            connect(f)
        case .answer(let status): giveUp(f, status: status)
        case .abort: abort(f)
        }
    }

    /// No origin has answered: an entry may, or else the client gets this status.
    private mutating func giveUp(_ f: Handle, status: UInt16) {
        guard forwards[f].renewal?.mayIfError == true, forwards[f].client != nil else {
            answerFailure(f, status: status)
            return
        }
        tell(f, .stale)
        // Later: the request may be in the middle of being handled, with others behind it in `inbound`.
        forwards[f].status = status
        deferred.append(f)
    }

    private func nextAddress(_ server: Int) -> Int? {
        let count = site.servers[server].addresses.count
        return count > 1 ? (addressInUse[server] + 1) % count : nil
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
