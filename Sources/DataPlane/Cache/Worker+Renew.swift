internal import Bytes
internal import Caching
internal import HTTP
internal import Loop
internal import Machines
internal import Store

/// The ends of a revalidation that are no new answer: a 304, or an error that the entry outlives.
extension Worker {
    /// Deals with the answer in `response` at the front of `outbound`, if it is not to be passed on.
    mutating func concludeRevalidation(_ x: Handle<Exchange>, _ o: Handle<Origin>, headCount: Int) -> Bool {
        guard let renewal = exchanges[x].fetch.renewal else { return false }
        if scratch.response.status == 304, renewal.isConditional {
            renew(x, o, headCount: headCount)
            return true
        }
        if scratch.response.status == 200, exchanges[x].method == .head { updateByHead(x) }
        if scratch.response.status >= 500, renewal.mayIfError, exchanges[x].client != nil,
            Self.hasEntry(store, &exchanges[x])
        {
            counters.failed(exchanges[x].fetch.server)
            note(x, .errorStatus)
            tell(x, .stale)
            exchanges[x].origin = nil
            closeOrigin(o)
            lookAgain(x, .failed, failure: scratch.response.status, status: scratch.response.status)
            return true
        }
        return false
    }

    private static func hasEntry(_ store: borrowing StoreThread, _ exchange: inout Exchange) -> Bool {
        entry(of: exchange, in: store) != nil
    }

    /// The original that the exchange may renew; nil where it is gone.
    @_lifetime(borrow store)
    private static func entry(
        of exchange: borrowing Exchange, in store: borrowing StoreThread
    ) -> RecordView? {
        guard let renewal = exchange.fetch.renewal else { return nil }
        return store.original(key: exchange.key, hash: exchange.keyed.hash, serial: renewal.serial)
    }

    private enum Renewed: Equatable {
        case renewed
        /// The entry is gone.
        case useless
        /// The 304 speaks of something else, or does not say of what.
        case mismatch
        /// The rules refuse the updated head: it is in `storedHead`, and answers this client alone.
        case refused(Reason, ageSeconds: UInt32)
    }

    private mutating func renew(_ x: Handle<Exchange>, _ o: Handle<Origin>, headCount: Int) {
        parseHead(x)
        let outcome = Self.renew(
            &exchanges[x], &store, site.routes[exchanges[x].route].rules, scratch.request, scratch.response,
            scratch.outbound,
            &scratch.storedHead, &scratch.coded, &scratch.vary, now.times)
        scratch.outbound.removeFirst(headCount)
        exchanges[x].origin = nil
        if scratch.response.keepAlive, scratch.outbound.isEmpty { park(o) } else { closeOrigin(o) }
        switch outcome {
        case .renewed:
            endReservation(x, .stored)
            lookAgain(x, .renewed)
        case .useless:
            fetchAnew(x)
        case .mismatch:
            // The next one would be, too: it costs a second fetch once, and not each time.
            exchanges[x].fetch.isFetchedWhole = true
            fetchAnew(x)
        case .refused(let reason, let age):
            exchanges[x].outcome.reason = reason
            answerRefused(x, ageSeconds: age)
        }
    }

    /// Fetches once more, without conditions. The entry may still answer for an error, and goes where the
    /// answer may not be stored.
    private mutating func fetchAnew(_ x: Handle<Exchange>) {
        exchanges[x].fetch.renewal?.isConditional = false
        connect(x)
    }

    private static func renew(
        _ exchange: inout Exchange, _ store: inout StoreThread, _ rules: borrowing Rules,
        _ request: borrowing RequestHead, _ response: borrowing ResponseHead,
        _ outbound: borrowing ByteBuffer, _ head: inout ByteBuffer, _ scratch: inout ByteBuffer,
        _ vary: inout ByteBuffer, _ now: Times
    ) -> Renewed {
        guard let verdict = verdict(exchange, store, rules, response, outbound, &head, now) else {
            guard followRenewal(&exchange, store, request, &scratch),
                case .renewed = Self.verdict(exchange, store, rules, response, outbound, &head, now)
            else { return .useless }
            return .renewed
        }
        switch verdict {
        case .mismatch: return .mismatch
        case .refused(let reason, let age): return .refused(reason, ageSeconds: age)
        case .renewed(let facts):
            let outcome = renew(
                &exchange, &store, rules, request, facts, head: head, &scratch, &vary, now)
            if outcome == .invalidated, followRenewal(&exchange, store, request, &scratch) { return .renewed }
            return outcome == .stored ? .renewed : .useless
        }
    }

