internal import AccessLog
internal import Bytes
internal import Caching
internal import Compression
internal import HTTP
internal import Kernel
internal import Loop
internal import Settings
internal import Store

/// Answers from the store: one `sendmsg` of the stored head, a few lines of our own and the body, straight
/// from shared memory; what is small is gathered first. No allocation, no lock, no other copy; what the
/// socket does not take is copied before the turn goes on. A coding that this client would take and nobody
/// has made yet is asked for, once.
extension Worker {
    /// Answers the request in `request` from the store, if an entry may answer it; drops the head from
    /// `inbound` then. Otherwise tells why the request goes on to an origin, and has the conditions of a
    /// revalidation, if there are any, in `out`.
    /// - Parameter again: what has happened since the request was looked up for the first time.
    @inline(never)
    mutating func answerFromStore(
        _ h: Handle<Client>, route: Int, _ rules: borrowing Rules, verdict: RequestVerdict,
        _ keyed: KeyedRequest,
        headCount: Int, again: Again?
    ) -> StoreAnswer {
        var hit = Hit()
        let found = Self.serve(
            store, &clients[h], rules, scratch.request, scratch.inbound, scratch.key, verdict, keyed,
            now.times, again, &scratch.out, &hit)
        if let use = hit.refreshes {
            // Whoever asks for a part has the whole revalidated.
            let whole = verdict.method == .get ? verdict.storing : verdict
            if whole.mayRevalidate {
                refresh(
                    h, route: route, verdict: whole, keyed, headCount: headCount, serial: hit.serial, use)
            }
        }
        switch found {
        case .served: break
        case .undecoded(let age):
            if beginUndoing(
                h, route: route, verdict: verdict, keyed, headCount: headCount, age, again, hit)
            {
                return .answered
            }
            var again = again ?? .undone(now.moment)
            again.undoes = false
            return answerFromStore(
                h, route: route, rules, verdict: verdict, keyed, headCount: headCount, again: again)
        case .other(let answer): return answer
        }
        if let coding = hit.wanted { requestVariant(coding, of: hit.serial, keyed, route: route) }
        finishHit(h, route: route, &hit, headCount: headCount, again)
        return .answered
    }

    /// As `answerFromStore`, of a request that is plain and is looked up for the first time: answers it where
    /// one record alone has its key, or the newest is in the coding preferred, and it simply answers. That is
    /// nearly every hit, and for less.
    @inline(never)
    mutating func answerPlainly(
        _ h: Handle<Client>, route: Int, accepted: Codings, _ keyed: KeyedRequest, headCount: Int
    ) -> PlainAnswer {
        var hit = Hit()
        guard
            Self.servePlainly(
                store, &clients[h], site.routes[route], scratch.request, scratch.inbound, scratch.key,
                accepted, keyed, now.times,
                &scratch.out, &hit)
        else { return store.hasNone(keyed.hash) ? .absent : .unclear }
        finishHit(h, route: route, &hit, headCount: headCount, nil)
        return hit.isComposed ? .composed : .answered
    }

    /// Sends what `answerPlainly` composed: not down there, because returns behind a system call are dear
    /// (`Socket`).
    @inline(__always)
    mutating func sendComposed(_ h: Handle<Client>) {
        let sent = clients[h].channel.send(scratch.out)
        if !sent {
            closeClientNow(h)
        } else if !clients[h].channel.isFlushed {
            clients.setDeadline(h, at: now.milliseconds + site.writeTimeout)
        }
    }

