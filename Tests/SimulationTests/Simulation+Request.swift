/// A request: judged, looked up, answered, or sent on its way (`Worker+Request`, `Worker+Hit`).
import Bytes
import Caching
import Machines
import HTTP
import DataPlane
import Store

/// Why a request is looked up once more.
struct Again {
    var cause: Source.Cause
    var waits: UInt8 = 0

    var waitsAgain: Bool { cause == .collapsed && waits < Reservations.waitLimit }

    func mayAnswer(_ use: StaleUse, isFresh: Bool) -> Bool {
        switch cause {
        case .collapsed: isFresh
        case .revalidated: true
        case .failed: use.mayIfError
        }
    }
}

/// A stored entry that a fetch may renew, or fall back on.
struct Renewal {
    var serial: UInt64
    /// Field lines; empty: none.
    var conditions: [UInt8] = []
    var mayIfError = false
    var isFetchedWhole = false
}

enum Found {
    /// - refresh: the serial that is to be revalidated behind the answer.
    case answered(refresh: UInt64?)
    case absent
    case stale(Renewal)
    case refresh(Reason, Renewal)
    case refused(Reason)
}

/// A request's key.
struct Keyed {
    var bytes: [UInt8] = []
    var routingStart = 0
    var targetStart = 0
    var hash = Hash128(low: 0, high: 0)
    var variant = Hash128(low: 0, high: 0)

    var reservation: Hash128 { hash.of(variant: variant) }
}

extension Simulation {
    func handle(_ client: Client, again: Again? = nil) {
        let text = client.request.text
        wake(client.seat)
        var verdict = rules.judge(client.request.head, text.span)
        var keyed = Keyed()
        scratch.removeAll()
        switch rules.writeKey(client.request.head, text.span, scheme: .http, into: &scratch) {
        case .refused(let reason): verdict.bypass(reason)
        case .key(let routingStart, let targetStart):
            keyed = Keyed(
                bytes: lend(scratch) { $0.copied }, routingStart: routingStart, targetStart: targetStart)
            if fault == .confusesHosts { keyed.bytes[routingStart] = 0x61 }
            keyed.hash = store.hash(keyed.bytes.span)
        }
        var renewal: Renewal?
        if verdict.mayLookup {
            switch look(seats[client.seat].store, client, verdict, keyed, again) {
            case .answered(let serial):
                if let serial, verdict.mayRevalidate { refresh(client, verdict, keyed, serial) }
                return
            case .absent: break
            case .stale(let stale): renewal = stale
            case .refresh(_, let fresh): renewal = fresh
            case .refused(let reason): verdict.bypass(reason)
            }
        }
        if let again, again.cause == .failed { return answerLocally(client, 502) }
        if verdict.flags.contains(.onlyIfCached) { return answerLocally(client, 504) }
        if verdict.mayStore, verdict.mayLookup {
            keyed.variant = variant(client.seat, client.request, verdict, keyed)
        }
        if verdict.flags.contains(.conditional), verdict.mayStore, renewal == nil,
            hitForMiss.contains(keyed.reservation, now: milliseconds)
        {
            verdict.mayStore = false
        }
        let fetch = Fetch(
            id: id(), client: client, seat: client.seat, request: client.request, want: client.want,
            verdict: verdict, keyed: keyed, renewal: renewal)
        fetches[fetch.id] = fetch
        client.fetch = fetch.id
        if let again { fetch.waits = again.waits }
        if reserve(fetch, waits: again?.waitsAgain ?? true) { connect(fetch) }
    }

    private func variant(
        _ seat: Int, _ request: ParsedRequest, _ verdict: RequestVerdict, _ keyed: Keyed
    ) -> Hash128 {
        let text = request.text
        let key = keyed.bytes
        return ReservedVariant.digest(
            seats[seat].store, key.span, keyed.hash, verdict, request.head.fields, text.span, &vary)
    }

