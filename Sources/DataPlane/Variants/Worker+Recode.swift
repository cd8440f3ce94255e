internal import Bytes
internal import Caching
internal import Compression
internal import HTTP
internal import Kernel
internal import Loop
internal import Machines
internal import Settings
internal import Store

/// Bodies that are compressed as they stream to the client, and what becomes of each answer's coding. Stored
/// bodies are undone by `Worker+Undo`.
extension Worker {
    // MARK: What becomes of an answer

    /// What becomes of the answer in `response` over `outbound`: of a 304, what would of its 200.
    /// - Parameter whole: what is stored of it, or to HEAD, what would be of GET's; nil where nothing is.
    mutating func chooseTransform(_ x: Handle<Exchange>, _ whole: EntryFacts?) -> HeadTransform {
        let route = exchanges[x].route
        guard site.routes[route].caches else { return .none }
        if scratch.response.status == 304 { return chooseForNotModified(x) }
        if let facts = whole {
            guard Rules.variesByCoding(facts) else { return .none }
            let accepted = exchanges[x].verdict.codings
            guard facts.flags.contains(.undoable) else { return coded(x, accepted) }
            return exchanges[x].fetch.mayUndo && exchanges[x].verdict.reach(of: facts) == .undone
                ? .decoded : .varies
        }
        guard Self.isCompressible(scratch.response, scratch.outbound, site.routes[route]) else {
            return .none
        }
        parseHead(x)
        guard
            Self.mayCompress(
                unstored: scratch.response, scratch.outbound, to: &exchanges[x], site.routes[route],
                scratch.request, now.times)
        else { return .none }
        let asksForRange =
            exchanges[x].verdict.flags.contains(.range) || scratch.request.fields.contains(.range)
        return asksForRange ? .varies : coded(x, Self.accepted(&exchanges[x], scratch.request))
    }

    private func coded(_ x: Handle<Exchange>, _ accepted: Codings) -> HeadTransform {
        let choice = site.routes[exchanges[x].route].rules.compression.choose(accepted: accepted)
        return choice.map { .coded($0) } ?? .varies
    }

    /// Of an origin's own 304.
    private mutating func chooseForNotModified(_ x: Handle<Exchange>) -> HeadTransform {
        parseHead(x)
        let varies = Self.variesByCoding(
            notModified: scratch.response, scratch.outbound, to: &exchanges[x],
            site.routes[exchanges[x].route], scratch.request,
            now.times)
        guard varies else { return .none }
        return Self.clientHoldsWeakTag(scratch.request, &exchanges[x], scratch.response, scratch.outbound)
            ? .decoded : .varies
    }

    /// Has the body of the answer changed as its transform says; where that cannot be, it stays. (What is to
    /// be undone is stored first: `isHeldBack`.)
    mutating func beginRecoding(_ x: Handle<Exchange>, isStored: Bool) {
        // To HEAD, what GET would be answered; and no other answer without a body has one to be changed.
        guard scratch.response.framing != .none,
            case .coded(let coding) = exchanges[x].answer.transform.change,
            !beginEncoding(x, coding, isStored: isStored)
        else { return }
        exchanges[x].answer.transform = .varies
    }

    private mutating func beginEncoding(_ x: Handle<Exchange>, _ coding: Codings, isStored: Bool) -> Bool {
        let effort: Effort
        switch compressionGuard.verdict {
        case .full: effort = .stream
        case .low: effort = .streamLow
        case .off: return false
        }
        guard let known = ContentCoding(coding), bufferBytes + known.encoderBytes <= site.fillLimit,
            let encoder = encoders.take(known, effort)
        else { return false }
        fillBytes += known.encoderBytes
        let variant: ByteBuffer? = isStored ? ByteBuffer(capacity: Self.variantCapacity) : nil
        if isStored { fillBytes += Self.variantCapacity }
        exchanges[x].answer.recoder = .encoding(Recoder.Encoding(encoder: encoder, variant: variant))
        return true
    }

    private static func isCompressible(
        _ response: borrowing ResponseHead, _ outbound: borrowing ByteBuffer, _ route: borrowing Site.Route
    ) -> Bool { route.rules.isCompressible(response, outbound.span) }

    private static func mayCompress(
        unstored response: borrowing ResponseHead, _ outbound: borrowing ByteBuffer,
        to exchange: inout Exchange, _ route: borrowing Site.Route, _ request: borrowing RequestHead,
        _ now: Times
    ) -> Bool {
        route.rules.mayCompress(
            unstored: response, outbound.span, to: exchange.verdict, request, exchange.head, received: now)
    }

    private static func variesByCoding(
        notModified response: borrowing ResponseHead, _ outbound: borrowing ByteBuffer,
        to exchange: inout Exchange, _ route: borrowing Site.Route, _ request: borrowing RequestHead,
        _ now: Times
    ) -> Bool {
        route.rules.variesByCoding(
            notModified: response, outbound.span, to: exchange.verdict, request, exchange.head, received: now)
    }

    private static var variantCapacity: Int { 4 * 1024 }

    private static func accepted(_ exchange: inout Exchange, _ request: borrowing RequestHead) -> Codings {
        exchange.verdict.mayLookup ? exchange.verdict.codings : .accepted(by: request.fields, exchange.head)
    }