    @inline(__always)
    private static func servePlainly(
        _ store: borrowing StoreThread, _ client: inout Client, _ route: borrowing Site.Route,
        _ request: borrowing RequestHead, _ inbound: borrowing ByteBuffer, _ key: borrowing ByteBuffer,
        _ accepted: Codings, _ keyed: KeyedRequest, _ now: Times, _ out: inout ByteBuffer, _ hit: inout Hit
    ) -> Bool {
        let preferred = route.rules.compression.choose(accepted: accepted) ?? .identity
        var age: UInt32 = 0
        var ttl: UInt32 = 0
        let found = store.lookupOnly(key: key.span, hash: keyed.hash, coding: preferred.rawValue) {
            facts, vary, isOutdated in
            let entry = EntryFacts(facts)
            // What could be had in a better coding is asked for by the other.
            // (The preferred one is identity, too, where the client refuses that.) What suits clients without
            // Accept-Encoding in one coding only is for `RequestVerdict.reach` to tell.
            guard accepted.contains(entry.coding), !entry.flags.contains(.codedForUnstated),
                entry.coding == preferred || !entry.flags.contains(.compressible),
                let use = route.rules.plainUse(entry, now: now, isOutdated: isOutdated),
                Variance.matches(vary, request.fields, inbound.span)
            else { return false }
            age = use.ageSeconds
            ttl = use.ttlSeconds
            return true
        }
        guard let view = found else { return false }
        hit.status = EntryFacts(view.facts).status
        out.removeAll()
        let (head, body) = (view.head, view.body)
        let count = head.count &+ body.count
        guard count <= gatherLimit, route.rules.cacheStatus != .debug, !client.closing,
            request.minorVersion == 1
        else {
            let routingKey = key.span.extracting(droppingFirst: keyed.routingStart)
            let age = Age(seconds: age, timeToLive: Int64(ttl))
            send(
                &client, route.rules, request, routingKey, head: head, body: body, age, .hit, nil, &out, &hit)
            return true
        }
        // As `send` does, of an answer that is small and has no `Connection`.
        out.append(atMost: count &+ CacheStatus.plainHitLimit &+ 64) { room in
            room.append(long: head)
            room.append("Age: ")
            room.append(decimal: UInt64(age))
            room.append("\r\n")
            CacheStatus.appendPlainHit(ttlSeconds: ttl, route.rules.cacheStatus, to: &room)
            room.append("\r\n")
            room.append(long: body)
        }
        hit.isComposed = true
        return true
    }

    /// The answer is sent, kept for the socket to take, or left to `sendComposed`.
    mutating func finishHit(
        _ h: Handle<Client>, route: Int, _ hit: inout Hit, headCount: Int, _ again: Again?
    ) {
        if log.isEnabled { sendAndLog(h, route: route, &hit, again) }
        scratch.inbound.removeFirst(headCount)
        if hit.isOver || hit.isComposed { return }
        if !hit.sent {
            closeClientNow(h)
        } else if clients[h].closing {
            finishClient(h)
        } else if !clients[h].channel.isFlushed {
            clients.setDeadline(h, at: now.milliseconds + site.writeTimeout)
        }
    }

    struct Hit {
        var status: UInt16 = 0
        /// All of it stands in `out`, and is yet to be sent.
        var isComposed = false
        var sent = false
        /// It is sent, all of it, and the connection goes on.
        var isOver = false
        /// A coding to be made of the original with this serial.
        var wanted: ContentCoding?
        var serial: UInt64 = 0
        var isStale = false
        /// It was stale, and this is what its revalidation, behind the answer, may do.
        var refreshes: StaleUse?
    }

    /// What a lookup came to.
    private enum Found {
        case served
        /// An entry in a coding that the client does not take, but that can be undone.
        case undecoded(Age)
        case other(StoreAnswer)
    }

    /// What the head says of the answer's age.
    struct Age: Equatable {
        var seconds: UInt32
        /// Negative for a stale answer; without a number where it is unknown how stale.
        var timeToLive: Int64
    }

