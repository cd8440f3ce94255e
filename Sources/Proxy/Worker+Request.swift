internal import Bytes
internal import Caching
internal import Exchange
internal import HTTP
internal import Loop
internal import Settings

/// One request: its route, what the cache may do with it, its key; then an answer from the store, or an origin.
extension Worker {
    /// Handles the request at the front of `inbound`, whose head is in `request`, and drops that head.
    mutating func handleRequest(_ h: Handle, headCount: Int) {
        if !request.keepAlive || isDraining { clients[h].closing = true }
        if request.framing != .none { clients[h].lingers = true }
        if request.form == .asterisk {
            answer(h, .options, headCount: headCount)
            return
        }
        if case .length(let n) = request.framing, n > site.requestBodyLimit {
            answer(h, .refused(.bodyTooLarge), headCount: headCount)
            return
        }
        let bytes = inbound.span
        guard let route = site.table.match(host: bytes.slice(request.authority), path: bytes.slice(request.path)) else {
            answer(h, .noRoute, headCount: headCount)
            return
        }
        var verdict = site.routes[route].rules.judge(request, inbound.span)
        var routingStart = 0
        switch site.routes[route].rules.writeKey(request, inbound.span, into: &key) {
        case .ok(let start): routingStart = start
        case .refused(let reason): verdict.bypass(reason)
        }
        let keyHash = XXH3.hash128(key.span, seed: site.hashSeed)
        if verdict.mayLookup {
            if answerFromStore(h, route: route, verdict: verdict, keyHash: keyHash, headCount: headCount) { return }
            if verdict.onlyIfCached {
                answer(h, .onlyIfCached, headCount: headCount)
                return
            }
        }
        let routingHash = XXH3.hash64(key.span.extracting(droppingFirst: routingStart), seed: 0)
        forward(h, route: route, verdict: verdict, keyHash: keyHash, routingHash: routingHash, headCount: headCount)
    }
}
