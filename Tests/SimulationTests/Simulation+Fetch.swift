/// A request on its way to the origin: reservation, connection, failure, and what waits for it
/// (`Worker+Forward`, `Worker+Wait`).
import Bytes
import Caching
import Machines
import HTTP
import Kernel
import DataPlane
import Settings
import SeededRandom
import Store

/// One exchange with the origin.
final class Fetch {
    let id: UInt64
    /// nil: it has left, has its answer, or there never was one.
    var client: Client?
    /// For whom the origin answers; -1: behind an answer.
    let clientID: Int
    let seat: Int
    let request: ParsedRequest
    let want: Want
    let verdict: RequestVerdict
    var keyed: Keyed
    var renewal: Renewal?
    var isFetchedWhole: Bool
    var attempts: Attempts
    var isWaiting = false
    var waits: UInt8 = 0
    var holdsReservation = false
    var connection: UInt64?
    var sent = Sent.nothing
    var sentAt = Times(wallMilliseconds: 0, bootMilliseconds: 0)
    var sentStep = 0
    var stamp = FetchStamp()
    // The answer.
    var responseStarted = false
    var reusable = false
    var serial = -1
    /// Its head as it came, and its body so far.
    var head = ByteBuffer(capacity: 512)
    var body = BodyReader(.none, trailerLimit: 0)
    var content = ByteBuffer(capacity: 512)
    var storable: EntryFacts?
    var reason: Reason?
    var isStored = false

    init(
        id: UInt64, client: Client?, seat: Int, request: ParsedRequest, want: Want, verdict: RequestVerdict,
        keyed: Keyed, renewal: Renewal?
    ) {
        self.id = id
        self.client = client
        clientID = client?.id ?? -1
        self.seat = seat
        self.request = request
        self.want = want
        self.verdict = verdict
        self.keyed = keyed
        self.renewal = renewal
        isFetchedWhole = renewal?.isFetchedWhole ?? false
        // What cannot renew the entry may be answered with it instead of an error.
        if !verdict.mayRevalidate { self.renewal?.conditions = [] }
        let replayable = want.method.isIdempotent
        attempts = Attempts(idempotent: replayable, retries: 1, reuse: replayable)
    }
}

extension Simulation {
    // MARK: Reservations

    /// False: it waits.
    func reserve(_ fetch: Fetch, waits: Bool) -> Bool {
        guard fetch.verdict.mayStore, fetch.verdict.mayLookup,
            !hitForMiss.contains(fetch.keyed.reservation, now: milliseconds)
        else { return true }
        return ask(fetch, waits: waits)
    }

    private func ask(_ fetch: Fetch, waits: Bool) -> Bool {
        let waiter = waits ? Reservations.Waiter(thread: Int32(fetch.seat), token: fetch.id) : nil
        switch reservations.ask(fetch.keyed.reservation, waiter, now: milliseconds) {
        case .reserved: hold(fetch)
        case .busy, .hitForMiss: break
        case .wait:
            if fault == .fetchesTwice {
                hold(fetch)
                return true
            }
            fetch.isWaiting = true
            fetch.waits += 1
            expect(fetch.waits <= Reservations.waitLimit, .answered, "\(fetch.waits) waits")
            return false
        }
        return true
    }

    func hold(_ fetch: Fetch) {
        let other = holders.updateValue(fetch.id, forKey: fetch.keyed.reservation)
        expect(other == nil, .alone, "fetch \(fetch.id) has the reservation of \(other ?? 0)")
        fetch.holdsReservation = true
    }

    func endReservation(_ fetch: Fetch, _ ending: Reservations.Ending, scope: RefusalScope = .everybody) {
        guard fetch.holdsReservation else { return }
        fetch.holdsReservation = false
        if fault == .neverReleases { return }
        trace.note(step, .settled, Int(fetch.id), ending == .stored ? 1 : 0)
        holders[fetch.keyed.reservation] = nil
        release(fetch.keyed.reservation, ending, scope)
        let isWhole = fetch.keyed.variant == Hash128(low: 0, high: 0)
        if ending == .unstorable(remember: true), !scope.variant.isEmpty, isWhole {
            let variant = fetch.keyed.hash.of(variant: store.hash(scope.variant.span))
            hitForMiss.insert(variant, now: milliseconds)
        }
    }

