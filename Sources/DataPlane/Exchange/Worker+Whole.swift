internal import Bytes
internal import Caching
internal import HTTP
internal import Loop
internal import Machines

/// Fetches that turn into one for the whole by GET, where the first answer cannot tell in which coding its
/// client would get it.
extension Worker {
    /// What the answer to a HEAD, in `response`, tells of the entry that GET would leave; nil for other
    /// methods, and where GET would leave none.
    mutating func judgeWhole(_ x: Handle<Exchange>) -> EntryFacts? {
        guard exchanges[x].method == .head, exchanges[x].verdict.mayLookup else { return nil }
        return Self.judgeWhole(
            &exchanges[x], site.routes[exchanges[x].route], scratch.response, scratch.outbound, now.times)
    }

    private static func judgeWhole(
        _ exchange: inout Exchange, _ route: borrowing Site.Route, _ response: borrowing ResponseHead,
        _ outbound: borrowing ByteBuffer, _ now: Times
    ) -> EntryFacts? {
        let verdict = exchange.verdictOnTarget.storing
        if let length = response.fields.first(.contentLength) {
            let count = outbound.span.slice(length.value).decimalSaturating() ?? .max
            guard count <= UInt64(route.rules.maxBodyBytes) else { return nil }
        }
        let judged = route.rules.judge(
            response, outbound.span, to: verdict, sent: exchange.fetch.sentAt, received: now)
        guard case .store(let facts) = judged else { return nil }
        return facts
    }

    /// Fetches the whole in place of the answer in `response`, if that is
    ///
    /// - the answer to a HEAD without a length, by which the coding goes;
    /// - a part of bytes that the client may have in another coding: to join them would damage its copy.
    ///
    /// - Returns: is it being fetched?
    mutating func fetchWholeInstead(
        _ x: Handle<Exchange>, _ o: Handle<Origin>, _ whole: EntryFacts?, headCount: Int
    ) -> Bool {
        guard exchanges[x].client != nil, exchanges[x].verdict.mayLookup else { return false }
        if let facts = whole {
            guard !scratch.response.fields.contains(.contentLength), Rules.variesByCoding(facts) else {
                return false
            }
            exchanges[x].fetch.answersHead = true
        } else {
            guard scratch.response.status == 206, exchanges[x].verdict.flags.contains(.range) else {
                return false
            }
            parseHead(x)
            let route = exchanges[x].route
            guard
                Self.isOfOtherBytes(
                    scratch.response, scratch.outbound, &exchanges[x], site.routes[route], scratch.request)
            else { return false }
        }
        scratch.outbound.removeFirst(headCount)
        exchanges[x].origin = nil
        if scratch.response.keepAlive, scratch.response.framing == .none, scratch.outbound.isEmpty {
            park(o)
        } else {
            closeOrigin(o)
        }
        exchanges[x].verdict = exchanges[x].verdict.storing
        exchanges[x].outcome.reason = nil
        exchanges[x].fetch.renewal = nil
        connect(x)
        return true
    }

    private static func isOfOtherBytes(
        _ response: borrowing ResponseHead, _ outbound: borrowing ByteBuffer, _ exchange: inout Exchange,
        _ route: borrowing Site.Route, _ request: borrowing RequestHead
    ) -> Bool {
        route.rules.isPartOfOtherCoding(
            response, outbound.span, to: exchange.verdictOnTarget, request, exchange.head)
    }
}
