internal import Bytes
internal import Caching
internal import HTTP
internal import Kernel
internal import Loop
internal import Store

/// Answers from the store: one `sendmsg` of the stored head, a few lines of our own and the body, straight from shared
/// memory. No allocation, no lock, no copy; what the socket does not take is copied before the turn goes on.
extension Worker {
    /// Answers the request in `request` from the store, if an entry may answer it; drops the head from `inbound` then.
    /// Otherwise tells why the request goes on to an origin.
    mutating func answerFromStore(
        _ h: Handle, route: Int, verdict: RequestVerdict, _ keyed: KeyedRequest, headCount: Int
    ) -> StoreAnswer {
        // The borrowed view lives to the end of this function, inside the turn.
        guard
            let view = Self.find(store, key.span, keyed.hash, verdict, request.fields, inbound.span)
        else { return .absent }
        let entry = EntryFacts(view.facts)
        let ageSeconds: UInt32
        let ttlSeconds: UInt32
        switch site.routes[route].rules.use(entry, for: verdict, now: now.times) {
        case .fresh(let age, let ttl):
            ageSeconds = age
            ttlSeconds = ttl
        case .stale: return .stale
        case .refresh(let reason): return .refresh(reason)
        case .refused(let reason): return .refused(reason)
        }
        var status = entry.status
        var body = view.body
        out.removeAll()
        var head = view.head
        if verdict.flags.contains(.conditional),
            Conditional.evaluate(request, inbound.span, status: status, head: head, nowSeconds: now.times.wallSeconds)
                == .notModified
        {
            status = 304
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
            site.routes[route].rules.cacheStatus, to: &out)
        appendConnection(closing: clients[h].closing, to: &out)
        out.append("\r\n")
        let sent = clients[h].channel.send(head, out.span, body)
        logHit(h, route: route, status: status, bytes: head.count + out.count + body.count)
        inbound.removeFirst(headCount)
        if !sent {
            closeClientNow(h)
        } else if clients[h].closing {
            finishClient(h)
        } else if !clients[h].channel.isFlushed {
            clientTimers.set(id(h), deadline: now.milliseconds + site.writeTimeout)
        }
        return .answered
    }

    /// The newest record that may answer: its coding is accepted and its Vary values match.
    @_lifetime(borrow store)
    private static func find(
        _ store: borrowing StoreThread, _ key: Span<UInt8>, _ hash: Hash128, _ verdict: RequestVerdict,
        _ fields: borrowing FieldTable, _ bytes: Span<UInt8>
    ) -> RecordView? {
        store.lookup(key: key, hash: hash) { facts, vary in
            verdict.accepts(EntryFacts(facts).coding) && Variance.matches(VaryBlob.values(vary), fields, bytes)
        }
    }
}

/// What the store had for a request.
enum StoreAnswer {
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

/// What the store keeps as a record's Vary values: the coding in the first byte, so that codings of one resource are
/// records of their own, then the values.
enum VaryBlob {
    static func begin(_ coding: Codings, into blob: inout ByteBuffer) {
        blob.removeAll()
        blob.append(coding.rawValue)
    }

    @_lifetime(copy blob)
    static func values(_ blob: Span<UInt8>) -> Span<UInt8> { blob.extracting(droppingFirst: min(1, blob.count)) }
}
