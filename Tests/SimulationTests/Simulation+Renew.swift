/// The ends of a revalidation: a 304, an answer to HEAD, or an error that the entry outlives
/// (`Worker+Renew`).
import Bytes
import Caching
import Machines
import HTTP
import Store

extension Simulation {
    /// Deals with the answer in `response`, if it is not to be passed on.
    func concludeRevalidation(_ fetch: Fetch, _ connection: Connection) -> Bool {
        guard let renewal = fetch.renewal else { return false }
        if response.status == 304, !renewal.conditions.isEmpty {
            let isReusable = response.keepAlive && !connection.isDead
            let verdict = renew(fetch, renewal.serial)
            fetch.connection = nil
            park(connection, of: fetch, reusable: isReusable)
            conclude(fetch, verdict)
            return true
        }
        if response.status == 200, fetch.want.method == .head { updateByHead(fetch, renewal.serial) }
        if response.status >= 500, renewal.mayIfError, fetch.client != nil, hasEntry(fetch, renewal.serial) {
            fetch.connection = nil
            close(connection)
            lookAgain(fetch, .failed)
            return true
        }
        return false
    }

    private enum Renewed {
        case renewed, useless, mismatch
        case refused(Reason, ageSeconds: UInt32)
    }

    private func conclude(_ fetch: Fetch, _ outcome: Renewed) {
        switch outcome {
        case .renewed:
            endReservation(fetch, .stored)
            lookAgain(fetch, .revalidated)
        case .useless, .mismatch:
            if case .mismatch = outcome { fetch.isFetchedWhole = true }
            fetch.renewal?.conditions = []
            fetch.sent = .nothing
            connect(fetch)
        case .refused(let reason, let age):
            fetch.reason = reason
            answerRefused(fetch, age)
        }
    }

    private func hasEntry(_ fetch: Fetch, _ serial: UInt64) -> Bool {
        Simulation.facts(seats[fetch.seat].store, fetch, serial) != nil
    }

    private static func facts(_ store: borrowing StoreThread, _ fetch: Fetch, _ serial: UInt64) -> EntryFacts?
    {
        let key = fetch.keyed.bytes
        guard let view = store.original(key: key.span, hash: fetch.keyed.hash, serial: serial) else {
            return nil
        }
        return EntryFacts(view.facts)
    }

    /// The updated head is in `headOut` when it is renewed, or refused.
    private func renew(_ fetch: Fetch, _ serial: UInt64) -> Renewed {
        let seat = seats[fetch.seat]
        headOut.removeAll()
        guard let verdict = judgeRenewal(seat.store, fetch, serial) else { return .useless }
        switch verdict {
        case .mismatch: return fault == .renewsBlindly ? renewBlindly(fetch, serial) : .mismatch
        case .refused(let reason, let age): return .refused(reason, ageSeconds: age)
        case .renewed(let facts):
            return write(fetch, serial, facts) == .stored ? .renewed : .useless
        }
    }

    /// As if the 304 spoke of the entry.
    private func renewBlindly(_ fetch: Fetch, _ serial: UInt64) -> Renewed {
        guard var facts = Simulation.facts(seats[fetch.seat].store, fetch, serial) else { return .useless }
        facts.received = times
        copyHead(seats[fetch.seat].store, fetch, serial)
        return write(fetch, serial, facts) == .stored ? .renewed : .useless
    }

    private func copyHead(_ store: borrowing StoreThread, _ fetch: Fetch, _ serial: UInt64) {
        let key = fetch.keyed.bytes
        headOut.removeAll()
        guard let view = store.original(key: key.span, hash: fetch.keyed.hash, serial: serial) else { return }
        headOut.append(view.head)
    }

    private func judgeRenewal(
        _ store: borrowing StoreThread, _ fetch: Fetch, _ serial: UInt64
    ) -> RenewVerdict? {
        let key = fetch.keyed.bytes
        guard let original = store.original(key: key.span, hash: fetch.keyed.hash, serial: serial)
        else { return nil }
        let head = original.head
        return lend(fetch.head) {
            rules.renew(
                head, by: response, $0, to: fetch.verdict, sent: fetch.sentAt, received: times, into: &headOut
            )
        }
    }