    private func release(_ hash: Hash128, _ ending: Reservations.Ending, _ scope: RefusalScope) {
        let kind: Seat.Call.Kind =
            switch ending {
            case .stored: .look
            case .unstorable: .alone
            case .failed: .fetch
            }
        for waiter in reservations.release(hash, ending, now: milliseconds) {
            if fault == .forgetsWaiters, kind == .fetch { continue }
            seats[Int(waiter.thread)].mail.append(
                Seat.Call(fetch: waiter.token, hash: hash, kind: kind, scope: scope))
        }
    }

    /// As `endReservation`, where the response in `response` over the fetch's head may not be stored.
    func endReservation(_ fetch: Fetch, _ ending: Reservations.Ending, refusing reason: Reason) {
        guard fetch.holdsReservation else { return }
        var scope = RefusalScope.everybody
        if case .unstorable = ending {
            let text = fetch.request.text
            scope = lend(fetch.head) {
                rules.scope(of: reason, response, $0, request: fetch.request.head.fields, text.span)
            }
        }
        endReservation(fetch, ending, scope: scope)
    }

    /// As `endReservation`, where the response was to be stored.
    func endReservationAfterCommit(_ fetch: Fetch) {
        let effect = CommitEffect(
            stored: fetch.isStored ? fetch.storable : nil, fetch.reason,
            holdsReservation: fetch.holdsReservation,
            isVariant: fetch.keyed.variant != Hash128(low: 0, high: 0))
        if effect.clearsReservationMark { hitForMiss.remove(fetch.keyed.reservation) }
        if effect.clearsKeyMark { hitForMiss.remove(fetch.keyed.hash) }
        endReservation(fetch, effect.ending)
    }

    /// Reads a thread's mailbox.
    func answerCalls(_ seat: Int) {
        wake(seat)
        let calls = seats[seat].mail
        seats[seat].mail.removeAll()
        for call in calls {
            guard let fetch = fetches[call.fetch], fetch.isWaiting, fetch.keyed.reservation == call.hash
            else {
                if call.kind == .fetch { release(call.hash, .failed, .everybody) }
                continue
            }
            switch call.kind {
            case .fetch:
                hold(fetch)
                goOn(fetch)
            case .alone: placeAnew(fetch, call.scope)
            case .look: lookAgain(fetch, .collapsed)
            }
        }
    }

    private func placeAnew(_ fetch: Fetch, _ scope: RefusalScope) {
        let text = fetch.request.text
        let place =
            fetch.waits < Reservations.waitLimit
            ? scope.place(of: fetch.verdict, fetch.request.head.fields, text.span, into: &vary) : .alone
        guard place != .alone else { return goOn(fetch) }
        tally.placedAnew += 1
        if place == .variant { fetch.keyed.variant = lend(vary) { store.hash($0) } }
        fetch.isWaiting = false
        if ask(fetch, waits: true) { connect(fetch) }
    }

    func goOn(_ fetch: Fetch) {
        fetch.isWaiting = false
        connect(fetch)
    }

    func lookAgain(_ fetch: Fetch, _ cause: Source.Cause) {
        let client = fetch.client
        forget(fetch)
        guard let client else { return }
        trace.note(step, .looksAgain, client.id)
        handle(client, again: Again(cause: cause, waits: fetch.waits))
    }

    func forget(_ fetch: Fetch) {
        endReservation(fetch, .failed)
        fetches[fetch.id] = nil
        fetch.client?.fetch = nil
    }

    // MARK: Connections

