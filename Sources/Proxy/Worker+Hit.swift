internal import Bytes
internal import Caching
internal import HTTP
internal import Kernel
internal import Loop
internal import Settings
internal import Store

/// Answers from the store: one `sendmsg` of the stored head, a few lines of our own and the body, straight
/// from shared memory. No allocation, no lock, no copy; what the socket does not take is copied before the
/// turn goes on.
extension Worker {
    /// Answers the request in `request` from the store, if an entry may answer it; drops the head from
    /// `inbound` then. Otherwise tells why the request goes on to an origin.
    mutating func answerFromStore(
        _ h: Handle, route: Int, verdict: RequestVerdict, _ keyed: KeyedRequest, headCount: Int
    ) -> StoreAnswer {
        var hit = Hit()
        let answer = Self.serve(
            store, &clients[h].channel, site.routes[route].rules, request, inbound, key, verdict, keyed,
            now.times,
            closing: clients[h].closing, &out, &hit)
        guard answer == .answered else { return answer }
        logHit(h, route: route, status: hit.status, bytes: hit.bytes)
        inbound.removeFirst(headCount)
        if !hit.sent {
            closeClientNow(h)
        } else if clients[h].closing {
            finishClient(h)
        } else if !clients[h].channel.isFlushed {
            clientTimers.set(id: id(h), deadline: now.milliseconds + site.writeTimeout)
        }
        return answer
    }

    private struct Hit {
        var status: UInt16 = 0
        var bytes = 0
        var sent = false
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
        guard let view = find(store, key.span, keyed.hash, verdict, request.fields, inbound.span) else {
            return .absent
        }
        let entry = EntryFacts(view.facts)
        let ageSeconds: UInt32
        let ttlSeconds: UInt32
        switch rules.use(entry, for: verdict, now: now) {
        case .fresh(let age, let ttl):
            ageSeconds = age
            ttlSeconds = ttl
        case .stale: return .stale
        case .refresh(let reason): return .refresh(reason)
        case .refused(let reason): return .refused(reason)
        }
        out.removeAll()
        hit.status = entry.status
        var head = view.head
        var body = view.body
        if verdict.flags.contains(.conditional),
            Conditional.evaluate(
                request, inbound.span, status: entry.status, head: head, nowSeconds: now.wallSeconds)
                == .notModified
        {
            hit.status = 304
            Conditional.appendNotModified(head: head, to: &out)
            head = Span()
            body = Span()
        } else if verdict.method == .head {
            body = Span()
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
        return .answered
    }

    /// The newest record that may answer: its coding is accepted and its Vary values match.
    @_lifetime(borrow store)
    private static func find(
        _ store: borrowing StoreThread, _ key: Span<UInt8>, _ hash: Hash128, _ verdict: RequestVerdict,
        _ fields: borrowing FieldTable, _ bytes: Span<UInt8>
    ) -> RecordView? {
        store.lookup(key: key, hash: hash) { facts, vary in
            verdict.accepts(EntryFacts(facts).coding)
                && Variance.matches(VaryBlob.values(vary), fields, bytes)
        }
    }
}

/// What the store had for a request.
enum StoreAnswer: Equatable {
    case answered
    case absent
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

/// What the store keeps as a record's Vary values: the coding in the first byte, so that codings of one
/// resource are records of their own, then the values.
enum VaryBlob {
    static func begin(_ coding: Codings, into blob: inout ByteBuffer) {
        blob.removeAll()
        blob.append(coding.rawValue)
    }

    @_lifetime(copy blob)
    static func values(_ blob: Span<UInt8>) -> Span<UInt8> {
        blob.extracting(droppingFirst: min(1, blob.count))
    }
}
