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
            store, &clients[context.client], site.routes[context.route], scratch.request,
            scratch.inbound, scratch.key, context, now.times, &scratch.out)
        switch found {
        case .sent(let status, let facts, let isSent):
            if let use = facts.refreshes { refreshWhole(context, facts.serial, use) }
            if let coding = facts.wanted { requestVariant(coding, of: facts.serial, context) }
            concludeHit(context, status: status, isStale: facts.isStale, isSent: isSent)
            return nil
        case .undecoded(let found):
            if let use = found.refreshes { refreshWhole(context, found.serial, use) }
            if beginUndoing(context, found) { return nil }
            context.again = context.again ?? .undone(now.moment)
            context.again?.undoes = false
            return answerFromStore(&context)
        case .unanswered(let why): return why
        }
    }

    /// As `answerFromStore`, by the short way: of a request that is plain and is looked up for the first
    /// time.
    /// - Parameter isClosing: the connection ends behind the answer.
    @inline(__always)
    mutating func answerPlainly(
        _ h: Handle<Client>, _ judged: JudgedRequest, headCount: Int, isClosing: Bool
    ) -> PlainAnswer {
        let persistence = Persistence(isClosing: isClosing, minorVersion: scratch.request.minorVersion)
        let plain = Self.findPlainly(
            store, &clients, h, site.routes[judged.route], scratch.request, scratch.inbound, scratch.key,
            judged, now.times, persistence, &scratch.out, leavesShort: !log.isEnabled)
        switch plain {
        case .none: return store.hasNone(judged.keyed.hash) ? .absent : .unclear
        case .composed:
            scratch.inbound.removeFirst(headCount)
            return .composed
        case .sent(let status, let isSent):
            concludePlainly(h, judged, headCount: headCount, status: status, isSent: isSent)
            return .answered
        }
    }

    @inline(never)
    private mutating func concludePlainly(
        _ h: Handle<Client>, _ judged: JudgedRequest, headCount: Int, status: UInt16, isSent: Bool
    ) {
        let context = RequestContext(of: h, judged, headCount: headCount, started: now.moment, nil)
        concludeHit(context, status: status, isStale: false, isSent: isSent)
    }

    private enum FoundPlainly {
        case none
        /// The whole answer stands in `out`.
        case composed
        case sent(status: UInt16, isSent: Bool)
    }

    private enum Found {
        case sent(status: UInt16, HitFacts, isSent: Bool)
        case undecoded(StoreFinding.Undecoded)
        case unanswered(Unanswered)
    }

    /// Looks up, and sends what is found. A function of separate parts, because the store lends the body
    /// until it is sent.
    private static func find(
        _ store: borrowing StoreThread, _ client: inout Client, _ route: borrowing Site.Route,
        _ request: borrowing RequestHead, _ inbound: borrowing ByteBuffer, _ key: borrowing ByteBuffer,
        _ context: borrowing RequestContext, _ now: Times, _ out: inout ByteBuffer
    ) -> Found {
        var lookup = StoreLookup(
            bytes: inbound.span, key: key.span, context.keyed, context.verdict, now,
            Persistence(isClosing: client.closing, minorVersion: request.minorVersion))
        lookup.again = context.again
        switch StoreFinding.find(lookup, in: store, by: route.rules, request, into: &out) {
        case .answer(let answer, let facts):
            return .sent(status: answer.status, facts, isSent: client.send(out, answer.body))
        case .undecoded(let found): return .undecoded(found)
        case .unanswered(let why): return .unanswered(why)
        }
    }

    /// As `find`, by the short way.
    /// - Parameter leavesShort: an answer that stands whole in `out` is left to be sent, unless its
    ///   connection ends.
    @inline(__always)
    private static func findPlainly(
        _ store: borrowing StoreThread, _ clients: inout SlotTable<Client>, _ h: Handle<Client>,
        _ route: borrowing Site.Route, _ request: borrowing RequestHead, _ inbound: borrowing ByteBuffer,
        _ key: borrowing ByteBuffer, _ judged: JudgedRequest, _ now: Times, _ persistence: Persistence,
        _ out: inout ByteBuffer, leavesShort: Bool
    ) -> FoundPlainly {
        let lookup = StoreLookup(
            bytes: inbound.span, key: key.span, judged.keyed, judged.verdict, now, persistence)
        guard let hit = PlainHit.find(lookup, in: store, by: route.rules, request) else { return .none }
        let answer = hit.answer(lookup, by: route.rules, request, into: &out)
        if answer.body.isEmpty, leavesShort, !persistence.isClosing { return .composed }
        return .sent(status: answer.status, isSent: clients[h].send(out, answer.body))
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
        _ context: borrowing RequestContext, status: UInt16, isStale: Bool, isSent: Bool
    ) {
        let h = context.client
        if log.isEnabled { logHit(context, status: status, isStale: isStale, isLost: !isSent) }
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