    /// Where another exchange has renewed the entry since this one asked after it: goes on with what is there
    /// now, if the conditions that were sent are those of that, and nothing was purged.
    private static func followRenewal(
        _ exchange: inout Exchange, _ store: borrowing StoreThread, _ request: borrowing RequestHead,
        _ scratch: inout ByteBuffer
    ) -> Bool {
        let hash = exchange.keyed.hash
        guard let old = exchange.fetch.renewal, store.stamp(hash) == exchange.fetch.stamp,
            let view = StoreFinding.newest(
                exchange.lookup(exchange.fetch.sentAt), in: store, preferring: .identity, request.fields),
            view.serial != old.serial,
            let original = store.original(key: exchange.key, hash: hash, serial: view.serial)
        else { return false }
        scratch.removeAll()
        guard Validators.append(head: original.head, to: &scratch), scratch.span.equals(exchange.conditions)
        else { return false }
        exchange.fetch.renewal = Renewal(
            serial: view.serial, isConditional: true, mayIfError: old.mayIfError,
            isFetchedWhole: old.isFetchedWhole)
        return true
    }

    private static func verdict(
        _ exchange: borrowing Exchange, _ store: borrowing StoreThread, _ rules: borrowing Rules,
        _ response: borrowing ResponseHead, _ outbound: borrowing ByteBuffer, _ head: inout ByteBuffer,
        _ now: Times
    ) -> RenewVerdict? {
        guard let original = entry(of: exchange, in: store) else { return nil }
        head.removeAll()
        return rules.renew(
            original.head, by: response, outbound.span, to: exchange.verdictOnTarget,
            sent: exchange.fetch.sentAt,
            received: now, into: &head)
    }

    /// Writes the renewed records under the updated `head`.
    /// - Returns: nil where its Vary may not be stored: the entry goes then.
    private static func renew(
        _ exchange: inout Exchange, _ store: inout StoreThread, _ rules: borrowing Rules,
        _ request: borrowing RequestHead, _ facts: EntryFacts, head: borrowing ByteBuffer,
        _ scratch: inout ByteBuffer, _ vary: inout ByteBuffer, _ now: Times
    ) -> StoreOutcome? {
        vary.removeAll()
        let refusal = rules.writeVary(
            ofStored: head.span, request: request.fields, exchange.head, into: &vary)
        guard refusal == nil else {
            removeEntry(&exchange, store)
            return nil
        }
        let limit = rules.maxHeadBytes
        var facts = facts
        if let original = entry(of: exchange, in: store) {
            facts.keepReach(of: EntryFacts(original.facts))
        }
        return store.renew(
            key: exchange.key, hash: exchange.keyed.hash, serial: exchange.fetch.renewal?.serial ?? 0,
            vary: vary.span,
            expires: facts.expirySeconds, now: UInt32(clamping: now.wallSeconds), stamp: exchange.fetch.stamp,
            head: &scratch
        ) { coding, isDerived, old, renewed in
            guard isDerived else {
                renewed.append(head.span)
                return facts.record
            }
            var facts = facts
            facts.coding = Codings(rawValue: coding)
            let isKept = StoredHead.renewVariant(
                old, from: head.span, coding: facts.coding, limit: limit, into: &renewed)
            return isKept ? facts.record : nil
        }
    }

    /// The entry goes; the client gets its body once more, under the updated head.
    private mutating func answerRefused(_ x: Handle<Exchange>, ageSeconds: UInt32) {
        endReservationAfterCommit(x)
        guard let c = exchanges[x].client else {
            Self.removeEntry(&exchanges[x], store)
            forget(x)
            return
        }
        let sent = Self.sendRefused(
            &clients[c], &exchanges[x], store, site.routes[exchanges[x].route].rules, scratch.request,
            scratch.storedHead, AnswerAge(seconds: ageSeconds, timeToLive: 0), now.times, &scratch.out)
        Self.removeEntry(&exchanges[x], store)
        guard let sent else {
            fetchAnew(x)
            return
        }
        logExchange(x, isLost: !sent)
        forget(x)
        if sent { releaseClient(c) } else { closeClientNow(c) }
    }

    /// The response in `response` over `outbound` may not be stored, for this `reason`: ends the reservation
    /// and removes the entry as `RefusalEffect` says.
    @inline(__always)
    mutating func noteUnstorable(_ x: Handle<Exchange>, _ reason: Reason) {
        // Without either there is nothing to end and nothing to remove.
        if exchanges[x].machine.holdsReservation || exchanges[x].fetch.renewal != nil {
            applyRefusal(x, reason)
        }
    }

