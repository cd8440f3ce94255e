internal import Bytes
internal import Caching
internal import HTTP
internal import Loop
internal import Machines
internal import Store

/// One fetch a key: reservations, those who wait for another's fetch, and requests that are looked up again.
///
/// Where the store knows what the key varies by, it is one fetch a variant. Before that all wait for the
/// first; a request whose own variant has not come then takes its place in a reservation of that.
///
/// An exchange that waits has sent nothing and chosen no server. What it is told comes by the thread's
/// mailbox; its own deadline runs on its client's timer. It never reads a half-fetched body: it looks up
/// again.
extension Worker {
    /// The longest that one waits for another's fetch; less where the origin has less time to answer.
    private static var longestWait: UInt64 { 10_000 }

    /// Asks for the right to fetch, where the answer may be stored. False: it waits, until it is called or
    /// its time is up.
    @inline(__always)
    mutating func reserve(_ x: Handle<Exchange>, waits: Bool) -> Bool {
        guard exchanges[x].verdict.mayStore, exchanges[x].verdict.mayLookup,
            // What is fetched most needs no lock: what is never stored.
            !board.isHitForMiss(exchanges[x].keyed.reservation, now: now.milliseconds)
        else { return true }
        return ask(x, waits: waits)
    }

    /// As `reserve`, of a key that may be worth waiting for. The request's head is in `request`.
    @inline(never)
    private mutating func ask(_ x: Handle<Exchange>, waits: Bool) -> Bool {
        let waiter = waits ? Reservations.Waiter(thread: Int32(index), token: x.token) : nil
        switch board.ask(exchanges[x].keyed.reservation, waiter, now: now.milliseconds) {
        case .reserved:
            exchanges[x].machine.takeReservation()
            if waits, Self.hasArrived(&exchanges[x], store, scratch.request, &scratch.vary) {
                // Another thread's fetch ended between the lookup and this.
                endReservation(x, .stored)
                exchanges[x].machine.wait()
                board.mailboxes[index].post(
                    WakeUp(exchange: x, hash: exchanges[x].keyed.reservation, call: .look))
                return false
            }
        case .busy, .hitForMiss: break
        case .wait:
            exchanges[x].machine.wait()
            if exchanges[x].client != nil {
                let upstream = site.routes[exchanges[x].route].upstream
                let limit = min(Self.longestWait, site.upstreams[upstream].timeouts.response)
                exchanges.setDeadline(x, at: now.milliseconds + limit)
            }
            return false
        }
        return true
    }

    /// Has the store an entry now that it had not when the request was looked up, or one that tells what the
    /// key varies by?
    private static func hasArrived(
        _ exchange: inout Exchange, _ store: borrowing StoreThread, _ request: borrowing RequestHead,
        _ blob: inout ByteBuffer
    ) -> Bool {
        let hash = exchange.keyed.hash
        guard !store.hasNone(hash) else { return false }
        if let view = StoreFinding.newest(
            exchange.lookup(exchange.fetch.sentAt), in: store, preferring: .identity, request.fields),
            view.serial != exchange.fetch.renewal?.serial,
            exchange.verdict.reach(of: EntryFacts(view.facts)) != .none
        {
            return true
        }
        let variant = ReservedVariant.digest(
            store, exchange.key, hash, exchange.verdict, request.fields, exchange.head, &blob)
        return variant != exchange.keyed.variant
    }

    /// Tells those who wait how this one's fetch ended; once.
    @inline(__always)
    mutating func endReservation(
        _ x: Handle<Exchange>, _ ending: Reservations.Ending, scope: RefusalScope = .everybody
    ) {
        if exchanges[x].machine.giveReservation() { release(x, ending, scope) }
    }

    private mutating func release(_ x: Handle<Exchange>, _ ending: Reservations.Ending, _ scope: RefusalScope)
    {
        board.release(exchanges[x].keyed.reservation, ending, scope: scope, now: now.milliseconds)
        if ending == .unstorable(remember: true), !scope.variant.isEmpty, exchanges[x].keyed.variant == .zero
        {
            // The others of its variant, once one of the others has been stored.
            let variant = store.hash(scope.variant.span)
            board.remember(exchanges[x].keyed.hash.of(variant: variant), now: now.milliseconds)
        }
    }

    /// As `endReservation`, where the response in `response` over `outbound` may not be stored for this
    /// `reason`, or each waiting request has to revalidate it.
    mutating func endReservation(
        _ x: Handle<Exchange>, _ ending: Reservations.Ending, refusing reason: Reason
    ) {
        guard exchanges[x].machine.holdsReservation else { return }
        var scope = RefusalScope.everybody
        if case .unstorable = ending {
            parseHead(x)
            scope = Self.scope(
                of: reason, scratch.response, scratch.outbound, scratch.request, &exchanges[x],
                site.routes[exchanges[x].route])
        }
        endReservation(x, ending, scope: scope)
    }

    private static func scope(
        of reason: Reason, _ response: borrowing ResponseHead, _ outbound: borrowing ByteBuffer,
        _ request: borrowing RequestHead, _ exchange: inout Exchange, _ route: borrowing Site.Route
    ) -> RefusalScope {
        route.rules.scope(of: reason, response, outbound.span, request: request.fields, exchange.head)
    }

