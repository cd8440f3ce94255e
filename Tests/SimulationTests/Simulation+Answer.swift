/// The origin's answer arrives: invalidation, renewal, storing, and what the client gets
/// (`Worker+Response`, `Worker+Renew`, `Worker+Body`, `Worker+Finish`).
import Bytes
import Caching
import Machines
import HTTP
import Store

extension Simulation {
    /// Bytes of an answer, or its connection's end.
    func receive(_ connection: Connection, ended: Bool) {
        guard let token = connection.fetch, let fetch = fetches[token] else { return close(connection) }
        wake(fetch.seat)
        while !fetch.responseStarted, !connection.inbound.isEmpty {
            responseOf = 0
            let result = lend(connection.inbound) {
                response.parse(
                    $0, limits: Wire.limits, scan: &connection.scan, requestMethod: fetch.want.method)
            }
            switch result {
            case .needMore:
                if ended { fail(fetch, .malformed) }
                return
            case .refused: return fail(fetch, .malformed)
            case .complete(let count):
                connection.scan = HeadScan()
                if response.status < 200 {
                    connection.inbound.removeFirst(count)
                    continue
                }
                fetch.head.removeAll()
                lend(connection.inbound) { fetch.head.append($0.extracting(first: count)) }
                responseOf = fetch.id
                connection.inbound.removeFirst(count)
                handleHead(fetch, connection)
                guard fetches[fetch.id] != nil, fetch.connection == connection.id else { return }
            }
        }
        guard fetch.responseStarted else {
            if ended { fail(fetch, .closed) }
            return
        }
        receiveBody(fetch, connection, ended: ended)
    }

    /// The final head is in `response` and in `fetch.head`.
    private func handleHead(_ fetch: Fetch, _ connection: Connection) {
        fetch.serial = serialOfResponse(fetch)
        if fetch.serial >= 0 { origin.journal[fetch.serial].received = now }
        if fetch.renewal != nil, concludeRevalidation(fetch, connection) { return }
        fetch.responseStarted = true
        fetch.reusable = response.keepAlive
        fetch.body = BodyReader(response.framing, trailerLimit: 4096)
        if Rules.invalidates(fetch.want.method, status: response.status), fault != .skipsInvalidation {
            invalidate(fetch)
        } else if Rules.invalidates(fetch.want.method, status: response.status) {
            noteInvalidation(fetch.want.resource)
        }
        let verdict = lend(fetch.head) {
            rules.judge(response, $0, to: fetch.verdict, sent: fetch.sentAt, received: times)
        }
        switch verdict {
        case .store(var facts):
            if fetch.isFetchedWhole { facts.flags.insert(.fetchedWhole) }
            fetch.storable = facts
            if let ending = Reservations.Ending(storing: facts) {
                endReservation(fetch, ending, refusing: .noCache)
            }
        case .refuse(let reason):
            fetch.reason = reason
            refuse(fetch, reason)
            if fault == .storesEverything, fetch.verdict.method == .get { fetch.storable = factsOfAnything() }
        }
        answerIfCurrent(fetch)
    }

    private func factsOfAnything() -> EntryFacts {
        EntryFacts(
            received: times, initialAgeMilliseconds: 0, freshForMilliseconds: 60_000, status: response.status,
            coding: .identity, flags: [.answersCookies, .answersAuthorized], fingerprint: rules.fingerprint)
    }

    private func serialOfResponse(_ fetch: Fetch) -> Int {
        guard let field = response.fields.first(.cacheStatus) else { return -1 }
        return lend(fetch.head) { head in
            let value = head.slice(field.value)
            return Int(value.extracting(droppingFirst: min(15, value.count)).decimalSaturating() ?? 0)
        }
    }

    /// The condition was not passed on, so that the whole could be stored: does the client hold it?
    private func answerIfCurrent(_ fetch: Fetch) {
        let text = fetch.request.text
        guard fetch.storable != nil, let client = fetch.client, fetch.verdict.flags.contains(.conditional)
        else { return }
        writeStored(fetch, bodyCount: 0, limit: .max)
        let outcome = lend(headOut) {
            Conditional.evaluate(
                fetch.request.head, text.span, status: response.status, head: $0,
                nowSeconds: times.wallSeconds)
        }
        guard outcome == .notModified else { return }
        out.removeAll()
        lend(headOut) { Conditional.appendNotModified(head: $0, to: &out) }
        out.append("\r\n")
        fetch.client = nil
        deliver(client, Span(), .origin(serial: fetch.serial))
    }

    /// The stored form of `response`, in `headOut`.
    @discardableResult
    private func writeStored(_ fetch: Fetch, bodyCount: Int, limit: Int) -> Reason? {
        headOut.removeAll()
        let seconds = fetch.storable?.received.wallSeconds ?? times.wallSeconds
        return lend(fetch.head) {
            StoredHead.write(
                response, $0, bodyCount: bodyCount, receivedSeconds: seconds, limit: limit, into: &headOut)
        }
    }

    // MARK: The body

