internal import Bytes
internal import Caching
internal import Compression
internal import HTTP
internal import Loop
internal import Store

/// Other codings of what is stored: asked of the helper threads once for each body, committed where a stream
/// was compressed anyway, and undone for the rare client that cannot take what the origin coded.
extension Worker {
    /// The most bytes that a stored body is decoded to for one answer.
    private static var decodedLimit: Int { 1 << 20 }

    /// Claims to have a coding made: on the record at hand, and where that is a variant itself, on its
    /// original too.
    @inline(__always)
    static func claim(
        _ coding: ContentCoding, of view: RecordView, in store: borrowing StoreThread, _ key: Span<UInt8>,
        _ hash: Hash128
    ) -> Bool {
        guard store.isUnclaimed(view, coding: coding.rawValue), store.claim(view, coding: coding.rawValue)
        else { return false }
        guard view.isDerived else { return true }
        guard let original = store.original(key: key, hash: hash, serial: view.serial) else { return false }
        return store.claim(original, coding: coding.rawValue)
    }

    /// Has a coding made of the original that the key at hand leads to.
    mutating func requestVariant(
        _ coding: ContentCoding, of serial: UInt64, _ keyed: KeyedRequest, route: Int
    ) {
        let job = VariantJob(
            key: key.span.copied, hash: keyed.hash, serial: serial, coding: coding,
            headLimit: site.routes[route].rules.maxHeadBytes)
        if helpers.request(job) { return }
        store.disclaim(coding: coding.rawValue, of: serial, hash: keyed.hash)
    }

    /// Answers from an entry in a coding that this client does not take: decodes it, and stores that beside
    /// it, so that the next such client has a plain hit.
    /// - Parameter hit: what is known of the entry.
    mutating func answerDecoded(
        _ h: Handle, route: Int, verdict: RequestVerdict, _ keyed: KeyedRequest, headCount: Int, _ age: Age,
        _ again: Again?, _ hit: Hit
    ) -> StoreAnswer {
        let stamp = store.stamp(keyed.hash)
        let limit = site.routes[route].rules.maxHeadBytes
        guard
            let decoded = Self.decode(
                store, key, keyed.hash, verdict, request, inbound, headLimit: limit, head: &storedHead,
                body: &coded, vary: &vary, decoder: &decoder)
        else { return .absent }
        var hit = hit
        hit.status = decoded.facts.status
        Self.respond(
            &clients[h], site.routes[route].rules, request, inbound, key, verdict, keyed, now.times,
            head: storedHead, body: coded, age, again?.served ?? .hit, &out, &hit)
        Self.insert(
            decoded, into: &store, key: key, keyed.hash, head: storedHead, body: coded, vary: vary,
            now: now.times, stamp: stamp)
        finishHit(h, route: route, &hit, headCount: headCount, again)
        return .answered
    }

    /// As the other, with head and body in buffers of the thread.
    private static func respond(
        _ client: inout Client, _ rules: borrowing Rules, _ request: borrowing RequestHead,
        _ inbound: borrowing ByteBuffer, _ key: borrowing ByteBuffer, _ verdict: RequestVerdict,
        _ keyed: KeyedRequest, _ now: Times, head: borrowing ByteBuffer, body: borrowing ByteBuffer,
        _ age: Age, _ served: CacheStatus.Served, _ out: inout ByteBuffer,
        _ hit: inout Hit
    ) {
        respond(
            &client, rules, request, inbound.span, key.span.extracting(droppingFirst: keyed.routingStart),
            verdict, now, head: head.span, body: body.span, age, served, &out, &hit)
    }

    /// A variant to be stored: what its original was judged to be, and that one's serial.
    struct Variation {
        var facts: EntryFacts
        var serial: UInt64
    }