    /// Looks up, decides and sends. A function of separate parts, because the borrowed view lives through all
    /// of it.
    private static func serve(
        _ store: borrowing StoreThread, _ client: inout Client, _ rules: borrowing Rules,
        _ request: borrowing RequestHead, _ inbound: borrowing ByteBuffer, _ key: borrowing ByteBuffer,
        _ verdict: RequestVerdict, _ keyed: KeyedRequest, _ now: Times, _ again: Again?,
        _ out: inout ByteBuffer, _ hit: inout Hit
    ) -> Found {
        // A range is of the bytes that the origin made, where they can be had.
        let preferred =
            verdict.flags.contains(.range)
            ? .identity : rules.compression.choose(accepted: verdict.codings) ?? .identity
        guard let view = find(store, key.span, keyed.hash, verdict, preferred, request.fields, inbound.span)
        else { return .other(.absent) }
        let entry = EntryFacts(view.facts)
        let age: Age
        switch rules.use(entry, for: verdict, now: now, isOutdated: view.isOutdated) {
        case .fresh(let seconds, let ttl): age = Age(seconds: seconds, timeToLive: Int64(ttl))
        case .refused(let reason): return .other(.refused(reason))
        case .stale(let use):
            // One that was purged softly is as one that expires just now.
            age = Age(
                seconds: use.ageSeconds,
                timeToLive: view.isOutdated ? -Int64(use.staleSeconds) : entry.timeToLive(now))
            guard mayAnswer(use, again, &hit) else {
                return .other(.stale(renewal(of: view.serial, use, in: store, key, keyed.hash, into: &out)))
            }
        case .refresh(let reason, let use):
            age = Age(seconds: use.ageSeconds, timeToLive: entry.timeToLive(now))
            guard let again, again.mayAnswer(use, isFresh: true) else {
                return .other(
                    .refresh(reason, renewal(of: view.serial, use, in: store, key, keyed.hash, into: &out)))
            }
        }
        hit.serial = view.serial
        if entry.coding != preferred {
            if !verdict.codings.contains(entry.coding) {
                // What was found not to be sound is claimed, and goes as it is, if that is for everybody.
                let mayUndo =
                    verdict.reach(of: entry) == .undone && again?.undoes != false
                    && store.isUnclaimed(view, coding: Codings.identity.rawValue)
                if mayUndo { return .undecoded(age) }
                guard entry.flags.contains(.codedForAll) else { return .other(.absent) }
            }
            if entry.flags.contains(.compressible), let coding = ContentCoding(preferred),
                VariantClaim.take(coding, of: view, in: store, key.span, keyed.hash)
            {
                hit.wanted = coding
            }
        }
        hit.status = entry.status
        respond(
            &client, rules, request, inbound.span, key.span.extracting(droppingFirst: keyed.routingStart),
            verdict, now, head: view.head, body: view.body, age, again?.served ?? .hit, &out, &hit)
        return .served
    }

    /// May an entry answer that is no longer fresh?
    private static func mayAnswer(_ use: StaleUse, _ again: Again?, _ hit: inout Hit) -> Bool {
        if let again, again.mayAnswer(use, isFresh: false) {
            hit.isStale = again.cause == .failed || again.cause == .undone
            return true
        }
        guard use.mayWhileRevalidating || use.mayByClient else { return false }
        hit.isStale = true
        if use.mayWhileRevalidating { hit.refreshes = use }
        return true
    }

    /// What a fetch may do for the entry with this serial; `out` gets its conditions.
    static func renewal(
        of serial: UInt64, _ use: StaleUse, in store: borrowing StoreThread, _ key: borrowing ByteBuffer,
        _ hash: Hash128, into out: inout ByteBuffer
    ) -> Renewal {
        out.removeAll()
        var isConditional = false
        // The validators of what the origin made, not those of a variant that was made of it.
        if use.hasValidator,
            let original = store.original(key: key.span, hash: hash, serial: serial)
        {
            isConditional = Validators.append(head: original.head, to: &out)
        }
        return Renewal(
            serial: serial, isConditional: isConditional, mayIfError: use.mayIfError,
            isFetchedWhole: use.isFetchedWhole)
    }

