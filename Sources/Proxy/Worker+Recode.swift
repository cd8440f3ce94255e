internal import Bytes
internal import Caching
internal import Compression
internal import Exchange
internal import HTTP
internal import Kernel
internal import Loop
internal import Settings
internal import Store

/// Bodies that reach the client in another coding than the origin's: compressed as they stream, or decoded
/// for a client that cannot take what the origin coded unasked.
extension Worker {
    // MARK: What becomes of an answer

    /// What becomes of the answer in `response` over `outbound`: of a 304, what would of its 200.
    mutating func chooseTransform(_ f: Handle, isCompressible: Bool) -> HeadTransform {
        let route = forwards[f].route
        guard site.routes[route].caches else { return .none }
        var asksForRange = forwards[f].verdict.flags.contains(.range)
        if !forwards[f].verdict.mayLookup {
            // A request that bypasses may not have been read that far.
            parseHead(f)
            asksForRange = request.fields.contains(.range)
        }
        let accepted = Self.accepted(&forwards[f], request)
        if isCompressible {
            let coding = asksForRange ? nil : site.routes[route].rules.compression.choose(accepted: accepted)
            return coding.map { .coded($0) } ?? .varies
        }
        if response.status == 304 {
            parseHead(f)
            return Self.holdsWeakened(request, &forwards[f], response, outbound) ? .decoded : .none
        }
        guard response.fields.contains(.contentEncoding), Self.mayBeUndone(response, outbound) else {
            return .none
        }
        let isDecoded =
            !accepted.contains(.gzip) && accepted.contains(.identity) && response.status != 206
        return isDecoded ? .decoded : .varies
    }

    /// Has the body of the answer changed as its transform says; where that cannot be, it stays.
    mutating func beginRecoding(_ f: Handle, isStored: Bool) {
        // To HEAD, what GET would be answered; and no other answer without a body has one to be changed.
        guard response.framing != .none else { return }
        let isBegun =
            switch forwards[f].transform.change {
            case .none, .varies: true
            case .coded(let coding): beginEncoding(f, coding, isStored: isStored)
            case .decoded: beginDecoding(f)
            }
        if !isBegun { forwards[f].transform = .varies }
    }

    private mutating func beginEncoding(_ f: Handle, _ coding: Codings, isStored: Bool) -> Bool {
        let effort: Effort
        switch compressionGuard.verdict {
        case .full: effort = .stream
        case .low: effort = .streamLow
        case .off: return false
        }
        guard let known = ContentCoding(coding), fillBytes + known.encoderBytes <= site.fillLimit,
            let encoder = encoders.take(known, effort)
        else { return false }
        fillBytes += known.encoderBytes
        let variant: ByteBuffer? = isStored ? ByteBuffer(capacity: Self.variantCapacity) : nil
        if isStored { fillBytes += Self.variantCapacity }
        forwards[f].recoder = .encoding(Recoder.Encoding(encoder: encoder, variant: variant))
        return true
    }

    private mutating func beginDecoding(_ f: Handle) -> Bool {
        guard let decoder = Decoder() else { return false }
        forwards[f].recoder = .decoding(Recoder.Decoding(decoder: decoder))
        return true
    }

    /// May the answer in `response` be compressed? What may be stored was judged for that already.
    static func isCompressible(
        _ response: borrowing ResponseHead, _ outbound: borrowing ByteBuffer, _ route: borrowing Site.Route,
        _ storable: EntryFacts?
    ) -> Bool {
        guard route.caches else { return false }
        if let facts = storable { return facts.flags.contains(.compressible) }
        return route.rules.isCompressible(response, outbound.span)
    }

    private static var variantCapacity: Int { 4 * 1024 }

    private static func accepted(_ forward: inout Forward, _ request: borrowing RequestHead) -> Codings {
        forward.verdict.mayLookup ? forward.verdict.codings : .accepted(by: request.fields, forward.head)
    }

    private static func holdsWeakened(
        _ request: borrowing RequestHead, _ forward: inout Forward, _ response: borrowing ResponseHead,
        _ outbound: borrowing ByteBuffer
    ) -> Bool { Conditional.holdsWeakened(request, forward.head, response, outbound.span) }

    private static func mayBeUndone(
        _ response: borrowing ResponseHead, _ outbound: borrowing ByteBuffer
    ) -> Bool { Rules.mayBeUndone(response, outbound.span) }

    // MARK: Bytes

