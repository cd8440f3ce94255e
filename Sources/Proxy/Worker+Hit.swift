internal import Bytes
internal import Caching
internal import Compression
internal import HTTP
internal import Kernel
internal import Loop
internal import Settings
internal import Store

/// Answers from the store: one `sendmsg` of the stored head, a few lines of our own and the body, straight
/// from shared memory. No allocation, no lock, no copy; what the socket does not take is copied before the
/// turn goes on. A coding that this client would take and nobody has made yet is asked for, once.
extension Worker {
    /// Answers the request in `request` from the store, if an entry may answer it; drops the head from
    /// `inbound` then. Otherwise tells why the request goes on to an origin.
    mutating func answerFromStore(
        _ h: Handle, route: Int, _ rules: borrowing Rules, verdict: RequestVerdict, _ keyed: KeyedRequest,
        headCount: Int
    ) -> StoreAnswer {
        var hit = Hit()
        let answer = Self.serve(
            store, &clients[h].channel, rules, request, inbound, key, verdict, keyed,
            now.times,
            closing: clients[h].closing, &out, &hit)
        guard answer == .answered else {
            guard case .undecoded(let age, let ttl) = answer else { return answer }
            return answerDecoded(
                h, route: route, verdict: verdict, keyed, headCount: headCount, ageSeconds: age,
                ttlSeconds: ttl)
        }
        if let coding = hit.wanted { requestVariant(coding, of: hit.serial, keyed, route: route) }
        finishHit(h, route: route, hit, headCount: headCount)
        return answer
    }

    /// The answer is sent, or kept for the socket to take.
    mutating func finishHit(_ h: Handle, route: Int, _ hit: Hit, headCount: Int) {
        logHit(h, route: route, status: hit.status, bytes: hit.bytes)
        inbound.removeFirst(headCount)
        if !hit.sent {
            closeClientNow(h)
        } else if clients[h].closing {
            finishClient(h)
        } else if !clients[h].channel.isFlushed {
            clientTimers.set(id: id(h), deadline: now.milliseconds + site.writeTimeout)
        }
    }

    struct Hit {
        var status: UInt16 = 0
        var bytes = 0
        var sent = false
        /// A coding to be made of the original with this serial.
        var wanted: ContentCoding?
        var serial: UInt64 = 0
    }

    /// Looks up, decides and sends. A function of separate parts, because the borrowed view lives through all
    /// of it.
    private static func serve(
        _ store: borrowing StoreThread, _ channel: inout Channel, _ rules: borrowing Rules,
        _ request: borrowing RequestHead, _ inbound: borrowing ByteBuffer, _ key: borrowing ByteBuffer,
        _ verdict: RequestVerdict, _ keyed: KeyedRequest, _ now: Times, closing: Bool,
        _ out: inout ByteBuffer,
        _ hit: inout Hit
    ) -> StoreAnswer {
        // A range is of the bytes that the origin made, where they can be had.
        let preferred =
            verdict.flags.contains(.range)
            ? .identity : rules.compression.choose(accepted: verdict.codings) ?? .identity
        guard let view = find(store, key.span, keyed.hash, verdict, preferred, request.fields, inbound.span)
        else { return .absent }
        let entry = EntryFacts(view.facts)
        let ageSeconds: UInt32
        let ttlSeconds: UInt32
        switch rules.use(entry, for: verdict, now: now) {
        case .fresh(let age, let ttl):
            ageSeconds = age
            ttlSeconds = ttl
        case .stale: return .stale
        case .refresh(let reason, _): return .refresh(reason)
        case .refused(let reason): return .refused(reason)
        }
        if entry.coding != preferred {
            guard verdict.accepts(entry.coding) else {
                return .undecoded(ageSeconds: ageSeconds, ttlSeconds: ttlSeconds)
            }
            if entry.flags.contains(.compressible), let coding = ContentCoding(preferred),
                claim(coding, of: view, in: store, key.span, keyed.hash)
            {
                hit.wanted = coding
                hit.serial = view.serial
            }
        }
        hit.status = entry.status
        respond(
            &channel, rules, request, inbound, key, verdict, keyed, now, closing: closing, head: view.head,
            body: view.body, ageSeconds: ageSeconds, ttlSeconds: ttlSeconds, &out, &hit)
        return .answered
    }