    /// As `endReservation`, where the response was to be stored.
    /// - Parameter facts: what was stored, if it was.
    mutating func endReservationAfterCommit(_ x: Handle<Exchange>, _ facts: EntryFacts? = nil) {
        let keyed = exchanges[x].keyed
        let effect = CommitEffect(
            stored: exchanges[x].outcome.isStored ? facts : nil, exchanges[x].outcome.reason,
            holdsReservation: exchanges[x].machine.holdsReservation, isVariant: keyed.variant != .zero)
        if effect.clearsReservationMark { board.clearHitForMiss(keyed.reservation) }
        if effect.clearsKeyMark { board.clearHitForMiss(keyed.hash) }
        endReservation(x, effect.ending)
    }

    /// The mailbox's doorbell has rung.
    mutating func answerCalls() {
        board.mailboxes[index].doorbell.answer()
        var calls: [WakeUp] = []
        swap(&calls, &wakeUps)
        board.mailboxes[index].collect(into: &calls)
        for call in calls { answer(call) }
        swap(&calls, &wakeUps)
        answerRoomRequests()
    }

    private mutating func answer(_ call: WakeUp) {
        let x = call.exchange
        guard exchanges.contains(x), exchanges[x].machine.isWaiting,
            exchanges[x].keyed.reservation == call.hash
        else {
            // It has left or lost its patience: the next one has the reservation.
            if call.call == .fetch { board.release(call.hash, .failed, now: now.milliseconds) }
            return
        }
        switch call.call {
        case .fetch:
            exchanges[x].machine.takeReservation()
            goOn(x)
        case .alone: placeAnew(x, call.scope)
        case .look: lookAgain(x, .stored)
        }
    }

    /// What it waited for cannot be stored: it goes on alone, or where that does not concern it, takes its
    /// place among its like.
    private mutating func placeAnew(_ x: Handle<Exchange>, _ scope: RefusalScope) {
        parseHead(x)
        switch Self.place(&exchanges[x], scope, scratch.request, &scratch.vary) {
        case .alone: goOn(x)
        case .again, .variant:
            if scope.flags.isEmpty { exchanges[x].keyed.variant = store.hash(scratch.vary.span) }
            if ask(x, waits: true) { connect(x) }
        }
    }

    private static func place(
        _ exchange: inout Exchange, _ scope: RefusalScope, _ request: borrowing RequestHead,
        _ blob: inout ByteBuffer
    ) -> RefusalScope.Place {
        guard exchange.machine.mayWait else { return .alone }
        return scope.place(of: exchange.verdict, request.fields, exchange.head, into: &blob)
    }

    /// Fetches after waiting.
    mutating func goOn(_ x: Handle<Exchange>) {
        exchanges.cancelDeadline(x)
        connect(x)
    }

    /// Takes the exchange's request back and handles it once more, as if it came now. It has no connection to
    /// an origin, and nothing of an answer has been sent.
    mutating func lookAgain(
        _ x: Handle<Exchange>, _ cause: LookupCause, failure: UInt16 = 502, status: UInt16 = 0
    ) {
        lookAgain(
            x,
            Again(
                cause: cause, forwardReason: exchanges[x].fetch.forwardReason, started: exchanges[x].started,
                server: exchanges[x].fetch.server, choice: exchanges[x].fetch.choice,
                trouble: exchanges[x].outcome.trouble,
                failure: failure, status: status,
                waits: exchanges[x].machine.waits))
    }

    mutating func lookAgain(_ x: Handle<Exchange>, _ again: Again) {
        let headCount = exchanges[x].headCount
        scratch.inbound.removeAll()
        Self.takeBack(&exchanges[x], into: &scratch.inbound)
        let client = exchanges[x].client
        forget(x)
        guard let c = client else { return }
        scratch.requestOf = .none
        var scan = HeadScan()
        let result = Self.parse(scratch.inbound, into: &scratch.request, site.headLimits, &scan)
        precondition(result == .complete(headCount), "a kept request head changed")
        clients[c].phase = .idle
        handleAgain(c, headCount: headCount, again)
        if clients.contains(c), clients[c].phase == .idle, !clients[c].closing { releaseClient(c) }
    }

    private static func takeBack(_ exchange: inout Exchange, into bytes: inout ByteBuffer) {
        bytes.append(exchange.head)
    }

    /// Revalidates, behind an answer that was given stale, the entry that gave it, unless somebody is at it:
    /// what is not worth waiting for as well. The request's head is in `request` over `inbound`, its key in
    /// `key`.
    mutating func refresh(_ context: inout RequestContext, _ serial: UInt64, _ use: StaleUse) {
        noteVariant(&context)
        let keyed = context.keyed
        guard board.ask(keyed.reservation, nil, now: now.milliseconds) == .reserved else { return }
        let renewal = Self.renewal(of: serial, use, in: store, scratch.key, keyed.hash, &scratch.out)
        let peer = clients[context.client].peer.address
        let x = makeExchange(context, of: nil, peer: peer, .stale, renewal)
        exchanges[x].machine.takeReservation()
        connect(x)
    }

    private static func renewal(
        of serial: UInt64, _ use: StaleUse, in store: borrowing StoreThread, _ key: borrowing ByteBuffer,
        _ hash: Hash128, _ out: inout ByteBuffer
    ) -> Renewal {
        Renewal(of: serial, use, in: store, key: key.span, hash, conditionsInto: &out)
    }
}