    /// Takes a run of the body: encodes it into `coded`, or lets it wait to be decoded. False: the library
    /// failed.
    static func recode(
        _ recoder: inout Recoder, _ bytes: borrowing ByteBuffer, _ range: Range<Int>,
        into coded: inout ByteBuffer
    ) -> Bool {
        var done = true
        switch consume recoder {
        case .none: recoder = .none
        case .encoding(var encoding):
            done = encoding.encoder.encode(bytes.span.extracting(range), .none, into: &coded)
            encoding.holdsBack = true
            recoder = .encoding(encoding)
        case .decoding(var decoding):
            decoding.waiting.append(bytes.span.extracting(range))
            recoder = .decoding(decoding)
        }
        return done
    }

    /// Lets out what the encoder holds back, if the origin has no more for us at once: nothing that was said
    /// waits for what has not been. Adds `coded` to `out` and to the variant.
    mutating func endEncoding(_ f: Handle, _ o: Handle, complete: Bool) -> Bool {
        let flush: FlushMode = complete ? .finish : origins[o].channel.readable ? .none : .flush
        let limit = site.routes[forwards[f].route].rules.maxBodyBytes
        let room = site.fillLimit - fillBytes
        let before = Self.variantBytes(&forwards[f].recoder)
        guard
            Self.finishRun(
                &forwards[f].recoder, flush, into: &coded, limit: min(limit, room + before),
                lowers: compressionGuard.verdict != .full)
        else { return false }
        fillBytes += Self.variantBytes(&forwards[f].recoder) - before
        if forwards[f].client != nil, !coded.isEmpty {
            if forwards[f].framing == .chunked {
                appendChunk(coded, 0..<coded.count, to: &out)
            } else {
                appendRun(coded, 0..<coded.count, to: &out)
            }
        }
        return true
    }

    private static func variantBytes(_ recoder: inout Recoder) -> Int {
        switch recoder {
        case .none: return 0
        case .decoding: return 0
        case .encoding(let encoding):
            switch encoding.variant {
            case .some(let variant): return variant.capacity
            case .none: return 0
            }
        }
    }

    private static func finishRun(
        _ recoder: inout Recoder, _ flush: FlushMode, into coded: inout ByteBuffer, limit: Int, lowers: Bool
    ) -> Bool {
        guard case .encoding(var encoding) = consume recoder else {
            recoder = .none
            return true
        }
        var done = true
        if lowers { encoding.encoder.lower() }
        if flush == .finish || flush == .flush && encoding.holdsBack {
            done = encoding.encoder.encode(Span(), flush, into: &coded)
            encoding.holdsBack = false
        }
        if var variant = encoding.variant.take(), variant.count + coded.count <= limit {
            variant.append(coded.span)
            encoding.variant = consume variant
        }
        recoder = .encoding(encoding)
        return done
    }

    /// Has the encoder taken bytes that are not let out?
    @inline(__always)
    func holdsBack(_ f: Handle) -> Bool {
        switch forwards[f].recoder {
        case .none: false
        case .encoding(let encoding): encoding.holdsBack
        case .decoding: false
        }
    }

    // MARK: Decoding

    /// Decodes what waits, as far as the client keeps up, and sends it behind `out`. Called again when the
    /// client has taken what was sent.
    mutating func passDecoded(_ f: Handle, _ o: Handle, isLast: Bool) {
        var isUnsent = !out.isEmpty
        while let c = forwards[f].client {
            coded.removeAll()
            let (step, isLast) = Self.decodeRun(&forwards[f].recoder, into: &coded, isLast: isLast)
            let isWhole = step == .end && isLast
            guard step != .malformed, isWhole || !isLast || step == .full else {
                // While the head waits for what is damaged, the answer can still be an honest error.
                if isUnsent { forwards[f].responseStarted = false }
                fail(f, isUnsent ? .malformed : .truncated)
                return
            }
            isUnsent = false
            if forwards[f].framing == .chunked {
                if !coded.isEmpty { appendChunk(coded, 0..<coded.count, to: &out) }
                if isWhole { out.append("0\r\n\r\n") }
            } else {
                appendRun(coded, 0..<coded.count, to: &out)
            }
            let isSent = out.isEmpty || clients[c].channel.send(out)
            out.removeAll()
            guard isSent else {
                dropClient(c)
                if forwards.contains(f) { endPass(f, o, complete: isLast, failed: false) }
                return
            }
            if !clients[c].channel.isFlushed {
                clientTimers.set(id: id(c), deadline: now.milliseconds + site.writeTimeout)
            }
            guard step == .full else {
                endPass(f, o, complete: isWhole, failed: false)
                return
            }
            if clients[c].channel.backlog >= Channel.window {
                renewDeadline(f, o)
                return
            }
        }
        endPass(f, o, complete: isLast, failed: false)
    }

    /// Nobody is there to take what is decoded.
    mutating func stopDecoding(_ f: Handle) {
        if forwards[f].transform.change == .decoded { forwards[f].recoder = .none }
    }

