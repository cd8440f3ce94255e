internal import Balancing
internal import Bytes
internal import Caching
internal import HTTP
internal import Kernel
internal import Loop
internal import Machines
internal import Settings
internal import Store

/// One request: its route, what the cache may do with it, its key; then an answer from the store, or an
/// exchange with an origin.
extension Worker {
    /// Handles the request at the front of `inbound`, whose head is in `request`, and drops that head.
    /// - Returns: is the answer composed, and the rest left to `sendComposed`?
    mutating func handleRequest(_ h: Handle<Client>, headCount: Int) -> Bool {
        let isClosing = !scratch.request.keepAlive || endsConnections
        guard let judged = judgeRequest(h, headCount: headCount, isClosing: isClosing) else { return false }
        var isAbsent = false
        if judged.verdict.isPlain {
            switch answerPlainly(h, judged, headCount: headCount, isClosing: isClosing) {
            case .composed: return true
            case .answered: return false
            case .absent: isAbsent = true
            case .unclear: break
            }
        }
        answerOrForward(h, judged, headCount: headCount, isAbsent: isAbsent)
        return false
    }

    /// As `handleRequest`, of a request that was looked up before.
    /// - Parameter again: what has happened since.
    mutating func handleAgain(_ h: Handle<Client>, headCount: Int, _ again: Again) {
        let isClosing = !scratch.request.keepAlive || endsConnections
        guard let judged = judgeRequest(h, headCount: headCount, isClosing: isClosing) else { return }
        var context = RequestContext(
            of: h, judged, headCount: headCount, started: again.started, again)
        lookUpOrForward(&context)
    }

    /// Finds the request's route, its key, and what the cache may do with it.
    /// - Returns: nil where it is answered: it is refused, or the answer is Larder's own.
    @inline(__always)
    private mutating func judgeRequest(
        _ h: Handle<Client>, headCount: Int, isClosing: Bool
    ) -> JudgedRequest? {
        if isClosing { clients[h].closing = true }
        if scratch.request.framing != .none { clients[h].lingers = true }
        if scratch.request.fields.contains(.cdnLoop),
            site.forwardingFields.hasSent(scratch.request, scratch.inbound.span)
        {
            // Before it could wait for the answer to itself.
            answer(h, .loop, headCount: headCount)
            return nil
        }
        if scratch.request.form == .absolute, isMisdirected(h) {
            answer(h, .misdirected, headCount: headCount)
            return nil
        }
        if scratch.request.method == .options, concludeOptions() {
            answer(h, .options, headCount: headCount)
            return nil
        }
        if case .length(let n) = scratch.request.framing, n > site.requestBodyLimit {
            answer(h, .refused(.bodyTooLarge), headCount: headCount)
            return nil
        }
        let found =
            site.table.firstMatchesAll
            ? 0
            : site.table.route(
                host: scratch.request.host(in: scratch.inbound.span),
                path: scratch.inbound.span.slice(scratch.request.path))
        guard let route = found else {
            answer(h, .noRoute, headCount: headCount)
            return nil
        }
        if !site.routes[route].methods.isOpen(to: scratch.request.method),
            let refusal = admit(h, route: route)
        {
            answer(h, refusal, headCount: headCount)
            return nil
        }
        var keyed = KeyedRequest()
        var isKeyed = true
        if scratch.request.fields.containsAny(of: ForwardingFields.claims) {
            believeClaims(of: clients[h].peer.address)
            if !scratch.request.fields.trustsClaims, failures.wantsStrangers {
                noteStranger(clients[h].peer.address)
            }
            let told = site.forwardingFields.told(
                scratch.request, scratch.inbound.span, peer: clients[h].peer.address)
            keyed.scheme = told.scheme
            isKeyed = told.isKeyed
        }
        var verdict = Self.judge(site.routes[route], scratch.request, scratch.inbound)
        if !isKeyed, verdict.mayLookup { verdict.bypass(.unkeyed) }
        switch Self.writeKey(
            site.routes[route], scratch.request, scratch.inbound, keyed.scheme, into: &scratch.key)
        {
        case .key(let routingStart, let targetStart):
            keyed.routingStart = routingStart
            keyed.targetStart = targetStart
            keyed.hash = store.hash(scratch.key.span)
        case .refused(let reason):
            verdict.bypass(reason)
            scratch.key.removeAll()
        }
        return JudgedRequest(route: route, verdict: verdict, keyed: keyed)
    }

    /// What is claimed in the head at hand is believed if it comes from a trusted proxy.
    @inline(never)
    mutating func believeClaims(of peer: SocketAddress) {
        scratch.request.fields.trustsClaims = site.forwardingFields.trusts(peer)
    }

    /// An untrusted client sent the head at hand, with claims in it: worth a notice, if it is the first time.
    @inline(never)
    private mutating func noteStranger(_ address: SocketAddress) {
        let peer = PeerSet.Peer(address)
        guard peer != lastStranger else { return }
        lastStranger = peer
        for index in 0..<scratch.request.fields.count
        where ForwardingFields.claims.contains(scratch.request.fields.id(of: index)) {
            let field = scratch.inbound.span.slice(scratch.request.fields[index].name).string
            return failures.note(stranger: peer, field: field)
        }
    }