    /// Sends a stored head and body, or the 304, 206 or 416 that they come to.
    static func respond(
        _ client: inout Client, _ rules: borrowing Rules, _ request: borrowing RequestHead,
        _ requestBytes: Span<UInt8>, _ routingKey: Span<UInt8>, _ verdict: RequestVerdict, _ now: Times,
        head: Span<UInt8>, body: Span<UInt8>, _ age: Age,
        _ served: CacheStatus.Served, _ out: inout ByteBuffer, _ hit: inout Hit
    ) {
        out.removeAll()
        var head = head
        var body = body
        if verdict.flags.contains(.conditional),
            Conditional.evaluate(
                request, requestBytes, status: hit.status, head: head, nowSeconds: now.wallSeconds)
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
                request, requestBytes, head: head, status: hit.status, bodyCount: body.count,
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
        send(
            &client, rules, request, routingKey, head: head, body: body, age, served, verdict.reason, &out,
            &hit)
    }

    /// Sends a head that lacks the lines of our own, and a body. What stands in `out` follows the head.
    @inline(never)
    private static func send(
        _ client: inout Client, _ rules: borrowing Rules, _ request: borrowing RequestHead,
        _ routingKey: Span<UInt8>, head: Span<UInt8>, body: Span<UInt8>, _ age: Age,
        _ served: CacheStatus.Served, _ detail: Reason?, _ out: inout ByteBuffer, _ hit: inout Hit
    ) {
        // What is small goes out as one run.
        let isGathered = head.count &+ body.count <= gatherLimit
        if isGathered { out.append(head) }
        out.append("Age: ")
        out.append(decimal: UInt64(age.seconds))
        out.append("\r\n")
        CacheStatus.appendHit(
            served, ttlSeconds: age.timeToLive, key: routingKey, detail: detail, rules.cacheStatus,
            to: &out)
        appendConnection(closing: client.closing, minorVersion: request.minorVersion, to: &out)
        out.append("\r\n")
        if isGathered {
            out.append(body)
            hit.sent = client.channel.send(out.span, last: client.closing)
        } else {
            hit.sent = client.channel.send(head, out.span, body, last: client.closing)
        }
        hit.isOver = hit.sent && !client.closing && client.channel.isFlushed
    }

    /// Bytes of an answer that is copied into one run: the kernel's work for several costs more than the
    /// copy.
    static var gatherLimit: Int { 3584 }

    /// The newest record that may answer: its coding is accepted, or can be undone, and its Vary values
    /// match. Of the codings of one body the preferred one.
    @inline(__always)
    @_lifetime(borrow store)
    static func find(
        _ store: borrowing StoreThread, _ key: Span<UInt8>, _ hash: Hash128, _ verdict: RequestVerdict,
        _ preferred: Codings, _ fields: borrowing FieldTable, _ bytes: Span<UInt8>
    ) -> RecordView? {
        store.lookup(key: key, hash: hash) { facts, vary in
            Variance.matches(vary, fields, bytes)
                ? verdict.rank(EntryFacts(facts), preferring: preferred) : 0
        }
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

/// What the store had for a request.
enum StoreAnswer: Equatable {
    case answered
    case absent
    /// An entry that is no longer fresh.
    case stale(Renewal)
    /// A fresh entry, but the client asks for a fresher one.
    case refresh(Reason, Renewal)
    /// A fresh entry that may not answer this request.
    case refused(Reason)
}

extension EntryFacts {
    /// How long it is fresh, in seconds, rounded down; negative when it is stale.
    func timeToLive(_ now: Times) -> Int64 {
        let residence = Int64(clamping: now.milliseconds(since: received))
        let left = Int64(clamping: freshForMilliseconds) &- residence
        return left >= 0 ? left / 1000 : -((999 &- left) / 1000)
    }

    init(_ facts: RecordFacts) {
        self.init(unpacking: [facts.words.0, facts.words.1, facts.words.2, facts.words.3, facts.words.4])
    }

    var record: RecordFacts {
        let words = pack()
        return RecordFacts(words[0], words[1], words[2], words[3], words[4])
    }
}
