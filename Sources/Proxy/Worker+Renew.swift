internal import Bytes
internal import Caching
internal import Exchange
internal import HTTP
internal import Loop
internal import Store

/// The ends of a revalidation that are no new answer: a 304, or an error that the entry outlives.
extension Worker {
    /// Deals with the answer in `response` at the front of `outbound`, if it is not to be passed on.
    mutating func endsRevalidation(_ f: Handle, _ o: Handle, headCount: Int) -> Bool {
        guard let renewal = forwards[f].renewal else { return false }
        if response.status == 304, renewal.isConditional {
            renew(f, o, headCount: headCount)
            return true
        }
        if response.status == 200, forwards[f].method == .head { updateByHead(f) }
        if response.status >= 500, renewal.mayIfError, forwards[f].client != nil,
            Self.hasEntry(store, &forwards[f])
        {
            counters.failed(forwards[f].server)
            note(f, .errorStatus)
            tell(f, .stale)
            forwards[f].origin = nil
            closeOrigin(o)
            lookAgain(f, .failed, failure: response.status, status: response.status)
            return true
        }
        return false
    }

    private static func hasEntry(_ store: borrowing StoreThread, _ forward: inout Forward) -> Bool {
        entry(of: forward, in: store) != nil
    }

    /// The original that the exchange may renew; nil where it is gone.
    @_lifetime(borrow store)
    private static func entry(
        of forward: borrowing Forward, in store: borrowing StoreThread
    ) -> RecordView? {
        guard let renewal = forward.renewal else { return nil }
        return store.original(key: forward.key, hash: forward.keyed.hash, serial: renewal.serial)
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

    private mutating func renew(_ f: Handle, _ o: Handle, headCount: Int) {
        parseHead(f)
        let outcome = Self.renew(
            &forwards[f], &store, site.routes[forwards[f].route].rules, request, response, outbound,
            &storedHead, &coded, &vary, now.times)
        outbound.removeFirst(headCount)
        forwards[f].origin = nil
        if response.keepAlive, outbound.isEmpty { park(o) } else { closeOrigin(o) }
        switch outcome {
        case .renewed:
            settle(f, .stored)
            lookAgain(f, .renewed)
        case .useless:
            fetchAnew(f)
        case .mismatch:
            // The next one would be, too: it costs a second fetch once, and not each time.
            forwards[f].isFetchedWhole = true
            fetchAnew(f)
        case .refused(let reason, let age):
            forwards[f].reason = reason
            answerRefused(f, ageSeconds: age)
        }
    }

    /// Fetches once more, without conditions. The entry may still answer for an error, and goes where the
    /// answer may not be stored.
    private mutating func fetchAnew(_ f: Handle) {
        forwards[f].renewal?.isConditional = false
        forwards[f].sent = .nothing
        connect(f)
    }

    private static func renew(
        _ forward: inout Forward, _ store: inout StoreThread, _ rules: borrowing Rules,
        _ request: borrowing RequestHead, _ response: borrowing ResponseHead,
        _ outbound: borrowing ByteBuffer, _ head: inout ByteBuffer, _ scratch: inout ByteBuffer,
        _ vary: inout ByteBuffer, _ now: Times
    ) -> Renewed {
        guard let verdict = verdict(forward, store, rules, response, outbound, &head, now) else {
            guard followRenewal(&forward, store, request, &scratch),
                case .renewed = Self.verdict(forward, store, rules, response, outbound, &head, now)
            else { return .useless }
            return .renewed
        }
        switch verdict {
        case .mismatch: return .mismatch
        case .refused(let reason, let age): return .refused(reason, ageSeconds: age)
        case .renewed(let facts):
            let outcome = renew(
                &forward, &store, rules, request, facts, head: head, &scratch, &vary, now)
            if outcome == .invalidated, followRenewal(&forward, store, request, &scratch) { return .renewed }
            return outcome == .stored ? .renewed : .useless
        }
    }

    /// Where another exchange has renewed the entry since this one asked after it: goes on with what is there
    /// now, if the conditions that were sent are those of that, and nothing was purged.
    private static func followRenewal(
        _ forward: inout Forward, _ store: borrowing StoreThread, _ request: borrowing RequestHead,
        _ scratch: inout ByteBuffer
    ) -> Bool {
        let hash = forward.keyed.hash
        guard let old = forward.renewal, store.stamp(hash) == forward.stamp,
            let view = find(
                store, forward.key, hash, forward.verdict, .identity, request.fields, forward.head),
            view.serial != old.serial,
            let original = store.original(key: forward.key, hash: hash, serial: view.serial)
        else { return false }
        scratch.removeAll()
        guard Validators.append(head: original.head, to: &scratch), scratch.span.equals(forward.conditions)
        else { return false }
        forward.renewal = Renewal(
            serial: view.serial, isConditional: true, mayIfError: old.mayIfError,
            isFetchedWhole: old.isFetchedWhole)
        return true
    }

    private static func verdict(
        _ forward: borrowing Forward, _ store: borrowing StoreThread, _ rules: borrowing Rules,
        _ response: borrowing ResponseHead, _ outbound: borrowing ByteBuffer, _ head: inout ByteBuffer,
        _ now: Times
    ) -> RenewVerdict? {
        guard let original = entry(of: forward, in: store) else { return nil }
        head.removeAll()
        return rules.renew(
            original.head, by: response, outbound.span, to: forward.verdictOnTarget, sent: forward.sentAt,
            received: now, into: &head)
    }

    /// Writes the renewed records under the updated `head`.
    /// - Returns: nil where its Vary may not be stored: the entry goes then.
    private static func renew(
        _ forward: inout Forward, _ store: inout StoreThread, _ rules: borrowing Rules,
        _ request: borrowing RequestHead, _ facts: EntryFacts, head: borrowing ByteBuffer,
        _ scratch: inout ByteBuffer, _ vary: inout ByteBuffer, _ now: Times
    ) -> StoreOutcome? {
        vary.removeAll()
        let refusal = rules.writeVary(
            ofStored: head.span, request: request.fields, forward.head, into: &vary)
        guard refusal == nil else {
            removeEntry(&forward, store)
            return nil
        }
        let limit = rules.maxHeadBytes
        var facts = facts
        if let original = entry(of: forward, in: store) {
            facts.keepReach(of: EntryFacts(original.facts))
        }
        return store.renew(
            key: forward.key, hash: forward.keyed.hash, serial: forward.renewal?.serial ?? 0, vary: vary.span,
            expires: facts.expirySeconds, now: UInt32(clamping: now.wallSeconds), stamp: forward.stamp,
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
    private mutating func answerRefused(_ f: Handle, ageSeconds: UInt32) {
        settleStored(f)
        guard let c = forwards[f].client else {
            Self.removeEntry(&forwards[f], store)
            forget(f)
            return
        }
        var hit = Hit()
        let isAnswered = Self.respondRefused(
            &clients[c], &forwards[f], store, site.routes[forwards[f].route].rules, request,
            head: storedHead, Age(seconds: ageSeconds, timeToLive: 0), now.times, &out, &hit)
        Self.removeEntry(&forwards[f], store)
        guard isAnswered else {
            fetchAnew(f)
            return
        }
        forwards[f].status = hit.status
        logForward(f, isLost: !hit.sent)
        forget(f)
        if hit.sent { releaseClient(c) } else { closeClientNow(c) }
    }

    /// An answer that may not be stored takes the place of an entry, which goes. Errors of the origin leave
    /// it, and so do answers that are for this client alone.
    @inline(__always)
    mutating func refuse(_ f: Handle, status: UInt16) {
        // Else nobody waits for it, and there is no entry.
        if forwards[f].holdsReservation || forwards[f].renewal != nil { tellRefusal(f, status: status) }
    }

    private mutating func tellRefusal(_ f: Handle, status: UInt16) {
        guard forwards[f].verdict.mayStore else {
            // To a HEAD behind an answer: it tells nothing of what a GET will get.
            settle(f, .failed)
            return
        }
        guard let reason = forwards[f].reason, reason.liesInAnswer, status < 500,
            !Rules.isShapedByRequest(status: status)
        else {
            if let reason = forwards[f].reason { settleUnstorable(f, reason, remember: false) }
            settle(f, .unstorable(remember: false))
            return
        }
        let isLasting = Self.isLasting(
            reason, response, outbound, to: &forwards[f], site.routes[forwards[f].route], now.times)
        settleUnstorable(f, reason, remember: isLasting)
        Self.removeEntry(&forwards[f], store)
    }

    private static func isLasting(
        _ reason: Reason, _ response: borrowing ResponseHead, _ outbound: borrowing ByteBuffer,
        to forward: inout Forward, _ route: borrowing Site.Route, _ now: Times
    ) -> Bool {
        route.rules.isLasting(
            reason, of: response, outbound.span, to: forward.verdict, sent: forward.sentAt, received: now)
    }

    /// An answer to HEAD freshens the entry, or tells that it is outdated (§4.3.5). It is passed on all the
    /// same.
    private mutating func updateByHead(_ f: Handle) {
        parseHead(f)
        let isFreshened = Self.updateByHead(
            &forwards[f], &store, site.routes[forwards[f].route].rules, request, response, outbound,
            &storedHead, &coded, &vary, now.times)
        if isFreshened { settle(f, .stored) }
    }

    private static func updateByHead(
        _ forward: inout Forward, _ store: inout StoreThread, _ rules: borrowing Rules,
        _ request: borrowing RequestHead, _ response: borrowing ResponseHead,
        _ outbound: borrowing ByteBuffer, _ head: inout ByteBuffer, _ scratch: inout ByteBuffer,
        _ vary: inout ByteBuffer, _ now: Times
    ) -> Bool {
        switch headUpdate(forward, store, rules, response, outbound, &head, now) {
        case nil, .ignore: return false
        case .invalidate:
            removeEntry(&forward, store)
            return false
        case .freshened(var facts):
            if forward.isFetchedWhole { facts.flags.insert(.fetchedWhole) }
            let outcome = renew(
                &forward, &store, rules, request, facts, head: head, &scratch, &vary, now)
            return outcome == .stored
        }
    }

    private static func headUpdate(
        _ forward: borrowing Forward, _ store: borrowing StoreThread, _ rules: borrowing Rules,
        _ response: borrowing ResponseHead, _ outbound: borrowing ByteBuffer, _ head: inout ByteBuffer,
        _ now: Times
    ) -> HeadUpdate? {
        guard let original = entry(of: forward, in: store) else { return nil }
        head.removeAll()
        return rules.updateByHead(
            original.head, by: response, outbound.span, to: forward.verdictOnTarget, sent: forward.sentAt,
            received: now, into: &head)
    }

    private static func removeEntry(_ forward: inout Forward, _ store: borrowing StoreThread) {
        guard let renewal = forward.renewal else { return }
        store.remove(key: forward.key, hash: forward.keyed.hash, serial: renewal.serial)
    }

    private static func respondRefused(
        _ client: inout Client, _ forward: inout Forward, _ store: borrowing StoreThread,
        _ rules: borrowing Rules, _ request: borrowing RequestHead, head: borrowing ByteBuffer, _ age: Age,
        _ now: Times, _ out: inout ByteBuffer, _ hit: inout Hit
    ) -> Bool {
        // The body is the original's, in the coding that the updated head names.
        guard let original = entry(of: forward, in: store),
            forward.verdict.reach(of: EntryFacts(original.facts)) == .asStored
        else { return false }
        hit.status = EntryFacts(original.facts).status
        var verdict = forward.verdict
        verdict.reason = forward.reason
        respond(
            &client, rules, request, forward.head, forward.routingKey, verdict, now, head: head.span,
            body: original.body, age, .refused(forward.forwarding), &out, &hit)
        return true
    }
}