    private mutating func applyRefusal(_ x: Handle<Exchange>, _ reason: Reason) {
        let effect = Self.refusalEffect(
            reason, scratch.response, scratch.outbound, to: &exchanges[x], site.routes[exchanges[x].route],
            now.times)
        endReservation(x, effect.ending, refusing: reason)
        if effect.removesEntry { Self.removeEntry(&exchanges[x], store) }
    }

    private static func refusalEffect(
        _ reason: Reason, _ response: borrowing ResponseHead, _ outbound: borrowing ByteBuffer,
        to exchange: inout Exchange, _ route: borrowing Site.Route, _ now: Times
    ) -> RefusalEffect {
        route.rules.refusalEffect(
            reason, of: response, outbound.span, to: exchange.verdict, sent: exchange.fetch.sentAt,
            received: now)
    }

    /// An answer to HEAD freshens the entry, or tells that it is outdated (§4.3.5). It is passed on all the
    /// same.
    private mutating func updateByHead(_ x: Handle<Exchange>) {
        parseHead(x)
        let isFreshened = Self.updateByHead(
            &exchanges[x], &store, site.routes[exchanges[x].route].rules, scratch.request, scratch.response,
            scratch.outbound,
            &scratch.storedHead, &scratch.coded, &scratch.vary, now.times)
        if isFreshened { endReservation(x, .stored) }
    }

    private static func updateByHead(
        _ exchange: inout Exchange, _ store: inout StoreThread, _ rules: borrowing Rules,
        _ request: borrowing RequestHead, _ response: borrowing ResponseHead,
        _ outbound: borrowing ByteBuffer, _ head: inout ByteBuffer, _ scratch: inout ByteBuffer,
        _ vary: inout ByteBuffer, _ now: Times
    ) -> Bool {
        switch headUpdate(exchange, store, rules, response, outbound, &head, now) {
        case nil, .ignore: return false
        case .invalidate:
            removeEntry(&exchange, store)
            return false
        case .freshened(var facts):
            if exchange.fetch.isFetchedWhole { facts.flags.insert(.fetchedWhole) }
            let outcome = renew(
                &exchange, &store, rules, request, facts, head: head, &scratch, &vary, now)
            return outcome == .stored
        }
    }

    private static func headUpdate(
        _ exchange: borrowing Exchange, _ store: borrowing StoreThread, _ rules: borrowing Rules,
        _ response: borrowing ResponseHead, _ outbound: borrowing ByteBuffer, _ head: inout ByteBuffer,
        _ now: Times
    ) -> HeadUpdate? {
        guard let original = entry(of: exchange, in: store) else { return nil }
        head.removeAll()
        return rules.updateByHead(
            original.head, by: response, outbound.span, to: exchange.verdictOnTarget,
            sent: exchange.fetch.sentAt,
            received: now, into: &head)
    }

    private static func removeEntry(_ exchange: inout Exchange, _ store: borrowing StoreThread) {
        guard let renewal = exchange.fetch.renewal else { return }
        store.remove(key: exchange.key, hash: exchange.keyed.hash, serial: renewal.serial)
    }

    /// Sends the stored body under the updated head, which is `head`.
    /// - Returns: nil where the body does not answer this client; otherwise, is the connection well?
    private static func sendRefused(
        _ client: inout Client, _ exchange: inout Exchange, _ store: borrowing StoreThread,
        _ rules: borrowing Rules, _ request: borrowing RequestHead, _ head: borrowing ByteBuffer,
        _ age: AnswerAge, _ now: Times, _ out: inout ByteBuffer
    ) -> Bool? {
        // The body is the original's, in the coding that the updated head names.
        guard let original = entry(of: exchange, in: store),
            exchange.verdict.reach(of: EntryFacts(original.facts)) == .asStored
        else { return nil }
        var lookup = exchange.lookup(now, isClosing: client.closing)
        lookup.verdict.reason = exchange.outcome.reason
        let content = StoredContent(
            head: head.span, body: original.body, age, .refused(exchange.fetch.forwardReason))
        let answer = content.answer(
            lookup, by: rules, request, HitFacts(status: EntryFacts(original.facts).status), into: &out)
        exchange.outcome.status = answer.facts.status
        return client.send(out, answer.body)
    }
}
