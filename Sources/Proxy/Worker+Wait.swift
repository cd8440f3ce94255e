internal import Bytes
internal import Caching
internal import Exchange
internal import HTTP
internal import Loop
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
    mutating func reserve(_ f: Handle, waits: Bool) -> Bool {
        guard forwards[f].verdict.mayStore, forwards[f].verdict.mayLookup,
            // What is fetched most needs no lock: what is never stored.
            !board.isWorthless(forwards[f].keyed.reservation, now: now.milliseconds)
        else { return true }
        return ask(f, waits: waits)
    }

    /// As `reserve`, of a key that may be worth waiting for. The request's head is in `request`.
    @inline(never)
    private mutating func ask(_ f: Handle, waits: Bool) -> Bool {
        let waiter = waits ? Reservations.Waiter(thread: Int32(index), token: f.token) : nil
        switch board.ask(forwards[f].keyed.reservation, waiter, now: now.milliseconds) {
        case .reserved:
            forwards[f].holdsReservation = true
            if waits, Self.hasArrived(&forwards[f], store, request, &vary) {
                // Another thread's fetch ended between the lookup and this.
                settle(f, .stored)
                beginWaiting(f)
                board.mailboxes[index].post(
                    WakeUp(exchange: f, hash: forwards[f].keyed.reservation, call: .look))
                return false
            }
        case .busy, .worthless: break
        case .wait:
            beginWaiting(f)
            if let c = forwards[f].client {
                let upstream = site.routes[forwards[f].route].upstream
                let limit = min(Self.longestWait, site.upstreams[upstream].timeouts.response)
                clientTimers.set(id: id(c), deadline: now.milliseconds + limit)
            }
            return false
        }
        return true
    }

    private mutating func beginWaiting(_ f: Handle) {
        forwards[f].isWaiting = true
        forwards[f].waits += 1
    }

    /// Has the store an entry now that it had not when the request was looked up, or one that tells what the
    /// key varies by?
    private static func hasArrived(
        _ forward: inout Forward, _ store: borrowing StoreThread, _ request: borrowing RequestHead,
        _ blob: inout ByteBuffer
    ) -> Bool {
        let hash = forward.keyed.hash
        guard !store.hasNone(hash) else { return false }
        if let view = find(
            store, forward.key, hash, forward.verdict, .identity, request.fields, forward.head),
            view.serial != forward.renewal?.serial, forward.verdict.reach(of: EntryFacts(view.facts)) != .none
        {
            return true
        }
        let variant = ReservedVariant.digest(
            store, forward.key, hash, forward.verdict, request.fields, forward.head, &blob)
        return variant != forward.keyed.variant
    }

    /// Tells those who wait how this one's fetch ended; once.
    @inline(__always)
    mutating func settle(_ f: Handle, _ ending: Reservations.Ending, scope: RefusalScope = .everybody) {
        if forwards[f].holdsReservation { release(f, ending, scope) }
    }

    private mutating func release(_ f: Handle, _ ending: Reservations.Ending, _ scope: RefusalScope) {
        forwards[f].holdsReservation = false
        board.release(forwards[f].keyed.reservation, ending, scope: scope, now: now.milliseconds)
        if ending == .unstorable(remember: true), !scope.variant.isEmpty, forwards[f].keyed.variant == .zero {
            // The others of its variant, once one of the others has been stored.
            let variant = store.hash(scope.variant.span)
            board.remember(forwards[f].keyed.hash.of(variant: variant), now: now.milliseconds)
        }
    }

    /// Tells those who wait for this one's fetch that the answer in `response` over `outbound` is not stored,
    /// or that each of them has to revalidate it.
    mutating func settleUnstorable(_ f: Handle, _ reason: Reason, remember: Bool) {
        guard forwards[f].holdsReservation else { return }
        parseHead(f)
        let scope = Self.scope(
            of: reason, response, outbound, request, &forwards[f], site.routes[forwards[f].route])
        settle(f, .unstorable(remember: remember), scope: scope)
    }

    private static func scope(
        of reason: Reason, _ response: borrowing ResponseHead, _ outbound: borrowing ByteBuffer,
        _ request: borrowing RequestHead, _ forward: inout Forward, _ route: borrowing Site.Route
    ) -> RefusalScope {
        route.rules.scope(of: reason, response, outbound.span, request: request.fields, forward.head)
    }

    /// As `settle`, of an answer that was to be stored.
    /// - Parameter facts: of what was stored, if it was.
    mutating func settleStored(_ f: Handle, _ facts: EntryFacts? = nil) {
        if forwards[f].stored {
            // Who fetched alone, because nobody was to wait for that, has proved the contrary; so has one
            // variant for the key.
            if facts?.isWorthWaitingFor == true {
                let keyed = forwards[f].keyed
                if !forwards[f].holdsReservation { board.forgive(keyed.reservation) }
                if keyed.variant != .zero { board.forgive(keyed.hash) }
            }
            settle(f, .stored)
            return
        }
        switch forwards[f].reason {
        // Somebody changed it while it was fetched: whoever waits must not get this, but may get the next.
        case nil, .invalidated: settle(f, .failed)
        case .some(let reason):
            // `expired` is of a 304 here: the next answer is a whole one, with a lifetime of its own.
            settle(f, .unstorable(remember: reason.liesInAnswer && reason != .expired))
        }
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
        let f = call.exchange
        guard forwards.contains(f), forwards[f].isWaiting, forwards[f].keyed.reservation == call.hash else {
            // It has left or lost its patience: the next one has the reservation.
            if call.call == .fetch { board.release(call.hash, .failed, now: now.milliseconds) }
            return
        }
        switch call.call {
        case .fetch:
            forwards[f].holdsReservation = true
            goOn(f)
        case .alone: placeAnew(f, call.scope)
        case .look: lookAgain(f, .stored)
        }
    }

    /// What it waited for cannot be stored: it goes on alone, or where that does not concern it, takes its
    /// place among its like.
    private mutating func placeAnew(_ f: Handle, _ scope: RefusalScope) {
        parseHead(f)
        switch Self.place(&forwards[f], scope, request, &vary) {
        case .alone: goOn(f)
        case .again, .variant:
            if scope.flags.isEmpty { forwards[f].keyed.variant = store.hash(vary.span) }
            forwards[f].isWaiting = false
            if ask(f, waits: true) { connect(f) }
        }
    }

    private static func place(
        _ forward: inout Forward, _ scope: RefusalScope, _ request: borrowing RequestHead,
        _ blob: inout ByteBuffer
    ) -> RefusalScope.Place {
        guard forward.waits < Reservations.waitLimit else { return .alone }
        return scope.place(of: forward.verdict, request.fields, forward.head, into: &blob)
    }

    /// Fetches after waiting.
    mutating func goOn(_ f: Handle) {
        forwards[f].isWaiting = false
        connect(f)
    }

    /// Takes the exchange's request back and handles it once more, as if it came now. It has no connection to
    /// an origin, and nothing of an answer has been sent.
    mutating func lookAgain(
        _ f: Handle, _ cause: Again.Cause, failure: UInt16 = 502, status: UInt16 = 0
    ) {
        lookAgain(
            f,
            Again(
                cause: cause, forwarding: forwards[f].forwarding, started: forwards[f].started,
                server: forwards[f].server, choice: forwards[f].choice, trouble: forwards[f].trouble,
                failure: failure, status: status,
                waits: forwards[f].waits))
    }

    mutating func lookAgain(_ f: Handle, _ again: Again) {
        let headCount = forwards[f].headCount
        inbound.removeAll()
        Self.takeBack(&forwards[f], into: &inbound)
        let client = forwards[f].client
        forget(f)
        guard let c = client else { return }
        requestOf = .none
        var scan = HeadScan()
        let result = Self.parse(inbound, into: &request, site.headLimits, &scan)
        precondition(result == .complete(headCount), "a kept request head changed")
        clients[c].phase = .idle
        _ = handleRequest(c, headCount: headCount, again: again)
        if clients.contains(c), clients[c].phase == .idle, !clients[c].closing { releaseClient(c) }
    }

    private static func takeBack(_ forward: inout Forward, into bytes: inout ByteBuffer) {
        bytes.append(forward.head)
    }

    /// Revalidates, behind an answer that was given stale, the entry that gave it, unless somebody is at it:
    /// what is not worth waiting for as well. The request's head is in `request` over `inbound`, its key in
    /// `key`.
    mutating func refresh(
        _ h: Handle, route: Int, verdict: RequestVerdict, _ keyed: KeyedRequest, headCount: Int,
        serial: UInt64, _ use: StaleUse
    ) {
        var keyed = keyed
        keyed.variant = Self.variant(store, key, keyed.hash, verdict, request, inbound, &vary)
        guard board.ask(keyed.reservation, nil, now: now.milliseconds) == .reserved else { return }
        let renewal = Self.renewal(of: serial, use, in: store, key, keyed.hash, into: &out)
        let f = makeExchange(
            nil, peer: clients[h].peer.address, route: route, verdict: verdict, .stale, keyed, renewal,
            headCount: headCount, started: now.moment)
        forwards[f].holdsReservation = true
        connect(f)
    }
}
