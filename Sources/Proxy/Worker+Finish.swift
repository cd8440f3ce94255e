internal import Bytes
internal import Caching
internal import Exchange
internal import HTTP
internal import Kernel
internal import Loop
internal import Settings
internal import Store

/// How exchanges and connections end.
extension Worker {
    /// The answer is complete and queued: commit, keep or close the origin's connection, let the client go
    /// on.
    mutating func finish(_ f: Handle) {
        if forwards[f].fill != nil { commitFill(f) }
        commitVariant(f)
        if let o = forwards[f].origin {
            forwards[f].origin = nil
            if forwards[f].reusable, forwards[f].requestBody.isComplete, !forwards[f].isTunnel {
                park(o)
            } else {
                closeOrigin(o)
            }
        }
        logForward(f)
        let client = forwards[f].client
        if let c = client, !forwards[f].requestBody.isComplete || forwards[f].framing == .untilClose {
            // A request that was answered early is not read to its end; a body that the close ends, ends now.
            clients[c].closing = true
            clients[c].lingers = !forwards[f].requestBody.isComplete
        } else if let c = client {
            clients[c].lingers = false
        }
        forget(f)
        if let c = client { releaseClient(c) }
    }

    /// Forgets the exchange. Its connections are dealt with already.
    mutating func forget(_ f: Handle) {
        settle(f, .failed)
        dropFill(f)
        releaseServer(f)
        dropRecoder(f)
        _ = forwards.remove(f)
    }

    /// The client has its answer: the next request, or the end.
    mutating func releaseClient(_ c: Handle) {
        clients[c].phase = .idle
        if clients[c].closing {
            finishClient(c)
            return
        }
        rest(c)
        if clients[c].channel.readable || clients[c].channel.hasInput {
            deferClient(c)
        } else if isDraining {
            finishClient(c)
        }
    }

    /// Keeps the origin's connection for the next request.
    mutating func park(_ o: Handle) {
        // Something unread after the answer's end: closed, or unasked-for bytes.
        guard !origins[o].channel.readable, !origins[o].channel.ending, !origins[o].channel.ended,
            origins[o].channel.isFlushed, !isDraining
        else {
            closeOrigin(o)
            return
        }
        let server = origins[o].server
        origins[o].phase = .idle
        originTimers.set(
            id: id(o), deadline: now.milliseconds + site.upstreams[site.servers[server].upstream].idleTimeout)
        if let surplus = pools[server].put(o.token) { closeOrigin(Handle(token: surplus)) }
    }

    /// An idle connection that closed, spoke unasked or grew too old.
    mutating func discardIdle(_ o: Handle) {
        pools[origins[o].server].remove(o.token)
        closeOrigin(o)
    }

    mutating func closeOrigin(_ o: Handle) {
        originTimers.cancel(id(o))
        _ = origins.remove(o)
    }

    /// The answer cannot be completed: the client's connection ends so that nobody takes it for whole.
    mutating func abort(_ f: Handle) {
        if let o = forwards[f].origin {
            forwards[f].origin = nil
            closeOrigin(o)
        }
        let client = forwards[f].client
        let reset = forwards[f].framing == .untilClose && !forwards[f].isTunnel
        logForward(f)
        forget(f)
        guard let c = client else { return }
        if reset {
            // A clean close would look like the end of the body; so would the shutdown that begins a linger.
            clients[c].channel.socket.setLingerReset()
            closeClientNow(c)
            return
        }
        clients[c].phase = .idle
        clients[c].lingers = false
        finishClient(c)
    }

    /// The client is gone. A fetch whose answer is on its way into the store, or may be, goes on without it.
    mutating func dropClient(_ c: Handle) {
        if case .exchange(let f) = clients[c].phase {
            // Known to all who read logs, thanks to nginx: it left before an answer came.
            if forwards[f].status == 0 { forwards[f].status = 499 }
            logForward(f)
            forwards[f].client = nil
            stopDecoding(f)
            let mayBeStored = forwards[f].holdsReservation && !forwards[f].responseStarted
            if forwards[f].fill == nil, !mayBeStored {
                abort(f)
            } else if let o = forwards[f].origin, origins[o].channel.readable {
                // Reading may have waited for this client, and no event will come for what is there already.
                deferOrigin(o)
            }
        }
        closeClientNow(c)
    }

