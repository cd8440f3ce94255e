internal import AccessLog
internal import Bytes
internal import Caching
internal import HTTP
internal import Kernel
internal import Loop
internal import Store

/// Sends answers from the store: the head from `out`, the body straight from shared memory. A small body is
/// gathered behind the head first. There is no allocation, no lock and no other copy; what the socket does
/// not take is copied before the turn goes on.
///
///     PlainHit        the short way: looks up, decides and composes nearly every hit
///     StoreFinding    the general way: everything that may be decided of what is stored
///     StoredAnswer    what both compose
extension Worker {
    /// Answers the request in `request` from the store, if an entry may answer it; drops the head from
    /// `inbound` then. Otherwise tells why the request goes on to an origin, and has the conditions of a
    /// revalidation, if there are any, in `out`.
    /// - Parameter again: what has happened since the request was looked up for the first time.
    /// - Returns: nil where it is answered.
    @inline(never)
    mutating func answerFromStore(
        _ h: Handle<Client>, route: Int, verdict: RequestVerdict, _ keyed: KeyedRequest, headCount: Int,
        again: Again?
    ) -> Unanswered? {
        let found = Self.find(
            store, &clients[h], site.routes[route].rules, scratch.request, scratch.inbound, scratch.key,
            verdict, keyed, again, now.times, &scratch.out)
        let facts: HitFacts
        let isSent: Bool
        switch found {
        case .sent(let sentFacts, let sent): (facts, isSent) = (sentFacts, sent)
        case .undecoded(let found):
            if let use = found.refreshes {
                refresh(h, route: route, verdict, keyed, headCount: headCount, found.serial, use)
            }
            if beginUndoing(h, route: route, verdict: verdict, keyed, headCount: headCount, again, found) {
                return nil
            }
            var again = again ?? .undone(now.moment)
            again.undoes = false
            return answerFromStore(
                h, route: route, verdict: verdict, keyed, headCount: headCount, again: again)
        case .unanswered(let why): return why
        }
        if let use = facts.refreshes {
            refresh(h, route: route, verdict, keyed, headCount: headCount, facts.serial, use)
        }
        if let coding = facts.wanted { requestVariant(coding, of: facts.serial, keyed, route: route) }
        concludeHit(h, route: route, facts, headCount: headCount, again, isSent: isSent)
        return nil
    }

    /// As `answerFromStore`, by the short way: of a request that is plain and is looked up for the first
    /// time.
    @inline(never)
    mutating func answerPlainly(
        _ h: Handle<Client>, route: Int, verdict: RequestVerdict, _ keyed: KeyedRequest, headCount: Int
    ) -> PlainAnswer {
        guard
            let plain = Self.findPlainly(
                store, &clients[h], site.routes[route].rules, scratch.request, scratch.inbound, scratch.key,
                verdict, keyed, now.times, &scratch.out, sendsAll: log.isEnabled)
        else { return store.hasNone(keyed.hash) ? .absent : .unclear }
        guard let isSent = plain.isSent else {
            scratch.inbound.removeFirst(headCount)
            return .composed
        }
        concludeHit(h, route: route, plain.facts, headCount: headCount, nil, isSent: isSent)
        return .answered
    }

    private enum Found {
        case sent(HitFacts, Bool)
        case undecoded(StoreFinding.Undecoded)
        case unanswered(Unanswered)
    }

    /// Looks up, and sends what is found. A function of separate parts, because the store lends the body
    /// until it is sent.
    private static func find(
        _ store: borrowing StoreThread, _ client: inout Client, _ rules: borrowing Rules,
        _ request: borrowing RequestHead, _ inbound: borrowing ByteBuffer, _ key: borrowing ByteBuffer,
        _ verdict: RequestVerdict, _ keyed: KeyedRequest, _ again: Again?, _ now: Times,
        _ out: inout ByteBuffer
    ) -> Found {
        var lookup = StoreLookup(
            bytes: inbound.span, key: key.span, keyed, verdict, now,
            Persistence(isClosing: client.closing, minorVersion: request.minorVersion))
        lookup.again = again
        switch StoreFinding.find(lookup, in: store, by: rules, request, into: &out) {
        case .answer(let answer): return .sent(answer.facts, client.send(out, answer.body))
        case .undecoded(let found): return .undecoded(found)
        case .unanswered(let why): return .unanswered(why)
        }
    }

