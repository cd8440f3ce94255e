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
    mutating func answerFromStore(_ context: inout RequestContext) -> Unanswered? {
        let found = Self.find(
            store, &clients[context.client], site.routes[context.route].rules, scratch.request,
            scratch.inbound, scratch.key, context, now.times, &scratch.out)
        let facts: HitFacts
        let isSent: Bool
        switch found {
        case .sent(let sentFacts, let sent): (facts, isSent) = (sentFacts, sent)
        case .undecoded(let found):
            if let use = found.refreshes { refreshWhole(context, found.serial, use) }
            if beginUndoing(context, found) { return nil }
            context.again = context.again ?? .undone(now.moment)
            context.again?.undoes = false
            return answerFromStore(&context)
        case .unanswered(let why): return why
        }
        if let use = facts.refreshes { refreshWhole(context, facts.serial, use) }
        if let coding = facts.wanted { requestVariant(coding, of: facts.serial, context) }
        concludeHit(context, facts, isSent: isSent)
        return nil
    }

    /// As `answerFromStore`, by the short way: of a request that is plain and is looked up for the first
    /// time.
    @inline(never)
    mutating func answerPlainly(_ context: inout RequestContext) -> PlainAnswer {
        guard
            let plain = Self.findPlainly(
                store, &clients[context.client], site.routes[context.route].rules, scratch.request,
                scratch.inbound, scratch.key, context, now.times, &scratch.out, sendsAll: log.isEnabled)
        else { return store.hasNone(context.keyed.hash) ? .absent : .unclear }
        guard let isSent = plain.isSent else {
            scratch.inbound.removeFirst(context.headCount)
            return .composed
        }
        concludeHit(context, plain.facts, isSent: isSent)
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
        _ context: borrowing RequestContext, _ now: Times, _ out: inout ByteBuffer
    ) -> Found {
        var lookup = StoreLookup(
            bytes: inbound.span, key: key.span, context.keyed, context.verdict, now,
            Persistence(isClosing: client.closing, minorVersion: request.minorVersion))
        lookup.again = context.again
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
        _ context: borrowing RequestContext, _ now: Times, _ out: inout ByteBuffer,
        sendsAll: Bool
    ) -> (facts: HitFacts, isSent: Bool?)? {
        let lookup = StoreLookup(
            bytes: inbound.span, key: key.span, context.keyed, context.verdict, now,
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
    private mutating func concludeHit(_ context: borrowing RequestContext, _ facts: HitFacts, isSent: Bool) {
        let h = context.client
        if log.isEnabled { logHit(context, facts, isLost: !isSent) }
        scratch.inbound.removeFirst(context.headCount)
        if !isSent {
            closeClientNow(h)
        } else if clients[h].closing {
            finishClient(h)
        } else if !clients[h].channel.isFlushed {
            clients.setDeadline(h, at: now.milliseconds + site.writeTimeout)
        }
    }

    /// Revalidates, behind an answer that was given stale, the entry that gave it. A request for a part has
    /// the whole revalidated.
    private mutating func refreshWhole(
        _ context: borrowing RequestContext, _ serial: UInt64, _ use: StaleUse
    ) {
        var whole = context.storing()
        if whole.verdict.mayRevalidate { refresh(&whole, serial, use) }
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
