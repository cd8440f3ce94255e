internal import Bytes
internal import Caching
internal import HTTP
internal import Loop
internal import Machines
internal import Store

/// The ends of a revalidation that are no new answer: a 304, or an error that the entry outlives.
extension Worker {
    /// Does with the response in `response` at the front of `outbound` what `ResponseUse` says.
    /// - Returns: is it not passed on?
    mutating func useResponse(_ x: Handle<Exchange>, _ o: Handle<Origin>, headCount: Int) -> Bool {
        let status = scratch.response.status
        switch ResponseUse(
            status: status, to: exchanges[x].verdict, exchanges[x].fetch.renewal,
            hasClient: exchanges[x].client != nil)
        {
        case .passed: return false
        case .validates: renew(x, o, headCount: headCount)
        case .freshens:
            updateByHead(x)
            return false
        case .replacedByEntry:
            guard mayAnswerInstead(x) else { return false }
            counters.failed(exchanges[x].fetch.server)
            note(x, .errorStatus)
            tell(x, .stale)
            exchanges[x].origin = nil
            origins.close(o)
            lookAgain(x, .failed, failure: status, status: status)
        case .malformed:
            noteFault(x, "unexpected-304", headCount: headCount)
            fail(x, .malformed)
        }
        return true
    }

    /// May the entry still answer in place of the origin's error? It may be gone, or too old by now.
    private mutating func mayAnswerInstead(_ x: Handle<Exchange>) -> Bool {
        parseHead(x)
        return Self.mayAnswerInstead(
            &exchanges[x], store, site.routes[exchanges[x].route].rules, scratch.request, now.times)
    }

    private static func mayAnswerInstead(
        _ exchange: inout Exchange, _ store: borrowing StoreThread, _ rules: borrowing Rules,
        _ request: borrowing RequestHead, _ now: Times
    ) -> Bool {
        guard
            let view = StoreFinding.newest(
                exchange.lookup(now), in: store, preferring: .identity, request.fields)
        else { return false }
        let verdict = exchange.verdict
        switch rules.use(EntryFacts(view.facts), for: verdict, now: now, isOutdated: view.isOutdated) {
        case .fresh: return true
        case .stale(let use), .refresh(_, let use): return use.mayIfError
        case .refused: return false
        }
    }

    /// The original that the exchange may renew; nil where it is gone.
    @_lifetime(borrow store)
    private static func entry(
        of exchange: borrowing Exchange, in store: borrowing StoreThread
    ) -> RecordView? {
        guard let renewal = exchange.fetch.renewal else { return nil }
        return store.original(key: exchange.key, hash: exchange.keyed.hash, serial: renewal.serial)
    }

    private mutating func renew(_ x: Handle<Exchange>, _ o: Handle<Origin>, headCount: Int) {
        parseHead(x)
        let outcome = Self.renew(
            &exchanges[x], &store, site.routes[exchanges[x].route].rules, scratch.request, scratch.response,
            scratch.outbound,
            &scratch.storedHead, &scratch.coded, &scratch.vary, now.times)
        scratch.outbound.removeFirst(headCount)
        exchanges[x].origin = nil
        if scratch.response.keepAlive, scratch.outbound.isEmpty { keepOrigin(o) } else { origins.close(o) }
        switch outcome {
        case .renewed:
            endReservation(x, .stored)
            lookAgain(x, .renewed)
        case .gone, .mismatch:
            if outcome.marksFetchedWhole { exchanges[x].fetch.isFetchedWhole = true }
            fetchAnew(x)
        case .refused(let reason, let age):
            exchanges[x].outcome.reason = reason
            answerRefused(x, ageSeconds: age)
        }
    }

    /// Fetches once more, without conditions. The entry may still answer for an error, and goes where the
    /// answer may not be stored.
    private mutating func fetchAnew(_ x: Handle<Exchange>) {
        exchanges[x].fetch.renewal?.dropConditions()
        connect(x)
    }

    private static func renew(
        _ exchange: inout Exchange, _ store: inout StoreThread, _ rules: borrowing Rules,
        _ request: borrowing RequestHead, _ response: borrowing ResponseHead,
        _ outbound: borrowing ByteBuffer, _ head: inout ByteBuffer, _ scratch: inout ByteBuffer,
        _ vary: inout ByteBuffer, _ now: Times
    ) -> Validation {
        guard let verdict = verdict(exchange, store, rules, response, outbound, &head, now) else {
            guard followRenewal(&exchange, store, request, &scratch),
                case .renewed = Self.verdict(exchange, store, rules, response, outbound, &head, now)
            else { return .gone }
            return .renewed
        }
        switch verdict {
        case .mismatch: return .mismatch
        case .refused(let reason, let age): return .refused(reason, ageSeconds: age)
        case .renewed(let facts):
            let outcome = renew(
                &exchange, &store, rules, request, facts, head: head, &scratch, &vary, now)
            if outcome == .invalidated, followRenewal(&exchange, store, request, &scratch) { return .renewed }
            return outcome == .stored ? .renewed : .gone
        }
    }

    /// Where another exchange has renewed the entry since this one asked after it: goes on with what is there
    /// now, if the conditions that were sent are those of that, and nothing was purged.
    private static func followRenewal(
        _ exchange: inout Exchange, _ store: borrowing StoreThread, _ request: borrowing RequestHead,
        _ scratch: inout ByteBuffer
    ) -> Bool {
        let hash = exchange.keyed.hash
        guard let old = exchange.fetch.renewal,
            let view = StoreFinding.newest(
                exchange.lookup(exchange.fetch.sentAt), in: store, preferring: .identity, request.fields),
            let original = store.original(key: exchange.key, hash: hash, serial: view.serial)
        else { return false }
        scratch.removeAll()
        let hasSameValidators =
            Validators.append(head: original.head, to: &scratch)
            && scratch.span.equals(exchange.conditions)
        guard
            let renewal = old.following(
                serial: view.serial, isPurged: store.stamp(hash) != exchange.fetch.stamp,
                hasSameValidators: hasSameValidators)
        else { return false }
        exchange.fetch.renewal = renewal
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
            head: head.span, body: original.body, status: EntryFacts(original.facts).status, age,
            .refused(exchange.fetch.forwardReason))
        let answer = content.answer(
            lookup, by: rules, request, into: &out)
        exchange.outcome.status = answer.status
        return client.send(out, answer.body)
    }
}