    /// Closes a client's connection when everything is sent, with a linger where input may still be on its
    /// way.
    mutating func closeClient(_ c: Handle) {
        let unread = clients[c].lingers || clients[c].channel.readable || clients[c].channel.hasInput
        if unread, clients[c].phase != .lingering, !clients[c].channel.ended {
            clients[c].phase = .lingering
            clients[c].channel.socket.shutdownWrite()
            clients[c].channel.dropInput()
            clientTimers.set(id: id(c), deadline: now.milliseconds + site.lingerTimeout)
            if clients[c].channel.readable { deferClient(c) }
            return
        }
        closeClientNow(c)
    }

    mutating func closeClientNow(_ c: Handle) {
        clientTimers.cancel(id(c))
        // What is not sent is lost: a clean close would let an answer that the close ends look whole.
        if !clients[c].channel.isFlushed { clients[c].channel.socket.setLingerReset() }
        _ = clients.remove(c)
    }

    // MARK: The store

    /// Starts collecting the body for the store. The head is at the front of `outbound`.
    mutating func beginFill(_ f: Handle, _ facts: EntryFacts, headCount: Int) {
        var capacity = 4 * 1024
        if case .length(let n) = response.framing { capacity = Int(n) }
        guard fillBytes + capacity <= site.fillLimit else {
            forwards[f].reason = .pressure
            settleStored(f)
            return
        }
        fillBytes += capacity
        var head = ByteBuffer(capacity: headCount)
        head.append(outbound.span.extracting(first: headCount))
        forwards[f].fill = Fill(head: consume head, body: ByteBuffer(capacity: capacity), facts: facts)
    }

    /// Adds body bytes of `outbound` to the fill, or gives it up when they are too many.
    mutating func fill(_ f: Handle, _ range: Range<Int>) {
        guard var fill = forwards[f].fill.take() else { return }
        let before = fill.body.capacity
        let count = fill.body.count + range.count
        let limit = site.routes[forwards[f].route].rules.maxBodyBytes
        if count > limit || fillBytes + max(0, count - before) > site.fillLimit {
            fillBytes -= before
            forwards[f].reason = count > limit ? .tooLarge : .pressure
            settleStored(f)
            return
        }
        fill.body.append(outbound.span.extracting(range))
        fillBytes += fill.body.capacity - before
        forwards[f].fill = consume fill
    }

    private mutating func dropFill(_ f: Handle) {
        if let fill = forwards[f].fill.take() { fillBytes -= fill.body.capacity }
    }

    /// The body is complete: the entry is committed whole. Apart from its caller, which has mostly nothing to
    /// commit: the taken fill goes through a box on the heap, made at entry.
    @inline(never)
    private mutating func commitFill(_ f: Handle) {
        guard let fill = forwards[f].fill.take() else { return }
        fillBytes -= fill.body.capacity
        guard !forwards[f].responseBody.sawTrailers else {
            forwards[f].reason = .trailers
            settleStored(f)
            return
        }
        parseHead(f)
        var scan = HeadScan()
        let result = response.parse(
            fill.head.span, limits: site.answerLimits, scan: &scan, requestMethod: forwards[f].method)
        precondition(result == .complete(fill.head.count), "a kept response head changed")
        Self.commit(
            &forwards[f], into: &store, fill.facts, site.routes[forwards[f].route].rules, request, response,
            head: fill.head, body: fill.body, 0..<fill.body.count, &storedHead, &vary, now.times)
        settleStored(f, fill.facts)
    }