    /// Finds the entry again and decodes it: its identity head and body, and its Vary values.
    private static func decode(
        _ store: borrowing StoreThread, _ key: borrowing ByteBuffer, _ hash: Hash128,
        _ verdict: RequestVerdict, _ request: borrowing RequestHead, _ inbound: borrowing ByteBuffer,
        headLimit: Int, head: inout ByteBuffer, body: inout ByteBuffer, vary: inout ByteBuffer,
        decoder: inout Decoder?
    ) -> Variation? {
        guard
            let view = find(store, key.span, hash, verdict, .identity, request.fields, inbound.span),
            !StoredHead.forbidsTransform(view.head)
        else { return nil }
        var facts = EntryFacts(view.facts)
        facts.coding = .identity
        body.removeAll()
        // An empty body is no gzip, and decodes to itself.
        if !view.body.isEmpty {
            if decoder == nil { decoder = Decoder() }
            decoder?.reset()
            var offset = 0
            guard decoder?.decode(view.body, from: &offset, into: &body, atMost: decodedLimit) == .end else {
                return nil
            }
        }
        head.removeAll()
        vary.removeAll()
        vary.append(view.vary)
        let isDerived = StoredHead.derive(
            from: view.head, coding: .identity, bodyCount: body.count, limit: headLimit, into: &head)
        return isDerived ? Variation(facts: facts, serial: view.serial) : nil
    }

    private static func insert(
        _ variation: Variation, into store: inout StoreThread, key: borrowing ByteBuffer, _ hash: Hash128,
        head: borrowing ByteBuffer, body: borrowing ByteBuffer, vary: borrowing ByteBuffer, now: Times,
        stamp: FetchStamp
    ) {
        insert(
            variation, into: &store, key: key.span, hash, head: head, body: body, vary: vary, now: now,
            stamp: stamp)
    }

    /// Stores a variant beside its original. Where the store has no room just now, a later hit asks for it
    /// again; where there is no place for it, the claim stays.
    static func insert(
        _ variation: Variation, into store: inout StoreThread, key: Span<UInt8>, _ hash: Hash128,
        head: borrowing ByteBuffer, body: borrowing ByteBuffer, vary: borrowing ByteBuffer, now: Times,
        stamp: FetchStamp
    ) {
        let facts = variation.facts
        let outcome = store.insert(
            key: key, hash: hash,
            variant: .derived(coding: facts.coding.rawValue, from: variation.serial), facts: facts.record,
            vary: vary.span, head: head.span, body: body.span, expires: facts.expirySeconds,
            now: UInt32(clamping: now.wallSeconds), stamp: stamp)
        switch outcome {
        case .pressure, .invalidated:
            giveBack(facts.coding, of: variation.serial, store, key: key, hash)
        case .stored, .crowded, .tooLarge: break
        }
    }

    /// Gives back the claim to make this coding of the original with this serial. Where that was renewed
    /// meanwhile, the claim went on to the new record. Only within a turn.
    static func giveBack(
        _ coding: Codings, of serial: UInt64, _ store: borrowing StoreThread, key: Span<UInt8>,
        _ hash: Hash128
    ) {
        store.disclaim(coding: coding.rawValue, of: serial, hash: hash)
        let present = store.lookup(key: key, hash: hash) { facts, _ in
            EntryFacts(facts).flags.contains(.compressible) ? 1 : 0
        }
        if let present, present.serial != serial {
            store.disclaim(coding: coding.rawValue, of: present.serial, hash: hash)
        }
    }
}

extension ContentCoding {
    /// nil for identity, and for what is no single coding.
    init?(_ coding: Codings) {
        guard let known = ContentCoding(rawValue: coding.rawValue) else { return nil }
        self = known
    }

    /// What an encoder of a stream counts for against `limits.buffers`: about what it holds
    /// (docs/compression.md).
    var encoderBytes: Int {
        switch self {
        case .gzip: 288 * 1024
        case .br: 1024 * 1024
        case .zstd: 768 * 1024
        }
    }
}

extension Codings {
    init(_ coding: ContentCoding) { self.init(rawValue: coding.rawValue) }
}

extension EntryFacts {
    /// Unix seconds from which the entry is not worth keeping.
    var expirySeconds: UInt32 {
        UInt32(clamping: received.wallMilliseconds / 1000 + keptSeconds)
    }
}
