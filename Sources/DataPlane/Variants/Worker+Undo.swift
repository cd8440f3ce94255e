internal import Bytes
internal import Caching
internal import Compression
internal import HTTP
internal import Loop
internal import Machines
internal import Store

/// Stored gzip that is undone for clients that do not take it.
///
/// A few coded bytes may stand for very many, so a body is undone in slices, a few of them in each turn, and
/// the exchanges that undo take their turns one behind the other:
///
///     the request finds gzip ─▶ checking ─▶ sound, and small enough ─▶ stored beside it: a plain hit
///                                       ├─▶ sound, but larger       ─▶ sending: decoded once more
///                                       └─▶ not sound               ─▶ goes as it is, or is fetched anew
///
/// Nothing is sent before the whole is known to be sound, so a client never gets half of a damaged body where
/// it could get all of it as the origin sent it. What is found not to be sound is marked on its record, by
/// the claim to derive its identity.
///
/// An answer that has to be undone for the client that had it fetched is stored first, and its client looked
/// up again: until then it is *held back*. If it cannot be stored after all, it goes out as it is.
extension Worker {
    /// Slices in a turn, of all exchanges: about a millisecond.
    static var slicesPerTurn: Int { 4 }

    // MARK: The beginning

    /// Begins to undo the entry that answers the request in `request` over `inbound`, and drops its head.
    /// - Parameter found: what is known of the entry.
    /// - Returns: false where there is no memory for it; then nothing has happened.
    mutating func beginUndoing(_ context: borrowing RequestContext, _ found: StoreFinding.Undecoded) -> Bool {
        let (h, again) = (context.client, context.again)
        let room = site.fillLimit - fillBytes
        guard let undoing = Self.borrow(store, scratch.key, context.keyed.hash, found, again, room: room)
        else { return false }
        let x = makeExchange(context, of: h, peer: nil, again?.forwardReason ?? .miss, nil)
        scratch.inbound.removeFirst(context.headCount)
        clients[h].phase = .exchange(x)
        exchanges[x].machine.undo(isSending: false)
        exchanges[x].answer.transform = .decoded
        fillBytes += undoing.bytes
        exchanges[x].answer.undoing = undoings.insert(undoing)
        queueUndoing(x)
        return true
    }

    private static func borrow(
        _ store: borrowing StoreThread, _ key: borrowing ByteBuffer, _ hash: Hash128,
        _ found: StoreFinding.Undecoded, _ again: Again?, room: Int
    ) -> Undoing? {
        let stamp = store.stamp(hash)
        guard let view = store.original(key: key.span, hash: hash, serial: found.serial),
            view.body.count + 32 * 1024 <= room, let decoder = Decoder()
        else { return nil }
        return Undoing(
            decoder: decoder, coded: copy(view.body), head: copy(view.head), vary: copy(view.vary),
            facts: EntryFacts(view.facts), serial: found.serial, stamp: stamp, age: found.age, again: again)
    }

    private static func copy(_ bytes: Span<UInt8>) -> ByteBuffer {
        var copy = ByteBuffer(capacity: max(bytes.count, 1))
        copy.append(bytes)
        return copy
    }

    // MARK: Turns

    /// Runs the slices of this turn.
    mutating func undoSlices() {
        let count = min(undoQueue.count, Self.slicesPerTurn)
        for index in 0..<count {
            let x = undoQueue[index]
            guard exchanges.contains(x), exchanges[x].answer.isUndone else { continue }
            undoings[exchanges[x].answer.undoing].isQueued = false
            undoSlice(x)
        }
        undoQueue.removeFirst(count)
    }

    /// Has the exchange's next slice run in its turn, if it undoes anything.
    mutating func queueUndoing(_ x: Handle<Exchange>) {
        guard exchanges[x].answer.isUndone, !undoings[exchanges[x].answer.undoing].isQueued else { return }
        undoings[exchanges[x].answer.undoing].isQueued = true
        undoQueue.append(x)
    }

    private mutating func undoSlice(_ x: Handle<Exchange>) {
        scratch.coded.removeAll()
        let u = exchanges[x].answer.undoing
        let before = undoings[u].bytes
        let step = undoings[u].decodeSlice(into: &scratch.coded, room: site.fillLimit - fillBytes)
        fillBytes += undoings[u].bytes - before
        if undoings[u].isSending {
            send(x, step)
            return
        }
        switch step {
        case .full: queueUndoing(x)
        case .end: endCheck(x)
        case .needMore, .malformed: giveUpUndoing(x)
        }
    }

    mutating func dropUndoing(_ x: Handle<Exchange>) {
        fillBytes -= undoings[exchanges[x].answer.undoing].bytes
        undoings.discard(exchanges[x].answer.undoing)
    }

    // MARK: Checked

    /// It is sound: it is stored beside its original, and the request looked up again; or sent as it is
    /// decoded.
    private mutating func endCheck(_ x: Handle<Exchange>) {
        let limit = site.routes[exchanges[x].route].rules.maxHeadBytes
        let isStored = Self.storeUndone(
            &undoings[exchanges[x].answer.undoing], of: &exchanges[x], &store, headLimit: limit,
            &scratch.storedHead, now.times)
        if isStored {
            lookAgainUndone(x, undoes: true)
        } else {
            beginSending(x)
        }
    }

