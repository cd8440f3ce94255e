internal import Bytes
internal import Caching
internal import HTTP
internal import Loop
internal import Machines

/// Fetches that turn into one for the whole by GET, where the first answer cannot tell in which coding its
/// client would get it.
extension Worker {
    /// `Rules.judgeWhole` of the response to a HEAD, in `response`.
    mutating func judgeWhole(_ x: Handle<Exchange>) -> EntryFacts? {
        Self.judgeWhole(
            &exchanges[x], site.routes[exchanges[x].route], scratch.response, scratch.outbound, now.times)
    }

    private static func judgeWhole(
        _ exchange: inout Exchange, _ route: borrowing Site.Route, _ response: borrowing ResponseHead,
        _ outbound: borrowing ByteBuffer, _ now: Times
    ) -> EntryFacts? {
        route.rules.judgeWhole(
            response, outbound.span, to: exchange.verdictOnTarget, sent: exchange.fetch.sentAt, received: now)
    }

    /// Fetches the whole in place of the response in `response`, if `Rules.fetchesWhole` says so of the
    /// response to a HEAD or of a part.
    /// - Parameter whole: `judgeWhole` of the response to a HEAD.
    /// - Returns: is it being fetched?
    mutating func fetchWholeInstead(
        _ x: Handle<Exchange>, _ o: Handle<Origin>, _ whole: EntryFacts?, headCount: Int
    ) -> Bool {
        guard exchanges[x].client != nil else { return false }
        if let facts = whole {
            guard Rules.fetchesWhole(scratch.response, facts) else { return false }
            exchanges[x].fetch.answersHead = true
        } else {
            guard exchanges[x].verdict.flags.contains(.range) else { return false }
            parseHead(x)
            let fetchesWhole = Self.fetchesWhole(
                insteadOfPart: scratch.response, scratch.outbound, &exchanges[x],
                site.routes[exchanges[x].route], scratch.request)
            guard fetchesWhole else { return false }
        }
        scratch.outbound.removeFirst(headCount)
        exchanges[x].origin = nil
        if scratch.response.keepAlive, scratch.response.framing == .none, scratch.outbound.isEmpty {
            keepOrigin(o)
        } else {
            origins.close(o)
        }
        exchanges[x].verdict = exchanges[x].verdict.storing
        exchanges[x].outcome.reason = nil
        exchanges[x].fetch.renewal = nil
        connect(x)
        return true
    }

    private static func fetchesWhole(
        insteadOfPart response: borrowing ResponseHead, _ outbound: borrowing ByteBuffer,
        _ exchange: inout Exchange, _ route: borrowing Site.Route, _ request: borrowing RequestHead
    ) -> Bool {
        route.rules.fetchesWhole(
            insteadOfPart: response, outbound.span, to: exchange.verdictOnTarget, request, exchange.head)
    }
}