    private func look(
        _ store: borrowing StoreThread, _ client: Client, _ verdict: RequestVerdict, _ keyed: Keyed,
        _ again: Again?
    ) -> Found {
        let text = client.request.text
        let preferred =
            verdict.codings.contains(.br) && !verdict.flags.contains(.range) ? Codings.br : .identity
        let view = store.lookup(key: keyed.bytes.span, hash: keyed.hash) { facts, vary in
            let matches =
                fault == .ignoresVary || Variance.matches(vary, client.request.head.fields, text.span)
            let entry = EntryFacts(facts)
            // Nothing is undone here.
            return matches && verdict.reach(of: entry) == .asStored
                ? verdict.rank(entry, preferring: preferred) : 0
        }
        guard let view else { return .absent }
        let entry = EntryFacts(view.facts)
        var source = Source.store(again?.cause)
        var asked = verdict
        if fault == .ignoresClients { asked.flags.remove(.noCache) }
        let isOutdated = view.isOutdated && fault != .ignoresSoftPurges
        var toRefresh: UInt64?
        let ageSeconds: UInt32
        switch rules.use(entry, for: asked, now: times, isOutdated: isOutdated) {
        case .refused(let reason): return .refused(reason)
        case .fresh(let age, _): ageSeconds = age
        case .stale(let use):
            ageSeconds = use.ageSeconds
            let may: Bool
            if let again,
                again.mayAnswer(use, isFresh: false) || fault == .servesAfterErrors && again.cause == .failed
            {
                may = true
            } else {
                may = use.mayWhileRevalidating || use.mayByClient || fault == .servesStale
                if may, again?.cause != .revalidated { source = .store(nil) }
                if use.mayWhileRevalidating { toRefresh = view.serial }
            }
            guard may else { return .stale(renewal(store, view.serial, keyed, use)) }
            tally.stale += 1
        case .refresh(let reason, let use):
            ageSeconds = use.ageSeconds
            guard let again, again.mayAnswer(use, isFresh: true) else {
                return .refresh(reason, renewal(store, view.serial, keyed, use))
            }
        }
        if entry.coding == .br { tally.coded += 1 }
        if preferred == .br, entry.coding == .identity { order(keyed, view.serial) }
        respond(client, verdict, entry.status, head: view.head, body: view.body, ageSeconds, source)
        return .answered(refresh: toRefresh)
    }

    private func renewal(
        _ store: borrowing StoreThread, _ serial: UInt64, _ keyed: Keyed, _ use: StaleUse
    ) -> Renewal {
        var renewal = Renewal(
            serial: serial, mayIfError: use.mayIfError || fault == .servesAfterErrors,
            isFetchedWhole: use.isFetchedWhole)
        if use.hasValidator { renewal.conditions = conditions(store, serial, keyed) ?? [] }
        return renewal
    }

    /// The validators of the original; nil: it is gone.
    private func conditions(_ store: borrowing StoreThread, _ serial: UInt64, _ keyed: Keyed) -> [UInt8]? {
        guard let original = store.original(key: keyed.bytes.span, hash: keyed.hash, serial: serial) else {
            return nil
        }
        scratch.removeAll()
        return Validators.append(head: original.head, to: &scratch) ? lend(scratch) { $0.copied } : []
    }

    /// A stored head and body, or the 304, 206 or 416 that they come to.
    func respond(
        _ client: Client, _ verdict: RequestVerdict, _ status: UInt16, head: Span<UInt8>, body: Span<UInt8>,
        _ ageSeconds: UInt32, _ source: Source
    ) {
        let request = client.request
        let text = request.text
        out.removeAll()
        var body = body
        var isNotModified = false
        if verdict.flags.contains(.conditional) {
            let outcome = Conditional.evaluate(
                request.head, text.span, status: status, head: head, nowSeconds: times.wallSeconds)
            isNotModified = outcome == .notModified || fault == .answersNotModified
        }
        if isNotModified {
            Conditional.appendNotModified(head: head, to: &out)
            body = body.extracting(first: 0)
            tally.notModified += 1
        } else if verdict.method == .head {
            out.append(head)
            if fault != .answersHeadWithBody { body = body.extracting(first: 0) }
        } else {
            body = appendPart(client, verdict, status, head: head, body: body)
        }
        out.line("Age: ", fault == .forgetsAge ? 0 : Int(ageSeconds))
        out.append("\r\n")
        deliver(client, body, source)
    }