    private static func storeUndone(
        _ undoing: inout Undoing, of exchange: inout Exchange, _ store: inout StoreThread, headLimit: Int,
        _ head: inout ByteBuffer, _ now: Times
    ) -> Bool {
        guard undoing.keepsPlain else { return false }
        var facts = undoing.facts
        facts.coding = .identity
        head.removeAll()
        guard
            StoredHead.derive(
                from: undoing.head.span, coding: .identity, bodyCount: undoing.count, limit: headLimit,
                into: &head)
        else { return false }
        let variant = StoredVariant(facts, of: undoing.serial, exchange.keyed.hash, undoing.stamp)
        return variant.insert(
            into: &store, key: exchange.key, head: head, body: undoing.plain, vary: undoing.vary, now: now)
    }

    /// It is not sound: nobody tries again, and the client gets it as it is, or what a fetch brings.
    private mutating func giveUpUndoing(_ x: Handle<Exchange>) {
        Self.markUnsound(undoings[exchanges[x].answer.undoing].serial, of: &exchanges[x], store)
        lookAgainUndone(x, undoes: false)
    }

    private static func markUnsound(
        _ serial: UInt64, of exchange: inout Exchange, _ store: borrowing StoreThread
    ) {
        guard let view = store.original(key: exchange.key, hash: exchange.keyed.hash, serial: serial)
        else { return }
        _ = store.claim(view, coding: Codings.identity.rawValue)
    }

    private mutating func lookAgainUndone(_ x: Handle<Exchange>, undoes: Bool) {
        var again = undoings[exchanges[x].answer.undoing].again ?? .undone(exchanges[x].started)
        again.undoes = undoes
        lookAgain(x, again)
    }

    // MARK: Sending

    private mutating func beginSending(_ x: Handle<Exchange>) {
        guard let c = exchanges[x].client else { return }
        parseHead(x)
        Self.composeUndone(
            &undoings[exchanges[x].answer.undoing], of: &exchanges[x], site.routes[exchanges[x].route].rules,
            isClosing: clients[c].closing, now.times, scratch.request, &scratch.storedHead, &scratch.out)
        exchanges[x].machine.undo(isSending: true)
        guard clients[c].send(scratch.out, Span()) else {
            dropClient(c)
            return
        }
        if exchanges[x].outcome.status == 304 || exchanges[x].method == .head {
            endUndoing(x)
        } else {
            queueUndoing(x)
        }
    }

    /// Composes the head in `out`; its body follows in slices.
    private static func composeUndone(
        _ undoing: inout Undoing, of exchange: inout Exchange, _ rules: borrowing Rules, isClosing: Bool,
        _ now: Times,
        _ request: borrowing RequestHead, _ head: inout ByteBuffer, _ out: inout ByteBuffer
    ) {
        head.removeAll()
        _ = StoredHead.derive(
            from: undoing.head.span, coding: .identity, bodyCount: undoing.count, limit: .max, into: &head)
        var lookup = exchange.lookup(now, isClosing: isClosing)
        // A part of what is decoded anew each time would cost as much as the whole.
        lookup.verdict.flags.remove(.range)
        let content = StoredContent(
            head: head.span, body: Span(), status: undoing.facts.status, undoing.age,
            undoing.again?.served ?? .hit)
        let answer = content.answer(
            lookup, by: rules, request, into: &out)
        exchange.outcome.status = answer.status
        undoing.beginSending()
    }

    /// Sends a slice, which is in `coded`.
    private mutating func send(_ x: Handle<Exchange>, _ step: Decoder.Step) {
        guard let c = exchanges[x].client else { return }
        guard clients[c].channel.send(scratch.coded) else {
            dropClient(c)
            return
        }
        if !clients[c].channel.isFlushed {
            clients.setDeadline(c, at: now.milliseconds + site.writeTimeout)
        }
        switch step {
        // A client that does not keep up goes on when it has taken what was sent.
        case .full: if clients[c].channel.backlog < Channel.window { queueUndoing(x) }
        case .end: endUndoing(x)
        case .needMore, .malformed: abort(x)
        }
    }

    private mutating func endUndoing(_ x: Handle<Exchange>) {
        logExchange(x)
        let client = exchanges[x].client
        forget(x)
        if let c = client { releaseClient(c) }
    }

    // MARK: Held back

    /// The answer cannot be stored after all: its head goes out, and what has come of its body, as they are.
    /// Both stand in `out` then.
    mutating func letGo(_ x: Handle<Exchange>, _ fill: inout Fill) {
        guard exchanges[x].machine.isHeldBack else { return }
        exchanges[x].machine.answer()
        guard exchanges[x].client != nil else { return }
        var scan = HeadScan()
        let result = scratch.response.parse(
            fill.head.span, limits: site.answerLimits, scan: &scan, requestMethod: exchanges[x].method)
        precondition(result == .complete(fill.head.count), "a kept response head changed")
        exchanges[x].answer.transform = .varies
        swap(&scratch.outbound, &fill.head)
        answerHead(x)
        swap(&scratch.outbound, &fill.head)
        guard !fill.body.isEmpty else { return }
        if exchanges[x].answer.framing == .chunked {
            appendChunk(fill.body, 0..<fill.body.count, to: &scratch.out)
        } else {
            appendRun(fill.body, 0..<fill.body.count, to: &scratch.out)
        }
    }

    /// The body of an answer that was held back has come whole; `out` has it where it was let go.
    /// - Returns: is the exchange over?
    mutating func concludeHeldBack(_ x: Handle<Exchange>) -> Bool {
        guard let c = exchanges[x].client else { return false }
        guard !exchanges[x].machine.isHeldBack else {
            releaseOrigin(x)
            lookAgain(x, .fetched)
            return true
        }
        if exchanges[x].answer.framing == .chunked { scratch.out.append("0\r\n\r\n") }
        guard clients[c].channel.send(scratch.out) else {
            dropClient(c)
            return true
        }
        return false
    }
}