    /// Writes the record anew under the head in `headOut`.
    private func write(_ fetch: Fetch, _ serial: UInt64, _ facts: EntryFacts) -> StoreOutcome {
        let text = fetch.request.text
        let key = fetch.keyed.bytes
        let seat = seats[fetch.seat]
        vary.removeAll()
        let refusal = lend(headOut) {
            rules.writeVary(
                ofStored: $0, request: fetch.request.head.fields, text.span, into: &vary)
        }
        guard refusal == nil else {
            seat.store.remove(key: key.span, hash: fetch.keyed.hash, serial: serial)
            return .tooLarge
        }
        if fault == .stampsLate { fetch.stamp = seat.store.stamp(fetch.keyed.hash) }
        return lend(vary) { vary in
            seat.store.renew(
                key: key.span, hash: fetch.keyed.hash, serial: serial, vary: vary,
                expires: facts.expirySeconds, now: UInt32(clamping: times.wallSeconds), stamp: fetch.stamp,
                head: &scratch
            ) { coding, isDerived, old, renewed in
                guard isDerived else {
                    lend(headOut) { renewed.append($0) }
                    return facts.record
                }
                var derived = facts
                derived.coding = Codings(rawValue: coding)
                let isKept = lend(headOut) {
                    StoredHead.renewVariant(
                        old, from: $0, coding: derived.coding, limit: rules.maxHeadBytes, into: &renewed)
                }
                return isKept ? derived.record : nil
            }
        }
    }

    /// The entry goes; the client gets its body once more, under the updated head in `headOut`.
    private func answerRefused(_ fetch: Fetch, _ age: UInt32) {
        let key = fetch.keyed.bytes
        endReservationAfterCommit(fetch)
        let serial = fetch.renewal?.serial ?? 0
        let seat = seats[fetch.seat]
        guard let client = fetch.client else {
            seat.store.remove(key: key.span, hash: fetch.keyed.hash, serial: serial)
            return forget(fetch)
        }
        let isAnswered = respondRefused(seat.store, fetch, client, serial, age)
        seat.store.remove(key: key.span, hash: fetch.keyed.hash, serial: serial)
        if isAnswered { return forget(fetch) }
        fetch.renewal?.conditions = []
        fetch.sent = .nothing
        connect(fetch)
    }

    private func respondRefused(
        _ store: borrowing StoreThread, _ fetch: Fetch, _ client: Client, _ serial: UInt64, _ age: UInt32
    ) -> Bool {
        let key = fetch.keyed.bytes
        guard let view = store.original(key: key.span, hash: fetch.keyed.hash, serial: serial),
            fetch.verdict.reach(of: EntryFacts(view.facts)) == .asStored
        else { return false }
        let (status, body) = (EntryFacts(view.facts).status, view.body)
        lend(headOut) {
            respond(client, fetch.verdict, status, head: $0, body: body, age, .store(.revalidated))
        }
        return true
    }

    /// An answer to HEAD freshens the entry, or tells that it is outdated (§4.3.5).
    private func updateByHead(_ fetch: Fetch, _ serial: UInt64) {
        let key = fetch.keyed.bytes
        let seat = seats[fetch.seat]
        headOut.removeAll()
        switch judgeHead(seat.store, fetch, serial) {
        case nil, .ignore: return
        case .invalidate:
            seat.store.remove(key: key.span, hash: fetch.keyed.hash, serial: serial)
        case .freshened(var facts):
            if fetch.isFetchedWhole { facts.flags.insert(.fetchedWhole) }
            _ = write(fetch, serial, facts)
        }
    }

    private func judgeHead(_ store: borrowing StoreThread, _ fetch: Fetch, _ serial: UInt64) -> HeadUpdate? {
        let key = fetch.keyed.bytes
        guard let original = store.original(key: key.span, hash: fetch.keyed.hash, serial: serial)
        else { return nil }
        let head = original.head
        return lend(fetch.head) {
            rules.updateByHead(
                head, by: response, $0, to: fetch.verdict, sent: fetch.sentAt, received: times, into: &headOut
            )
        }
    }
}
