internal import Bytes
internal import Caching
internal import HTTP
internal import Loop
internal import Machines
internal import Settings
internal import Store

/// What an answer does to the store: its body is gathered aside and committed whole, or not at all; what an
/// unsafe method has changed goes.
extension Worker {
    /// Starts collecting the body for the store. The head is at the front of `outbound`.
    mutating func beginFill(_ x: Handle<Exchange>, _ facts: EntryFacts, headCount: Int) {
        var capacity = 4 * 1024
        if case .length(let n) = scratch.response.framing { capacity = Int(n) }
        guard bufferBytes + capacity <= site.fillLimit else {
            helpers.note(.buffers, now: now.milliseconds)
            exchanges[x].outcome.reason = .pressure
            endReservationAfterCommit(x)
            return
        }
        fillBytes += capacity
        var head = ByteBuffer(capacity: headCount)
        head.append(scratch.outbound.span.extracting(first: headCount))
        exchanges[x].answer.fill = Fill(
            head: consume head, body: ByteBuffer(capacity: capacity), facts: facts)
    }

    /// Adds body bytes of `outbound` to the fill, or gives it up when they are too many.
    mutating func fill(_ x: Handle<Exchange>, _ range: Range<Int>) {
        guard var fill = exchanges[x].answer.fill.take() else { return }
        let before = fill.body.capacity
        let count = fill.body.count + range.count
        let limit = site.routes[exchanges[x].route].rules.maxBodyBytes
        if count > limit || bufferBytes + max(0, count - before) > site.fillLimit {
            fillBytes -= before
            if count <= limit { helpers.note(.buffers, now: now.milliseconds) }
            exchanges[x].outcome.reason = count > limit ? .tooLarge : .pressure
            endReservationAfterCommit(x)
            letGo(x, &fill)
            return
        }
        fill.body.append(scratch.outbound.span.extracting(range))
        fillBytes += fill.body.capacity - before
        exchanges[x].answer.fill = consume fill
    }

    mutating func dropFill(_ x: Handle<Exchange>) {
        if let fill = exchanges[x].answer.fill.take() {
            if PlantedFault.isPlanted(.miscountsBodies) { return }
            fillBytes -= fill.body.capacity
        }
    }

    /// The body is complete: the entry is committed whole. Apart from its caller, which has mostly nothing to
    /// commit: the taken fill goes through a box on the heap, made at entry.
    @inline(never)
    mutating func commitFill(_ x: Handle<Exchange>) {
        guard var fill = exchanges[x].answer.fill.take() else { return }
        fillBytes -= fill.body.capacity
        commit(x, fill)
        if !exchanges[x].outcome.isStored { letGo(x, &fill) }
    }

    private mutating func commit(_ x: Handle<Exchange>, _ fill: borrowing Fill) {
        guard !exchanges[x].answer.body.sawTrailers else {
            exchanges[x].outcome.reason = .trailers
            endReservationAfterCommit(x)
            return
        }
        parseHead(x)
        var scan = HeadScan()
        let result = scratch.response.parse(
            fill.head.span, limits: site.answerLimits, scan: &scan, requestMethod: exchanges[x].method)
        precondition(result == .complete(fill.head.count), "a kept response head changed")
        Self.commit(
            &exchanges[x], into: &store, fill.facts, site.routes[exchanges[x].route], scratch.request,
            scratch.response,
            head: fill.head, body: fill.body, 0..<fill.body.count, &scratch.storedHead, &scratch.vary,
            now.times)
        endReservationAfterCommit(x, fill.facts)
    }