    private static func clientHoldsWeakTag(
        _ request: borrowing RequestHead, _ exchange: inout Exchange, _ response: borrowing ResponseHead,
        _ outbound: borrowing ByteBuffer
    ) -> Bool { Conditional.clientHoldsWeakTag(request, exchange.head, response, outbound.span) }

    // MARK: Bytes

    /// Takes a run of the body and encodes it into `coded`. False: the library failed.
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
        case .undoing(let undoing): recoder = .undoing(undoing)
        }
        return done
    }

    /// Lets out what the encoder holds back, if the origin has no more for us at once: nothing that was said
    /// waits for what has not been. Adds `coded` to `out` and to the variant.
    mutating func endEncoding(_ x: Handle<Exchange>, _ o: Handle<Origin>, complete: Bool) -> Bool {
        let flush: FlushMode = complete ? .finish : origins[o].channel.readable ? .none : .flush
        let limit = site.routes[exchanges[x].route].rules.maxBodyBytes
        let room = site.fillLimit - bufferBytes
        let before = Self.variantBytes(&exchanges[x].answer.recoder)
        guard
            Self.finishRun(
                &exchanges[x].answer.recoder, flush, into: &scratch.coded, limit: min(limit, room + before),
                lowers: compressionGuard.verdict != .full)
        else { return false }
        fillBytes += Self.variantBytes(&exchanges[x].answer.recoder) - before
        if exchanges[x].client != nil, !scratch.coded.isEmpty {
            if exchanges[x].answer.framing == .chunked {
                appendChunk(scratch.coded, 0..<scratch.coded.count, to: &scratch.out)
            } else {
                appendRun(scratch.coded, 0..<scratch.coded.count, to: &scratch.out)
            }
        }
        return true
    }

    private static func variantBytes(_ recoder: inout Recoder) -> Int {
        switch recoder {
        case .none: return 0
        case .undoing: return 0
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
    func holdsBack(_ x: Handle<Exchange>) -> Bool {
        switch exchanges[x].answer.recoder {
        case .none: false
        case .encoding(let encoding): encoding.holdsBack
        case .undoing: false
        }
    }

    // MARK: The end

    /// The coded stream is whole: it goes into the store as the variant of what was committed.
    mutating func commitVariant(_ x: Handle<Exchange>) {
        fillBytes -= Self.variantBytes(&exchanges[x].answer.recoder)
        guard let variant = Self.takeVariant(&exchanges[x].answer.recoder), exchanges[x].outcome.serial != 0,
            case .coded(let coding) = exchanges[x].answer.transform.change
        else { return }
        Self.commit(
            variant, coding, of: &exchanges[x], into: &store,
            headLimit: site.routes[exchanges[x].route].rules.maxHeadBytes, &scratch.storedHead, &scratch.vary,
            now.times)
        // Nothing is owed to it any more.
        exchanges[x].outcome.serial = 0
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
        _ body: borrowing ByteBuffer, _ coding: Codings, of exchange: inout Exchange,
        into store: inout StoreThread, headLimit: Int, _ head: inout ByteBuffer, _ vary: inout ByteBuffer,
        _ now: Times
    ) {
        guard
            let variant = derive(
                coding, bodyCount: body.count, of: &exchange, store, headLimit: headLimit, &head, &vary)
        else { return }
        variant.insert(into: &store, key: exchange.key, head: head, body: body, vary: vary, now: now)
    }

    /// Head, Vary values and facts for the variant, from its original; nil where that is gone (then the claim
    /// is given back) or no larger.
    private static func derive(
        _ coding: Codings, bodyCount: Int, of exchange: inout Exchange, _ store: borrowing StoreThread,
        headLimit: Int, _ head: inout ByteBuffer, _ vary: inout ByteBuffer
    ) -> StoredVariant? {
        guard
            let view = store.original(
                key: exchange.key, hash: exchange.keyed.hash, serial: exchange.outcome.serial)
        else {
            giveBack(coding, of: &exchange, store)
            return nil
        }
        guard CompressionRules.isWorthStoring(bodyCount, insteadOf: view.body.count) else { return nil }
        head.removeAll()
        vary.removeAll()
        vary.append(view.vary)
        var facts = EntryFacts(view.facts)
        facts.coding = coding
        let isDerived = StoredHead.derive(
            from: view.head, coding: coding, bodyCount: bodyCount, limit: headLimit, into: &head)
        guard isDerived else { return nil }
        return StoredVariant(facts, of: exchange.outcome.serial, exchange.keyed.hash, exchange.fetch.stamp)
    }

    private static func giveBack(
        _ coding: Codings, of exchange: inout Exchange, _ store: borrowing StoreThread
    ) {
        VariantClaim(coding: coding, serial: exchange.outcome.serial, hash: exchange.keyed.hash)
            .giveBack(in: store, key: exchange.key)
    }

    /// Gives back what the recoder holds: the claim, too, where a stored answer's variant was never whole, or
    /// was given up for want of room.
    mutating func dropRecoder(_ x: Handle<Exchange>) {
        fillBytes -=
            Self.variantBytes(&exchanges[x].answer.recoder) + Self.undoingBytes(&exchanges[x].answer.recoder)
        if let encoder = Self.takeEncoder(&exchanges[x].answer.recoder) {
            fillBytes -= encoder.coding.encoderBytes
            if exchanges[x].outcome.serial != 0 {
                Self.giveBack(Codings(encoder.coding), of: &exchanges[x], store)
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
