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
    /// Bytes that one slice makes at most, and bytes of the coded body that it reads at most.
    static var sliceBytes: Int { 64 * 1024 }
    private static var sliceInput: Int { 16 * 1024 }
    /// Slices in a turn, of all exchanges: about a millisecond.
    static var slicesPerTurn: Int { 4 }
    /// The most bytes that are stored of what a body is undone to.
    private static var storedLimit: Int { 1 << 20 }
    /// A body that is undone to more than this goes as it is.
    private static var undoneLimit: Int { 256 << 20 }

    // MARK: The beginning

    /// Begins to undo the entry that answers the request in `request` over `inbound`, and drops its head.
    /// - Parameter found: what is known of the entry.
    /// - Returns: false where there is no memory for it; then nothing has happened.
    mutating func beginUndoing(_ context: RequestContext, _ found: StoreFinding.Undecoded) -> Bool {
        let (h, again) = (context.client, context.again)
        let room = site.fillLimit - fillBytes
        guard let undoing = Self.borrow(store, scratch.key, context.keyed.hash, found, again, room: room)
        else { return false }
        let x = makeExchange(context, of: h, peer: nil, again?.forwardReason ?? .miss, nil)
        scratch.inbound.removeFirst(context.headCount)
        clients[h].phase = .exchange(x)
        exchanges[x].machine.undo(isSending: false)
        exchanges[x].answer.transform = .decoded
        exchanges[x].answer.recoder = .undoing(undoing)
        fillBytes += Self.undoingBytes(&exchanges[x].answer.recoder)
        queueUndoing(x)
        return true
    }

    private static func borrow(
        _ store: borrowing StoreThread, _ key: borrowing ByteBuffer, _ hash: Hash128,
        _ found: StoreFinding.Undecoded, _ again: Again?, room: Int
    ) -> Recoder.Undoing? {
        let stamp = store.stamp(hash)
        guard let view = store.original(key: key.span, hash: hash, serial: found.serial),
            view.body.count + 32 * 1024 <= room, let decoder = Decoder()
        else { return nil }
        return Recoder.Undoing(
            decoder: decoder, coded: copy(view.body), head: copy(view.head), vary: copy(view.vary),
            facts: EntryFacts(view.facts), serial: found.serial, stamp: stamp, age: found.age, again: again)
    }

    private static func copy(_ bytes: Span<UInt8>) -> ByteBuffer {
        var copy = ByteBuffer(capacity: max(bytes.count, 1))
        copy.append(bytes)
        return copy
    }

    /// What an exchange that undoes counts for against `limits.buffers`.
    static func undoingBytes(_ recoder: inout Recoder) -> Int {
        switch recoder {
        case .none: 0
        case .encoding: 0
        case .undoing(let undoing): undoing.coded.capacity + undoing.plain.capacity
        }
    }

    // MARK: Turns

    /// Runs the slices of this turn.
    mutating func undoSlices() {
        let count = min(undoQueue.count, Self.slicesPerTurn)
        for index in 0..<count {
            let x = undoQueue[index]
            guard exchanges.contains(x), Self.setQueued(&exchanges[x].answer.recoder, false) else { continue }
            undoSlice(x)
        }
        undoQueue.removeFirst(count)
    }

    /// Has the exchange's next slice run in its turn, if it undoes anything.
    mutating func queueUndoing(_ x: Handle<Exchange>) {
        if Self.setQueued(&exchanges[x].answer.recoder, true) { undoQueue.append(x) }
    }

    /// - Returns: is that news, of an exchange that undoes?
    private static func setQueued(_ recoder: inout Recoder, _ isQueued: Bool) -> Bool {
        guard case .undoing(var undoing) = consume recoder else {
            recoder = .none
            return false
        }
        let isNews = undoing.isQueued != isQueued
        undoing.isQueued = isQueued
        recoder = .undoing(undoing)
        return isNews
    }

    private mutating func undoSlice(_ x: Handle<Exchange>) {
        scratch.coded.removeAll()
        let before = Self.undoingBytes(&exchanges[x].answer.recoder)
        let (step, isSending) = Self.decodeSlice(
            &exchanges[x].answer.recoder, into: &scratch.coded, room: site.fillLimit - fillBytes)
        fillBytes += Self.undoingBytes(&exchanges[x].answer.recoder) - before
        if isSending {
            send(x, step)
            return
        }
        switch step {
        case .full: queueUndoing(x)
        case .end: endCheck(x)
        case .needMore, .malformed: giveUpUndoing(x)
        }
    }

    private static func decodeSlice(
        _ recoder: inout Recoder, into output: inout ByteBuffer, room: Int
    ) -> (Decoder.Step, isSending: Bool) {
        guard case .undoing(var undoing) = consume recoder else {
            recoder = .none
            return (.malformed, false)
        }
        // An empty body is no gzip, and decodes to itself.
        var step = Decoder.Step.end
        if !undoing.coded.isEmpty {
            (step, undoing.offset) = decode(
                &undoing.decoder, undoing.coded, from: undoing.offset, into: &output)
            if step == .needMore || step == .end, undoing.offset < undoing.coded.count { step = .full }
        }
        undoing.count += output.count
        if undoing.count > undoneLimit { step = .malformed }
        if undoing.keepsPlain {
            let count = undoing.plain.count + output.count
            undoing.keepsPlain = count <= storedLimit && output.count <= room
            if undoing.keepsPlain {
                undoing.plain.append(output.span)
            } else {
                undoing.plain = ByteBuffer(capacity: 1)
            }
        }
        let isSending = undoing.isSending
        recoder = .undoing(undoing)
        return (step, isSending)
    }

    private static func decode(
        _ decoder: inout Decoder, _ bytes: borrowing ByteBuffer, from offset: Int,
        into output: inout ByteBuffer
    ) -> (Decoder.Step, offset: Int) {
        var offset = offset
        let input = bytes.span.extracting(first: min(offset + sliceInput, bytes.count))
        let step = decoder.decode(input, from: &offset, into: &output, atMost: sliceBytes)
        return (step, offset)
    }

    // MARK: Checked

    /// It is sound: it is stored beside its original, and the request looked up again; or sent as it is
    /// decoded.
    private mutating func endCheck(_ x: Handle<Exchange>) {
        let limit = site.routes[exchanges[x].route].rules.maxHeadBytes
        if Self.storeUndone(&exchanges[x], &store, headLimit: limit, &scratch.storedHead, now.times) {
            lookAgainUndone(x, undoes: true)
        } else {
            beginSending(x)
        }
    }

    private static func storeUndone(
        _ exchange: inout Exchange, _ store: inout StoreThread, headLimit: Int, _ head: inout ByteBuffer,
        _ now: Times
    ) -> Bool {
        switch exchange.answer.recoder {
        case .none: return false
        case .encoding: return false
        case .undoing(let undoing):
            guard undoing.keepsPlain else { return false }
            var facts = undoing.facts
            facts.coding = .identity
            head.removeAll()
            guard
                StoredHead.derive(
                    from: undoing.head.span, coding: .identity, bodyCount: undoing.count,
                    limit: headLimit, into: &head)
            else { return false }
            let variant = StoredVariant(facts, of: undoing.serial, exchange.keyed.hash, undoing.stamp)
            return variant.insert(
                into: &store, key: exchange.key, head: head, body: undoing.plain, vary: undoing.vary,
                now: now)
        }
    }

    /// It is not sound: nobody tries again, and the client gets it as it is, or what a fetch brings.
    private mutating func giveUpUndoing(_ x: Handle<Exchange>) {
        Self.markUnsound(&exchanges[x], store)
        lookAgainUndone(x, undoes: false)
    }

    private static func markUnsound(_ exchange: inout Exchange, _ store: borrowing StoreThread) {
        let serial: UInt64
        switch exchange.answer.recoder {
        case .none: return
        case .encoding: return
        case .undoing(let undoing): serial = undoing.serial
        }
        guard let view = store.original(key: exchange.key, hash: exchange.keyed.hash, serial: serial)
        else { return }
        _ = store.claim(view, coding: Codings.identity.rawValue)
    }

    private mutating func lookAgainUndone(_ x: Handle<Exchange>, undoes: Bool) {
        var again =
            Self.again(&exchanges[x].answer.recoder)
            ?? .undone(exchanges[x].started)
        again.undoes = undoes
        lookAgain(x, again)
    }

    private static func again(_ recoder: inout Recoder) -> Again? {
        switch recoder {
        case .none: nil
        case .encoding: nil
        case .undoing(let undoing): undoing.again
        }
    }

    // MARK: Sending

    private mutating func beginSending(_ x: Handle<Exchange>) {
        guard let c = exchanges[x].client else { return }
        parseHead(x)
        Self.composeUndone(
            &exchanges[x], site.routes[exchanges[x].route].rules,
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
        _ exchange: inout Exchange, _ rules: borrowing Rules, isClosing: Bool, _ now: Times,
        _ request: borrowing RequestHead, _ head: inout ByteBuffer, _ out: inout ByteBuffer
    ) {
        var taken = Recoder.none
        swap(&taken, &exchange.answer.recoder)
        guard case .undoing(var undoing) = consume taken else { return }
        head.removeAll()
        _ = StoredHead.derive(
            from: undoing.head.span, coding: .identity, bodyCount: undoing.count, limit: .max, into: &head)
        var lookup = exchange.lookup(now, isClosing: isClosing)
        // A part of what is decoded anew each time would cost as much as the whole.
        lookup.verdict.flags.remove(.range)
        let content = StoredContent(
            head: head.span, body: Span(), undoing.age, undoing.again?.served ?? .hit)
        let answer = content.answer(
            lookup, by: rules, request, HitFacts(status: undoing.facts.status), into: &out)
        exchange.outcome.status = answer.facts.status
        undoing.decoder.reset()
        undoing.offset = 0
        undoing.count = 0
        undoing.isSending = true
        exchange.answer.recoder = .undoing(undoing)
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