    /// Stores an answer whose body is complete; `response` is parsed over `head`, `request` over the
    /// exchange's head.
    static func commit(
        _ exchange: inout Exchange, into store: inout StoreThread, _ facts: EntryFacts,
        _ route: borrowing Site.Route, _ request: borrowing RequestHead,
        _ response: borrowing ResponseHead, head: borrowing ByteBuffer, body: borrowing ByteBuffer,
        _ range: Range<Int>, _ storedHead: inout ByteBuffer, _ vary: inout ByteBuffer, _ now: Times
    ) {
        let refusal = route.rules.writeRecord(
            of: response, head.span, facts, bodyCount: range.count, request: request.fields, exchange.head,
            head: &storedHead, vary: &vary)
        if let refusal {
            exchange.outcome.reason = refusal
            return
        }
        let nowSeconds = UInt32(clamping: now.wallSeconds)
        let serial = store.newSerial()
        let outcome = store.insert(
            key: exchange.key, hash: exchange.keyed.hash,
            variant: .original(coding: facts.coding.rawValue, serial: serial),
            claims: exchange.answer.claims, facts: facts.record, vary: vary.span, head: storedHead.span,
            body: body.span.extracting(range), expires: facts.expirySeconds, now: nowSeconds,
            stamp: PlantedFault.isPlanted(.stampsLate)
                ? store.stamp(exchange.keyed.hash) : exchange.fetch.stamp)
        switch outcome {
        case .stored:
            exchange.outcome.isStored = true
            exchange.outcome.serial = serial
        case .invalidated: exchange.outcome.reason = .invalidated
        case .pressure, .crowded: exchange.outcome.reason = .pressure
        case .tooLarge: exchange.outcome.reason = .tooLarge
        }
    }

    /// An unsafe method succeeded: what it names is no longer what the store holds (RFC 9111 §4.4). The
    /// answer is in `response` over `outbound`, the request in `request`.
    mutating func invalidate(_ x: Handle<Exchange>) {
        parseHead(x)
        let bans = Self.invalidate(
            &exchanges[x], site, scratch.request, scratch.response, scratch.outbound, &scratch.key, &store)
        if bans > 0 { helpers.requestSweep() }
    }

    /// What was stored while the tier was asked to forget a URL may be of before. `request` may be another's.
    @inline(never)
    mutating func purgeAgain(_ x: Handle<Exchange>) {
        parseHead(x)
        Self.purgeAgain(&exchanges[x], site, scratch.request, &scratch.key, &store)
    }

    private static func purgeAgain(
        _ exchange: inout Exchange, _ site: Site, _ request: borrowing RequestHead, _ key: inout ByteBuffer,
        _ store: inout StoreThread
    ) {
        guard CacheManagement.isMethod(exchange.head.slice(request.methodName)) else { return }
        purge(site.routes[exchange.route], request, exchange.request, &key, &store)
    }

    /// Takes all that is stored for the URL of `request`, parsed over the front of `bytes`: under both
    /// schemes, because operators often purge by plain HTTP what clients get by TLS.
    static func purge(
        _ route: borrowing Site.Route, _ request: borrowing RequestHead, _ bytes: borrowing ByteBuffer,
        _ key: inout ByteBuffer, _ store: inout StoreThread
    ) {
        for scheme in [Scheme.http, .https] {
            let verdict = route.rules.writeKey(request, bytes.span, scheme: scheme, into: &key)
            if case .key = verdict { store.invalidate(key: key.span, hash: store.hash(key.span)) }
        }
    }

    private static func invalidate(
        _ exchange: inout Exchange, _ site: Site, _ request: borrowing RequestHead,
        _ response: borrowing ResponseHead,
        _ outbound: borrowing ByteBuffer, _ key: inout ByteBuffer, _ store: inout StoreThread
    ) -> Int {
        var scopes: [PurgeScope] = []
        let scheme = exchange.keyed.scheme
        let target = site.routes[exchange.route].rules.writeKey(
            request, exchange.head, scheme: scheme, into: &key)
        if case .key = target {
            store.invalidate(key: key.span, hash: store.hash(key.span))
            scopes = CacheGroups.invalidated(
                by: response, outbound.span, method: request.method, key: key.span)
        }
        for name in [FieldName.location, .contentLocation] {
            guard let field = response.fields.first(name),
                let named = NamedTarget(
                    outbound.span.slice(field.value), request, exchange.head, scheme: scheme),
                // It has the key that a GET for it would have: by the route that takes that.
                let route = site.table.route(
                    host: request.host(in: exchange.head), path: named.path.span),
                case .key = site.routes[route].rules.writeKey(
                    of: named, request, exchange.head, scheme: scheme, into: &key)
            else { continue }
            store.invalidate(key: key.span, hash: store.hash(key.span))
        }
        for scope in scopes { store.ban(scope, soft: false) }
        return scopes.count
    }
}