    private func receiveBody(_ fetch: Fetch, _ connection: Connection, ended: Bool) {
        var offset = 0
        var isComplete = false
        reading: while true {
            let (step, next) = fetch.body.next(connection.inbound, from: offset)
            offset = next
            switch step {
            case .data(let range): lend(connection.inbound) { fetch.content.append($0.extracting(range)) }
            case .needMore: break reading
            case .end:
                isComplete = true
                break reading
            case .refused: return fail(fetch, .truncated)
            }
        }
        connection.inbound.removeFirst(offset)
        if ended, !isComplete { isComplete = fetch.body.closed() }
        if isComplete {
            finish(fetch, connection)
        } else if ended {
            if fault == .storesTruncated, fetch.storable != nil { commit(fetch) }
            fail(fetch, .truncated)
        } else if fetch.client == nil, fetch.storable == nil {
            abort(fetch)
        }
    }

    private func finish(_ fetch: Fetch, _ connection: Connection) {
        if fetch.storable != nil {
            commit(fetch)
            endReservationAfterCommit(fetch)
        }
        fetch.connection = nil
        let isReusable = fetch.reusable && !connection.isDead
        park(connection, of: fetch, reusable: isReusable)
        let client = fetch.client
        if let client {
            parseAgain(fetch)
            writeStored(fetch, bodyCount: fetch.content.count, limit: .max)
            out.removeAll()
            lend(headOut) { out.append($0) }
            out.append("\r\n")
            lend(fetch.content) { deliver(client, $0, .origin(serial: fetch.serial)) }
        }
        forget(fetch)
    }

    /// Has the fetch's head in `response`: parses it again, unless it is there still.
    private func parseAgain(_ fetch: Fetch) {
        guard responseOf != fetch.id else { return }
        responseOf = fetch.id
        var scan = HeadScan()
        let result = lend(fetch.head) {
            response.parse($0, limits: Wire.limits, scan: &scan, requestMethod: fetch.want.method)
        }
        precondition(result == .complete(fetch.head.count), "a kept head changed")
    }

    private func commit(_ fetch: Fetch) {
        let text = fetch.request.text
        let key = fetch.keyed.bytes
        guard let facts = fetch.storable else { return }
        guard fetch.content.count <= rules.maxBodyBytes else {
            fetch.reason = .tooLarge
            return
        }
        parseAgain(fetch)
        vary.removeAll()
        let refusal =
            writeStored(fetch, bodyCount: fetch.content.count, limit: rules.maxHeadBytes)
            ?? lend(fetch.head) {
                rules.writeVary(
                    response, $0, request: fetch.request.head.fields, text.span, into: &vary)
            }
        if let refusal {
            fetch.reason = refusal
            return
        }
        let seat = seats[fetch.seat]
        if fault == .stampsLate { fetch.stamp = seat.store.stamp(fetch.keyed.hash) }
        let outcome = lend(vary) { vary in
            lend(headOut) { head in
                lend(fetch.content) { body in
                    seat.store.insert(
                        key: key.span, hash: fetch.keyed.hash,
                        variant: .original(coding: facts.coding.rawValue), facts: facts.record, vary: vary,
                        head: head,
                        body: body, expires: facts.expirySeconds, now: UInt32(clamping: times.wallSeconds),
                        stamp: fetch.stamp)
                }
            }
        }
        switch outcome {
        case .stored:
            fetch.isStored = true
            tally.stored += 1
        case .invalidated: fetch.reason = .invalidated
        case .pressure, .crowded: fetch.reason = .pressure
        case .tooLarge: fetch.reason = .tooLarge
        }
        trace.note(step, .stored, Int(fetch.id), fetch.isStored ? 1 : 0)
    }

    private func refuse(_ fetch: Fetch, _ reason: Reason) {
        let effect = lend(fetch.head) {
            rules.refusalEffect(
                reason, of: response, $0, to: fetch.verdict, sent: fetch.sentAt, received: times)
        }
        endReservation(fetch, effect.ending, refusing: reason)
        if effect.removesEntry { removeEntry(fetch) }
    }

    private func removeEntry(_ fetch: Fetch) {
        let key = fetch.keyed.bytes
        guard let renewal = fetch.renewal else { return }
        seats[fetch.seat].store.remove(key: key.span, hash: fetch.keyed.hash, serial: renewal.serial)
    }

    // MARK: Invalidation

    private func invalidate(_ fetch: Fetch) {
        let seat = seats[fetch.seat]
        let request = fetch.request
        let text = request.text
        if case .key = rules.writeKey(request.head, text.span, scheme: .http, into: &scratch) {
            lend(scratch) { seat.store.invalidate(key: $0, hash: store.hash($0)) }
            noteInvalidation(fetch.want.resource)
        }
        guard let field = response.fields.first(.location) else { return }
        let named = lend(fetch.head) {
            NamedTarget($0.slice(field.value), request.head, text.span, scheme: .http)
        }
        guard let named,
            case .key = rules.writeKey(
                of: named, request.head, text.span, scheme: .http, into: &scratch)
        else { return }
        lend(scratch) { seat.store.invalidate(key: $0, hash: store.hash($0)) }
        noteInvalidation(fetch.want.resource ^ 4)
    }

    func noteInvalidation(_ resource: Int) {
        purges.hard[resource] = step
    }
}
