internal import Bytes
internal import Caching
internal import Exchange
internal import HTTP
internal import Loop
internal import Settings
internal import Store

/// What an answer does to the store: its body is gathered aside and committed whole, or not at all; what an
/// unsafe method has changed goes.
extension Worker {
    /// Starts collecting the body for the store. The head is at the front of `outbound`.
    mutating func beginFill(_ f: Handle, _ facts: EntryFacts, headCount: Int) {
        var capacity = 4 * 1024
        if case .length(let n) = response.framing { capacity = Int(n) }
        guard bufferBytes + capacity <= site.fillLimit else {
            helpers.note(.buffers, now: now.milliseconds)
            forwards[f].reason = .pressure
            settleStored(f)
            return
        }
        fillBytes += capacity
        var head = ByteBuffer(capacity: headCount)
        head.append(outbound.span.extracting(first: headCount))
        forwards[f].fill = Fill(head: consume head, body: ByteBuffer(capacity: capacity), facts: facts)
    }

    /// Adds body bytes of `outbound` to the fill, or gives it up when they are too many.
    mutating func fill(_ f: Handle, _ range: Range<Int>) {
        guard var fill = forwards[f].fill.take() else { return }
        let before = fill.body.capacity
        let count = fill.body.count + range.count
        let limit = site.routes[forwards[f].route].rules.maxBodyBytes
        if count > limit || bufferBytes + max(0, count - before) > site.fillLimit {
            fillBytes -= before
            if count <= limit { helpers.note(.buffers, now: now.milliseconds) }
            forwards[f].reason = count > limit ? .tooLarge : .pressure
            settleStored(f)
            letGo(f, &fill)
            return
        }
        fill.body.append(outbound.span.extracting(range))
        fillBytes += fill.body.capacity - before
        forwards[f].fill = consume fill
    }

    mutating func dropFill(_ f: Handle) {
        if let fill = forwards[f].fill.take() { fillBytes -= fill.body.capacity }
    }

    /// The body is complete: the entry is committed whole. Apart from its caller, which has mostly nothing to
    /// commit: the taken fill goes through a box on the heap, made at entry.
    @inline(never)
    mutating func commitFill(_ f: Handle) {
        guard var fill = forwards[f].fill.take() else { return }
        fillBytes -= fill.body.capacity
        commit(f, fill)
        if !forwards[f].stored { letGo(f, &fill) }
    }

    private mutating func commit(_ f: Handle, _ fill: borrowing Fill) {
        guard !forwards[f].responseBody.sawTrailers else {
            forwards[f].reason = .trailers
            settleStored(f)
            return
        }
        parseHead(f)
        var scan = HeadScan()
        let result = response.parse(
            fill.head.span, limits: site.answerLimits, scan: &scan, requestMethod: forwards[f].method)
        precondition(result == .complete(fill.head.count), "a kept response head changed")
        Self.commit(
            &forwards[f], into: &store, fill.facts, site.routes[forwards[f].route].rules, request, response,
            head: fill.head, body: fill.body, 0..<fill.body.count, &storedHead, &vary, now.times)
        settleStored(f, fill.facts)
    }

    /// Stores an answer whose body is complete; `response` is parsed over `head`, `request` over the
    /// exchange's head.
    static func commit(
        _ forward: inout Forward, into store: inout StoreThread, _ facts: EntryFacts, _ rules: Rules,
        _ request: borrowing RequestHead, _ response: borrowing ResponseHead, head: borrowing ByteBuffer,
        body: borrowing ByteBuffer, _ range: Range<Int>, _ storedHead: inout ByteBuffer,
        _ vary: inout ByteBuffer, _ now: Times
    ) {
        vary.removeAll()
        let refusal =
            writeStored(
                response, head, bodyCount: range.count, facts.received, limit: rules.maxHeadBytes,
                Rules.variesByCoding(facts) ? .varies : .none, into: &storedHead)
            ?? rules.writeVary(response, head.span, request: request.fields, forward.head, into: &vary)
        if let refusal {
            forward.reason = refusal
            return
        }
        let nowSeconds = UInt32(clamping: now.wallSeconds)
        let serial = store.newSerial()
        let outcome = store.insert(
            key: forward.key, hash: forward.keyed.hash,
            variant: .original(coding: facts.coding.rawValue, serial: serial),
            claims: forward.claims, facts: facts.record, vary: vary.span, head: storedHead.span,
            body: body.span.extracting(range), expires: facts.expirySeconds, now: nowSeconds,
            stamp: forward.stamp)
        switch outcome {
        case .stored:
            forward.stored = true
            forward.serial = serial
        case .invalidated: forward.reason = .invalidated
        case .pressure, .crowded: forward.reason = .pressure
        case .tooLarge: forward.reason = .tooLarge
        }
    }

    /// An unsafe method succeeded: what it names is no longer what the store holds (RFC 9111 §4.4). The
    /// answer is in `response` over `outbound`, the request in `request`.
    mutating func invalidate(_ f: Handle) {
        parseHead(f)
        let bans = Self.invalidate(&forwards[f], site, request, response, outbound, &key, &store)
        if bans > 0 { helpers.requestSweep() }
    }

    /// What was stored while the tier was asked to forget a URL may be of before. `request` may be another's.
    @inline(never)
    mutating func purgeAgain(_ f: Handle) {
        parseHead(f)
        Self.purgeAgain(&forwards[f], site, request, &key, &store)
    }

    private static func purgeAgain(
        _ forward: inout Forward, _ site: Site, _ request: borrowing RequestHead, _ key: inout ByteBuffer,
        _ store: inout StoreThread
    ) {
        guard CacheManagement.isMethod(forward.head.slice(request.methodName)) else { return }
        purge(site.routes[forward.route], request, forward.request, &key, &store)
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
        _ forward: inout Forward, _ site: Site, _ request: borrowing RequestHead,
        _ response: borrowing ResponseHead,
        _ outbound: borrowing ByteBuffer, _ key: inout ByteBuffer, _ store: inout StoreThread
    ) -> Int {
        var scopes: [PurgeScope] = []
        let scheme = forward.keyed.scheme
        let target = site.routes[forward.route].rules.writeKey(
            request, forward.head, scheme: scheme, into: &key)
        if case .key = target {
            store.invalidate(key: key.span, hash: store.hash(key.span))
            scopes = CacheGroups.invalidated(
                by: response, outbound.span, method: request.method, key: key.span)
        }
        for name in [FieldName.location, .contentLocation] {
            guard let field = response.fields.first(name),
                let named = NamedTarget(
                    outbound.span.slice(field.value), request, forward.head, scheme: scheme),
                // It has the key that a GET for it would have: by the route that takes that.
                let route = site.table.route(
                    host: request.host(in: forward.head), path: named.path.span),
                case .key = site.routes[route].rules.writeKey(
                    of: named, request, forward.head, scheme: scheme, into: &key)
            else { continue }
            store.invalidate(key: key.span, hash: store.hash(key.span))
        }
        for scope in scopes { store.ban(scope, soft: false) }
        return scopes.count
    }
}
