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
/// origin. The hashes of a request and where the parts of its key begin. All zero for a request without a
/// key.
package struct KeyedRequest: BitwiseCopyable, Sendable {
    var hash = Hash128(low: 0, high: 0)
    /// Of the variant that the request belongs to; zero where none is known (`ReservedVariant`).
    var variant = Hash128(low: 0, high: 0)
    var routingStart = 0
    var targetStart = 0
    var scheme = Scheme.http

    /// What is reserved for a fetch: the key, or its variant.
    var reservation: Hash128 { hash.of(variant: variant) }
}

extension Worker {
    /// Handles the request at the front of `inbound`, whose head is in `request`, and drops that head.
    /// - Parameter again: it was looked up before, and this has happened since.
    /// - Returns: is the answer composed, and the rest left to `sendComposed`? Not of what is handled again.
    mutating func handleRequest(_ h: Handle<Client>, headCount: Int, again: Again? = nil) -> Bool {
        if !scratch.request.keepAlive || endsConnections { clients[h].closing = true }
        if scratch.request.framing != .none { clients[h].lingers = true }
        if scratch.request.fields.contains(.cdnLoop),
            site.forwardingFields.hasSent(scratch.request, scratch.inbound.span)
        {
            // Before it could wait for the answer to itself.
            answer(h, .loop, headCount: headCount)
            return false
        }
        if scratch.request.form == .absolute, isMisdirected(h) {
            answer(h, .misdirected, headCount: headCount)
            return false
        }
        if scratch.request.method == .options, concludeOptions() {
            answer(h, .options, headCount: headCount)
            return false
        }
        if case .length(let n) = scratch.request.framing, n > site.requestBodyLimit {
            answer(h, .refused(.bodyTooLarge), headCount: headCount)
            return false
        }
        let found =
            site.table.firstMatchesAll
            ? 0
            : site.table.route(
                host: scratch.request.host(in: scratch.inbound.span),
                path: scratch.inbound.span.slice(scratch.request.path))
        guard let route = found else {
            answer(h, .noRoute, headCount: headCount)
            return false
        }
        if !site.routes[route].methods.isOpen(to: scratch.request.method),
            let refusal = admit(h, route: route)
        {
            answer(h, refusal, headCount: headCount)
            return false
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
        var plain = PlainAnswer.unclear
        if verdict.isPlain, again == nil {
            plain = answerPlainly(h, route: route, verdict: verdict, keyed, headCount: headCount)
            if plain == .composed { return true }
            if plain == .answered { return false }
        }
        answerOrForward(
            h, route: route, verdict: verdict, keyed, isAbsent: plain == .absent, headCount: headCount,
            again: again)
        return false
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
    /// - Parameter isAbsent: the store is known to have nothing for it, which is plain.
    @inline(never)
    private mutating func answerOrForward(
        _ h: Handle<Client>, route: Int, verdict: RequestVerdict, _ keyed: KeyedRequest, isAbsent: Bool,
        headCount: Int, again: Again?
    ) {
        if isAbsent {
            beginExchange(
                h, route: route, verdict: verdict, .miss, keyed, nil, headCount: headCount, again: nil)
        } else {
            lookUpOrForward(h, route: route, verdict: verdict, keyed, headCount: headCount, again: again)
        }
    }

    @inline(never)
    private mutating func lookUpOrForward(
        _ h: Handle<Client>, route: Int, verdict: RequestVerdict, _ keyed: KeyedRequest, headCount: Int,
        again: Again?
    ) {
        var verdict = verdict
        var keyed = keyed
        var forwardReason = ForwardReason.bypass
        var renewal: Renewal?
        if verdict.mayLookup {
            let found = answerFromStore(
                h, route: route, verdict: verdict, keyed, headCount: headCount, again: again)
            switch found {
            case nil: return
            case .absent: forwardReason = .miss
            case .stale(let stale):
                forwardReason = .stale
                renewal = stale
            case .refresh(let reason, let fresh):
                forwardReason = .request
                renewal = fresh
                verdict.reason = verdict.reason ?? reason
            case .refused(let reason):
                verdict.bypass(reason)
            }
        }
        if let again, again.cause == .failed {
            // What was to answer instead of the origin is gone.
            answer(
                h, LocalAnswer(status: again.failure, cause: again.trouble.cause), headCount: headCount)
            return
        }
        if verdict.flags.contains(.onlyIfCached) {
            answer(h, .onlyIfCached, headCount: headCount)
            return
        }
        if verdict.mayStore, verdict.mayLookup {
            keyed.variant = Self.variant(
                store, scratch.key, keyed.hash, verdict, scratch.request, scratch.inbound, &scratch.vary)
        }
        if verdict.flags.contains(.conditional), verdict.mayStore, renewal == nil,
            board.isHitForMiss(keyed.reservation, now: now.milliseconds)
        {
            // Nothing to fetch the whole for: the origin answers the client's own condition.
            verdict.mayStore = false
            verdict.reason = .conditional
        }
        beginExchange(
            h, route: route, verdict: verdict, forwardReason, keyed, renewal, headCount: headCount,
            again: again)
    }

    static func variant(
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