    func connect(_ fetch: Fetch) {
        wake(fetch.seat)
        if !fetch.attempts.mustBeFresh, let token = seats[fetch.seat].pool.take() {
            guard let connection = connections[token] else {
                return report(.answered, "a pooled connection is gone")
            }
            connection.isReused = true
            idle.removeAll { $0 == token }
            return send(fetch, connection)
        }
        let connection = Connection(id: id(), seat: fetch.seat)
        connections[connection.id] = connection
        fetch.connection = connection.id
        if random.picks(2) { return fail(fetch, random.picks(50) ? .notConnected : .connectTimeout) }
        send(fetch, connection)
    }

    private func send(_ fetch: Fetch, _ connection: Connection) {
        let text = fetch.request.text
        fetch.connection = connection.id
        connection.fetch = fetch.id
        busy.append(connection.id)
        fetch.sentAt = times
        fetch.sentStep = step
        if fetch.verdict.mayRevalidate { fetch.stamp = seats[fetch.seat].store.stamp(fetch.keyed.hash) }
        connection.asked.removeAll()
        let keyed = fetch.keyed
        let hasKey = !keyed.bytes.isEmpty
        let key = keyed.bytes.span
        let renews = fetch.verdict.mayRevalidate && fetch.renewal != nil
        let conditions = fetch.renewal?.conditions ?? []
        OriginRequest.append(
            fetch.request.head, text.span, fetch.verdict,
            keyedHost: key.extracting(hasKey ? keyed.routingStart..<keyed.targetStart : 0..<0),
            keyedTarget: key.extracting(droppingFirst: keyed.targetStart), serverHost: Span(),
            scheme: .http, rules,
            ForwardingFields(sends: [], trusted: []), peer: ClientAddress(.anyLoopbackPort),
            renews: renews, conditions: conditions.span,
            to: &connection.asked)
        fetch.sent = .head
        connection.hasAnswered = false
        trace.note(step, .sent, Int(fetch.id), fetch.want.resource)
    }

    /// The connection failed: what the retry rules say.
    func fail(_ fetch: Fetch, _ failure: OriginFailure) {
        var isReused = false
        if let token = fetch.connection, let connection = connections[token] {
            isReused = connection.isReused
            close(connection)
            fetch.connection = nil
        }
        switch fetch.attempts.on(failure, reused: isReused, sent: fetch.sent, serversLeft: true) {
        case .reconnect, .nextServer:
            fetch.sent = .nothing
            connect(fetch)
        case .answer(let status):
            if fetch.renewal?.mayIfError == true, fetch.client != nil {
                lookAgain(fetch, .failed)
            } else {
                let client = fetch.client
                forget(fetch)
                if let client { answerLocally(client, status) }
            }
        case .abort: abort(fetch)
        }
    }

    /// The answer cannot be completed: the client's connection ends with it.
    func abort(_ fetch: Fetch) {
        if let token = fetch.connection, let connection = connections[token] { close(connection) }
        fetch.connection = nil
        let client = fetch.client
        forget(fetch)
        guard let client else { return }
        tally.aborted += 1
        end(client)
    }

    func close(_ connection: Connection) {
        connections[connection.id] = nil
        busy.removeAll { $0 == connection.id }
        idle.removeAll { $0 == connection.id }
    }

    /// Keeps a connection, or closes it.
    func park(_ connection: Connection, of fetch: Fetch, reusable: Bool) {
        busy.removeAll { $0 == connection.id }
        connection.fetch = nil
        guard reusable, connection.inbound.isEmpty, connection.reply.isEmpty else { return close(connection) }
        idle.append(connection.id)
        guard let surplus = seats[fetch.seat].pool.put(connection.id), let old = connections[surplus] else {
            return
        }
        close(old)
    }

    /// The client leaves. A fetch whose answer may be stored goes on without it.
    func leave(_ client: Client) {
        let fetch = client.fetch.flatMap { fetches[$0] }
        end(client)
        guard let fetch else { return }
        fetch.client = nil
        let mayBeStored = fetch.holdsReservation && !fetch.responseStarted
        if fetch.storable == nil, !mayBeStored { abort(fetch) }
    }
}