    /// As `find`, by the short way. An answer that stands whole in `out` is left to be sent, unless
    /// `sendsAll`: `isSent` is nil then.
    @inline(__always)
    private static func findPlainly(
        _ store: borrowing StoreThread, _ client: inout Client, _ rules: borrowing Rules,
        _ request: borrowing RequestHead, _ inbound: borrowing ByteBuffer, _ key: borrowing ByteBuffer,
        _ verdict: RequestVerdict, _ keyed: KeyedRequest, _ now: Times, _ out: inout ByteBuffer,
        sendsAll: Bool
    ) -> (facts: HitFacts, isSent: Bool?)? {
        let lookup = StoreLookup(
            bytes: inbound.span, key: key.span, keyed, verdict, now,
            Persistence(isClosing: client.closing, minorVersion: request.minorVersion))
        guard let answer = PlainHit.find(lookup, in: store, by: rules, request, into: &out) else {
            return nil
        }
        if answer.body.isEmpty, !client.closing, !sendsAll { return (answer.facts, nil) }
        return (answer.facts, client.send(out, answer.body))
    }

    /// Sends what `answerPlainly` composed. It is inlined into the loop, because returns behind a system call
    /// are dear (`Socket`).
    @inline(__always)
    mutating func sendComposed(_ h: Handle<Client>) {
        let sent = clients[h].channel.send(scratch.out)
        if !sent {
            closeClientNow(h)
        } else if !clients[h].channel.isFlushed {
            clients.setDeadline(h, at: now.milliseconds + site.writeTimeout)
        }
    }

    /// The answer to the request at the front of `inbound` is sent, or kept for the socket to take: it is
    /// logged, its head dropped, and its connection goes on or ends.
    private mutating func concludeHit(
        _ h: Handle<Client>, route: Int, _ facts: HitFacts, headCount: Int, _ again: Again?, isSent: Bool
    ) {
        if log.isEnabled { logHit(h, route: route, facts, again, isLost: !isSent) }
        scratch.inbound.removeFirst(headCount)
        if !isSent {
            closeClientNow(h)
        } else if clients[h].closing {
            finishClient(h)
        } else if !clients[h].channel.isFlushed {
            clients.setDeadline(h, at: now.milliseconds + site.writeTimeout)
        }
    }

    /// Revalidates, behind an answer that was given stale, the entry that gave it.
    private mutating func refresh(
        _ h: Handle<Client>, route: Int, _ verdict: RequestVerdict, _ keyed: KeyedRequest, headCount: Int,
        _ serial: UInt64, _ use: StaleUse
    ) {
        // A request for a part has the whole revalidated.
        let whole = verdict.method == .get ? verdict.storing : verdict
        guard whole.mayRevalidate else { return }
        refresh(h, route: route, verdict: whole, keyed, headCount: headCount, serial: serial, use)
    }
}

extension Client {
    /// Sends the bytes of a buffer and a body behind them. False: the connection is broken.
    @inline(never)
    mutating func send(_ head: borrowing ByteBuffer, _ body: Span<UInt8>) -> Bool {
        if body.isEmpty { return channel.send(head.span, last: closing) }
        return channel.send(head.span, body, Span(), last: closing)
    }
}

/// What `answerPlainly` came to.
enum PlainAnswer {
    case answered
    /// The answer stands in `out`: `sendComposed`.
    case composed
    /// There is nothing for the request.
    case absent
    /// It takes `answerFromStore` to tell.
    case unclear
}