    /// Stores an answer whose body is complete; `response` is parsed over `head`, `request` over the
    /// exchange's head.
    static func commit(
        _ forward: inout Forward, into store: inout StoreThread, _ facts: EntryFacts, _ rules: Rules,
        _ request: borrowing RequestHead, _ response: borrowing ResponseHead, head: borrowing ByteBuffer,
        body: borrowing ByteBuffer, _ range: Range<Int>, _ storedHead: inout ByteBuffer,
        _ vary: inout ByteBuffer, _ now: Times
    ) {
        vary.removeAll()
        let refusal =
            writeStored(
                response, head, bodyCount: range.count, facts.received, limit: rules.maxHeadBytes,
                facts.flags.contains(.compressible) ? .varies : .none, into: &storedHead)
            ?? rules.writeVary(response, head.span, request: request.fields, forward.head, into: &vary)
        if let refusal {
            forward.reason = refusal
            return
        }
        let nowSeconds = UInt32(clamping: now.wallSeconds)
        let serial = store.newSerial()
        let outcome = store.insert(
            key: forward.key, hash: forward.keyed.hash,
            variant: .original(coding: facts.coding.rawValue, serial: serial),
            claims: forward.claims, facts: facts.record, vary: vary.span, head: storedHead.span,
            body: body.span.extracting(range), expires: facts.expirySeconds, now: nowSeconds,
            stamp: forward.stamp)
        switch outcome {
        case .stored:
            forward.stored = true
            forward.serial = serial
        case .invalidated: forward.reason = .invalidated
        case .pressure: forward.reason = .pressure
        case .tooLarge: forward.reason = .tooLarge
        }
    }

    /// An unsafe method succeeded: what it names is no longer what the store holds (RFC 9111 §4.4). The
    /// answer is in `response` over `outbound`, the request in `request`.
    mutating func invalidate(_ f: Handle) {
        parseHead(f)
        let bans = Self.invalidate(
            &forwards[f], site.routes[forwards[f].route].rules, request, response, outbound, &key, &store)
        if bans > 0 { _ = helpers.request(.sweep) }
    }

    private static func invalidate(
        _ forward: inout Forward, _ rules: Rules, _ request: borrowing RequestHead,
        _ response: borrowing ResponseHead,
        _ outbound: borrowing ByteBuffer, _ key: inout ByteBuffer, _ store: inout StoreThread
    ) -> Int {
        var scopes: [PurgeScope] = []
        let scheme = forward.keyed.scheme
        if case .key = rules.writeKey(request, forward.head, scheme: scheme, into: &key) {
            store.invalidate(key: key.span, hash: store.hash(key.span))
            scopes = CacheGroups.invalidated(
                by: response, outbound.span, method: request.method, key: key.span)
        }
        for name in [FieldName.location, .contentLocation] {
            guard let field = response.fields.first(name) else { continue }
            let verdict = rules.writeKey(
                ofReference: outbound.span.slice(field.value), request, forward.head, scheme: scheme,
                into: &key)
            if case .key = verdict { store.invalidate(key: key.span, hash: store.hash(key.span)) }
        }
        for scope in scopes { store.ban(scope, soft: false) }
        return scopes.count
    }

    // MARK: Draining

    /// What the doorbell was rung for: INT stops at once, TERM lets what is under way end.
    mutating func obey(_ command: WorkerCommand) {
        guard command == .drain, !isDraining else { return }
        for index in listeners.indices { acceptAll(index, atMost: site.connectionLimit) }
        for slot in listeners { poller.remove(slot.listener.raw) }
        // Whoever comes now is refused by the kernel, instead of waiting in a queue that nobody empties.
        listeners.removeAll()
        isDraining = true
        drainDeadline = now.milliseconds + site.drain
        var position = 0
        while let h = clients.next(from: &position) {
            // One that never asked anything gets its first answer, within the time for a head.
            guard clients[h].phase == .idle, !clients[h].headStarted, clients[h].served else { continue }
            guard clients[h].channel.isFlushed else {
                clients[h].closing = true
                continue
            }
            // A request that has come already is answered, and ends the connection; without one it ends now.
            clients[h].channel.readable = true
            advanceClient(h)
            if clients.contains(h) { endIfResting(h) }
        }
    }

    /// Ends a client's connection that has nothing under way.
    private mutating func endIfResting(_ h: Handle) {
        guard clients[h].phase == .idle, !clients[h].headStarted, clients[h].channel.isFlushed,
            !clients[h].channel.readable, !clients[h].channel.hasInput
        else { return }
        closeClientNow(h)
    }

    /// Is nothing left to do, or the time to do it over?
    func shouldStop() -> Bool {
        switch bell.command {
        case .run: return false
        case .stop: return true
        case .drain:
            guard isDraining else { return false }
            return clients.count == 0 && forwards.count == 0 || now.milliseconds >= drainDeadline
        }
    }
}
