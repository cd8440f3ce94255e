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

    /// The transform of the response in `response` over `outbound` (`Rules.transform`).
    /// - Parameter whole: what is stored of it; of the response to a HEAD, what would be stored of the
    ///   response to GET; nil where nothing is.
    mutating func chooseTransform(_ x: Handle<Exchange>, _ whole: EntryFacts?) -> HeadTransform {
        let route = exchanges[x].route
        guard site.routes[route].caches else { return .none }
        let isNotModified = scratch.response.status == 304
        if !isNotModified {
            if let facts = whole {
                return site.routes[route].rules.transform(
                    of: facts, for: exchanges[x].verdict, mayUndo: exchanges[x].fetch.mayUndo)
            }
            guard
                Self.mayTransform(
                    unstored: scratch.response, scratch.outbound, exchanges[x].outcome.reason,
                    site.routes[route])
            else { return .none }
        }
        parseHead(x)
        return isNotModified
            ? Self.transform(
                ofNotModified: scratch.response, scratch.outbound, to: &exchanges[x], site.routes[route],
                scratch.request, now.times)
            : Self.transform(
                ofUnstored: scratch.response, scratch.outbound, to: &exchanges[x], site.routes[route],
                scratch.request, now.times)
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
        exchanges[x].answer.encoding = encodings.insert(Encoding(encoder: encoder, variant: variant))
        if isStored { exchanges[x].answer.claims = coding.rawValue }
        return true
    }

    private static func mayTransform(
        unstored response: borrowing ResponseHead, _ outbound: borrowing ByteBuffer, _ reason: Reason?,
        _ route: borrowing Site.Route
    ) -> Bool { route.rules.mayTransform(unstored: response, outbound.span, reason) }

    private static func transform(
        ofUnstored response: borrowing ResponseHead, _ outbound: borrowing ByteBuffer,
        to exchange: inout Exchange, _ route: borrowing Site.Route, _ request: borrowing RequestHead,
        _ now: Times
    ) -> HeadTransform {
        route.rules.transform(
            ofUnstored: response, outbound.span, to: exchange.verdict, request, exchange.head, received: now)
    }

    private static func transform(
        ofNotModified response: borrowing ResponseHead, _ outbound: borrowing ByteBuffer,
        to exchange: inout Exchange, _ route: borrowing Site.Route, _ request: borrowing RequestHead,
        _ now: Times
    ) -> HeadTransform {
        route.rules.transform(
            ofNotModified: response, outbound.span, to: exchange.verdict, request, exchange.head,
            received: now)
    }

    private static var variantCapacity: Int { 4 * 1024 }

    // MARK: Bytes

    /// Lets out what the encoder holds back, if the origin has no more for us at once: nothing that was said
    /// waits for what has not been. Adds `coded` to `out` and to the variant.
    mutating func endEncoding(_ x: Handle<Exchange>, _ o: Handle<Origin>, complete: Bool) -> Bool {
        guard exchanges[x].answer.isEncoded else { return true }
        let flush: FlushMode = complete ? .finish : origins[o].channel.readable ? .none : .flush
        let limit = site.routes[exchanges[x].route].rules.maxBodyBytes
        let room = site.fillLimit - bufferBytes
        let e = exchanges[x].answer.encoding
        let before = encodings[e].variantBytes
        let isDone = encodings[e].endRun(
            flush, into: &scratch.coded, limit: min(limit, room + before),
            lowers: compressionGuard.verdict != .full)
        guard isDone else { return false }
        let after = encodings[e].variantBytes
        fillBytes += after - before
        if after == 0 { exchanges[x].answer.claims = 0 }
        if exchanges[x].client != nil, !scratch.coded.isEmpty {
            if exchanges[x].answer.framing == .chunked {
                appendChunk(scratch.coded, 0..<scratch.coded.count, to: &scratch.out)
            } else {
                appendRun(scratch.coded, 0..<scratch.coded.count, to: &scratch.out)
            }
        }
        return true
    }

    /// The encoder has taken bytes that it has not let out.
    @inline(__always)
    func holdsBack(_ x: Handle<Exchange>) -> Bool {
        exchanges[x].answer.isEncoded && encodings[exchanges[x].answer.encoding].holdsBack
    }

    // MARK: The end

    /// The coded stream is whole: it goes into the store as the variant of what was committed.
    mutating func commitVariant(_ x: Handle<Exchange>) {
        let e = exchanges[x].answer.encoding
        fillBytes -= encodings[e].variantBytes
        guard let variant = encodings[e].variant.take(), exchanges[x].outcome.serial != 0,
            case .coded(let coding) = exchanges[x].answer.transform.change
        else { return }
        Self.commit(
            variant, coding, of: &exchanges[x], into: &store,
            headLimit: site.routes[exchanges[x].route].rules.maxHeadBytes, &scratch.storedHead, &scratch.vary,
            now.times)
        // Nothing is owed to it any more.
        exchanges[x].outcome.serial = 0
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

    /// Gives the encoder back. Where the variant of a stored response was never whole, or was given up for
    /// want of room, its claim is given back too.
    mutating func dropEncoding(_ x: Handle<Exchange>) {
        guard let encoding = encodings.remove(exchanges[x].answer.encoding) else { return }
        let coding = encoding.encoder.coding
        fillBytes -= encoding.variantBytes + coding.encoderBytes
        if exchanges[x].outcome.serial != 0 { Self.giveBack(Codings(coding), of: &exchanges[x], store) }
        encoders.give(encoding.encoder)
    }
}