    /// Does the target name another scheme than the one that the request came by (RFC 9110 §7.4)?
    @inline(never)
    private func isMisdirected(_ h: Handle<Client>) -> Bool {
        let told = site.forwardingFields.told(
            scratch.request, scratch.inbound.span, peer: clients[h].peer.address)
        return scratch.request.schemeIsHTTPS != (told.scheme == .https)
    }

    /// A method that is not open to anybody: may this client send it? Where it purges, what is stored goes
    /// now, so that nobody gets it while the tier is asked; and once more when the tier has answered.
    /// - Returns: the answer where it may not.
    @inline(never)
    private mutating func admit(_ h: Handle<Client>, route: Int) -> LocalAnswer? {
        let clients = site.forwardingFields.clients(
            of: scratch.request, scratch.inbound.span, peer: clients[h].peer.address)
        switch site.routes[route].methods.judge(
            scratch.inbound.span.slice(scratch.request.methodName), from: clients)
        {
        case .pass: return nil
        case .purge:
            Self.purge(site.routes[route], scratch.request, scratch.inbound, &scratch.key, &store)
            return nil
        case .notAllowed: return .notAllowed(route: route)
        case .forbidden: return .forbidden
        }
    }

    /// Does the OPTIONS request at hand ask after Larder itself (RFC 9110 §9.3.7), or may it go no further?
    @inline(never)
    private mutating func concludeOptions() -> Bool {
        // `*`, or its absolute-form (RFC 9112 §3.2.4).
        if scratch.request.path.isEmpty, !scratch.request.hasQuery { return true }
        return !scratch.request.decrementMaxForwards(in: &scratch.inbound)
    }

    /// Goes on with a request that is judged and has its key: from the store, or else to an origin.
    /// - Parameter isAbsent: the store is known to have nothing for the request.
    @inline(never)
    private mutating func answerOrForward(
        _ h: Handle<Client>, _ judged: JudgedRequest, headCount: Int, isAbsent: Bool
    ) {
        var context = RequestContext(of: h, judged, headCount: headCount, started: now.moment, nil)
        if isAbsent { beginExchange(context, .miss, nil) } else { lookUpOrForward(&context) }
    }

    @inline(never)
    private mutating func lookUpOrForward(_ context: inout RequestContext) {
        var forwardReason = ForwardReason.bypass
        var renewal: Renewal?
        if context.verdict.mayLookup {
            switch answerFromStore(&context) {
            case nil: return
            case .absent: forwardReason = .miss
            case .stale(let stale):
                forwardReason = .stale
                renewal = stale
            case .refresh(let reason, let fresh):
                forwardReason = .request
                renewal = fresh
                context.verdict.reason = context.verdict.reason ?? reason
            case .refused(let reason): context.verdict.bypass(reason)
            }
        }
        if let again = context.again, again.cause == .failed {
            // The entry that was to answer in place of an error is gone.
            let failure = LocalAnswer(status: again.failure, cause: again.trouble.cause)
            answer(context.client, failure, headCount: context.headCount)
            return
        }
        if context.verdict.flags.contains(.onlyIfCached) {
            answer(context.client, .onlyIfCached, headCount: context.headCount)
            return
        }
        if context.verdict.mayStore, context.verdict.mayLookup { noteVariant(&context) }
        if context.verdict.flags.contains(.conditional),
            context.verdict.mayForwardCondition(
                hasEntry: renewal != nil,
                isHitForMiss: board.isHitForMiss(context.keyed.reservation, now: now.milliseconds))
        {
            context.verdict.forwardCondition()
        }
        beginExchange(context, forwardReason, renewal)
    }

    /// Looks up which variant of its key the request belongs to.
    mutating func noteVariant(_ context: inout RequestContext) {
        context.keyed.variant = Self.variant(
            store, scratch.key, context.keyed.hash, context.verdict, scratch.request, scratch.inbound,
            &scratch.vary)
    }

    private static func variant(
        _ store: borrowing StoreThread, _ key: borrowing ByteBuffer, _ hash: Hash128,
        _ verdict: RequestVerdict, _ request: borrowing RequestHead, _ bytes: borrowing ByteBuffer,
        _ blob: inout ByteBuffer
    ) -> Hash128 {
        ReservedVariant.digest(store, key.span, hash, verdict, request.fields, bytes.span, &blob)
    }

    @inline(__always)
    private static func judge(
        _ route: borrowing Site.Route, _ request: borrowing RequestHead, _ bytes: borrowing ByteBuffer
    ) -> RequestVerdict {
        var verdict = route.rules.judge(request, bytes.span)
        if !route.caches { verdict.bypass(nil) }
        return verdict
    }

    private static func writeKey(
        _ route: borrowing Site.Route, _ request: borrowing RequestHead, _ bytes: borrowing ByteBuffer,
        _ scheme: Scheme, into key: inout ByteBuffer
    ) -> KeyVerdict { route.rules.writeKey(request, bytes.span, scheme: scheme, into: &key) }
}