    /// Does decoded output wait for its client to take what was sent?
    @inline(__always)
    func hasUndecoded(_ f: Handle) -> Bool {
        switch forwards[f].recoder {
        case .none: false
        case .encoding: false
        case .decoding(let decoding): decoding.isHeldUp
        }
    }

    private static func decodeRun(
        _ recoder: inout Recoder, into coded: inout ByteBuffer, isLast: Bool
    ) -> (Decoder.Step, isLast: Bool) {
        guard case .decoding(var decoding) = consume recoder else {
            recoder = .none
            return (.malformed, isLast)
        }
        if isLast { decoding.isLast = true }
        let (step, used) = decode(&decoding.decoder, decoding.waiting, into: &coded)
        decoding.waiting.removeFirst(used)
        decoding.isHeldUp = step == .full
        let last = decoding.isLast
        recoder = .decoding(decoding)
        return (step, last)
    }

    private static func decode(
        _ decoder: inout Decoder, _ waiting: borrowing ByteBuffer, into coded: inout ByteBuffer
    ) -> (Decoder.Step, used: Int) {
        var offset = 0
        let step = decoder.decode(waiting.span, from: &offset, into: &coded, atMost: Channel.window)
        return (step, offset)
    }

    // MARK: The end

    /// The coded stream is whole: it goes into the store as the variant of what was committed.
    mutating func commitVariant(_ f: Handle) {
        fillBytes -= Self.variantBytes(&forwards[f].recoder)
        guard let variant = Self.takeVariant(&forwards[f].recoder), forwards[f].serial != 0,
            case .coded(let coding) = forwards[f].transform.change
        else { return }
        Self.commit(
            variant, coding, of: &forwards[f], into: &store,
            headLimit: site.routes[forwards[f].route].rules.maxHeadBytes, &storedHead, &vary, now.times)
        // Nothing is owed to it any more.
        forwards[f].serial = 0
    }

    private static func takeVariant(_ recoder: inout Recoder) -> ByteBuffer? {
        guard case .encoding(var encoding) = consume recoder else {
            recoder = .none
            return nil
        }
        let variant = encoding.variant.take()
        recoder = .encoding(encoding)
        return variant
    }

    private static func commit(
        _ body: borrowing ByteBuffer, _ coding: Codings, of forward: inout Forward,
        into store: inout StoreThread, headLimit: Int, _ head: inout ByteBuffer, _ vary: inout ByteBuffer,
        _ now: Times
    ) {
        guard
            let variation = derive(
                coding, bodyCount: body.count, of: &forward, store, headLimit: headLimit, &head, &vary)
        else { return }
        insert(
            variation, into: &store, key: forward.key, forward.keyed.hash, head: head, body: body, vary: vary,
            now: now, stamp: forward.stamp)
    }

    /// Head, Vary values and facts for the variant, from its original; nil where that is gone (then the claim
    /// is given back) or no larger.
    private static func derive(
        _ coding: Codings, bodyCount: Int, of forward: inout Forward, _ store: borrowing StoreThread,
        headLimit: Int, _ head: inout ByteBuffer, _ vary: inout ByteBuffer
    ) -> Variation? {
        guard
            let view = store.original(
                key: forward.key, hash: forward.keyed.hash, serial: forward.serial)
        else {
            giveBack(coding, of: &forward, store)
            return nil
        }
        guard VariantMaker.isWorthIt(bodyCount, insteadOf: view.body.count) else { return nil }
        head.removeAll()
        vary.removeAll()
        vary.append(view.vary)
        var facts = EntryFacts(view.facts)
        facts.coding = coding
        let isDerived = StoredHead.derive(
            from: view.head, coding: coding, bodyCount: bodyCount, limit: headLimit, into: &head)
        return isDerived ? Variation(facts: facts, serial: forward.serial) : nil
    }

    private static func giveBack(_ coding: Codings, of forward: inout Forward, _ store: borrowing StoreThread)
    {
        giveBack(coding, of: forward.serial, store, key: forward.key, forward.keyed.hash)
    }

    /// Gives back what the recoder holds: the claim, too, where a stored answer's variant was never whole, or
    /// was given up for want of room.
    mutating func dropRecoder(_ f: Handle) {
        fillBytes -= Self.variantBytes(&forwards[f].recoder)
        if let encoder = Self.takeEncoder(&forwards[f].recoder) {
            fillBytes -= encoder.coding.encoderBytes
            if forwards[f].serial != 0 {
                Self.giveBack(Codings(encoder.coding), of: &forwards[f], store)
            }
            encoders.give(encoder)
        }
    }

    private static func takeEncoder(_ recoder: inout Recoder) -> Encoder? {
        guard case .encoding(let encoding) = consume recoder else {
            recoder = .none
            return nil
        }
        recoder = .none
        return encoding.encoder
    }
}