    @_lifetime(copy body)
    private func appendPart(
        _ client: Client, _ verdict: RequestVerdict, _ status: UInt16, head: Span<UInt8>, body: Span<UInt8>
    ) -> Span<UInt8> {
        let text = client.request.text
        var part = RangeRequest.Outcome.whole
        if verdict.flags.contains(.range) {
            part = RangeRequest.evaluate(
                client.request.head, text.span, head: head, status: status, bodyCount: body.count,
                nowSeconds: times.wallSeconds)
        }
        switch part {
        case .whole:
            out.append(head)
            return body
        case .part(let range):
            tally.partial += 1
            StoredHead.appendPartial(head, range, of: body.count, to: &out)
            if fault == .shiftsRanges, range.lowerBound > 0 {
                return body.extracting((range.lowerBound - 1)..<(range.upperBound - 1))
            }
            return body.extracting(range)
        case .unsatisfiable:
            StoredHead.appendUnsatisfiable(head, bodyCount: body.count, to: &out)
            return body.extracting(first: 0)
        }
    }

    /// Revalidates behind an answer that was given stale, unless somebody is at it.
    private func refresh(_ client: Client, _ verdict: RequestVerdict, _ keyed: Keyed, _ serial: UInt64) {
        var keyed = keyed
        keyed.variant = variant(client.seat, client.request, verdict, keyed)
        guard reservations.ask(keyed.reservation, nil, now: milliseconds) == .reserved else { return }
        let found = conditions(seats[client.seat].store, serial, keyed)
        let fetch = Fetch(
            id: id(), client: nil, seat: client.seat, request: client.request, want: client.want,
            verdict: verdict,
            keyed: keyed, renewal: found.map { Renewal(serial: serial, conditions: $0) })
        fetches[fetch.id] = fetch
        hold(fetch)
        connect(fetch)
    }

    // MARK: Answers

    /// The client gets `out`, which is a whole head, and `body`.
    func deliver(_ client: Client, _ body: Span<UInt8>, _ source: Source) {
        guard !client.isDone else { return report(.answered, "client \(client.id) is answered twice") }
        let world = Oracle.World(now: now, step: step, arrivedStep: client.arrivedStep, client: client.id)
        do throws(Violation) {
            try oracle.check(client.want, out, body, source, world, origin.journal, purges)
        } catch {
            report(error.invariant, "client \(client.id): \(error.text)")
        }
        switch source {
        case .store(nil): tally.hits += 1
        case .store(.collapsed): tally.collapsed += 1
        case .store(.revalidated): tally.renewed += 1
        case .store(.failed): tally.failed += 1
        case .origin: tally.forwarded += 1
        case .local: tally.local += 1
        }
        trace.note(step, .answered, client.id, client.want.resource)
        end(client)
    }

    func answerLocally(_ client: Client, _ status: UInt16) {
        out.removeAll()
        out.append("HTTP/1.1 ")
        out.append(decimal: UInt64(status))
        out.append(" No\r\nContent-Length: 0\r\n\r\n")
        deliver(client, Span(), .local)
    }

    func end(_ client: Client) {
        client.isDone = true
        client.fetch = nil
    }
}

extension EntryFacts {
    init(_ facts: RecordFacts) {
        self.init(unpacking: [facts.words.0, facts.words.1, facts.words.2, facts.words.3, facts.words.4])
    }

    var record: RecordFacts {
        let words = pack()
        return RecordFacts(words[0], words[1], words[2], words[3], words[4])
    }
}