    /// Sends a stored head and body, or the 304, 206 or 416 that they come to.
    static func respond(
        _ channel: inout Channel, _ rules: borrowing Rules, _ request: borrowing RequestHead,
        _ inbound: borrowing ByteBuffer, _ key: borrowing ByteBuffer, _ verdict: RequestVerdict,
        _ keyed: KeyedRequest, _ now: Times, closing: Bool, head: Span<UInt8>, body: Span<UInt8>,
        ageSeconds: UInt32, ttlSeconds: UInt32, _ out: inout ByteBuffer, _ hit: inout Hit
    ) {
        out.removeAll()
        var head = head
        var body = body
        if verdict.flags.contains(.conditional),
            Conditional.evaluate(
                request, inbound.span, status: hit.status, head: head, nowSeconds: now.wallSeconds)
                == .notModified
        {
            hit.status = 304
            Conditional.appendNotModified(head: head, to: &out)
            head = Span()
            body = Span()
        } else if verdict.method == .head {
            body = Span()
        } else if verdict.flags.contains(.range) {
            let part = RangeRequest.evaluate(
                request, inbound.span, head: head, status: hit.status, bodyCount: body.count,
                nowSeconds: now.wallSeconds)
            switch part {
            case .whole: break
            case .part(let range):
                hit.status = 206
                StoredHead.appendPartial(head, range, of: body.count, to: &out)
                head = Span()
                body = body.extracting(range)
            case .unsatisfiable:
                hit.status = 416
                StoredHead.appendUnsatisfiable(head, bodyCount: body.count, to: &out)
                head = Span()
                body = Span()
            }
        }
        out.append("Age: ")
        out.append(decimal: UInt64(ageSeconds))
        out.append("\r\n")
        CacheStatus.appendHit(
            ttlSeconds: ttlSeconds, key: key.span.extracting(droppingFirst: keyed.routingStart),
            rules.cacheStatus,
            to: &out)
        appendConnection(closing: closing, minorVersion: request.minorVersion, to: &out)
        out.append("\r\n")
        hit.bytes = head.count + out.count + body.count
        hit.sent = channel.send(head, out.span, body, last: closing)
    }

    /// The newest record that may answer: its coding is accepted, or can be undone, and its Vary values
    /// match. Of the codings of one body the preferred one.
    @_lifetime(borrow store)
    static func find(
        _ store: borrowing StoreThread, _ key: Span<UInt8>, _ hash: Hash128, _ verdict: RequestVerdict,
        _ preferred: Codings, _ fields: borrowing FieldTable, _ bytes: Span<UInt8>
    ) -> RecordView? {
        store.lookup(key: key, hash: hash) { facts, vary in
            Variance.matches(vary, fields, bytes)
                ? verdict.rank(EntryFacts(facts).coding, preferring: preferred) : 0
        }
    }
}

/// What the store had for a request.
enum StoreAnswer: Equatable {
    case answered
    case absent
    /// A fresh entry in a coding that the client does not take, but that can be undone.
    case undecoded(ageSeconds: UInt32, ttlSeconds: UInt32)
    /// An entry that is no longer fresh.
    case stale
    /// A fresh entry, but the client asks for a fresher one.
    case refresh(Reason)
    /// A fresh entry that may not answer this request.
    case refused(Reason)
}

extension EntryFacts {
    init(_ facts: RecordFacts) {
        self.init(unpacking: [facts.words.0, facts.words.1, facts.words.2, facts.words.3, facts.words.4])
    }

    var record: RecordFacts {
        let words = pack()
        return RecordFacts(words[0], words[1], words[2], words[3], words[4])
    }
}
