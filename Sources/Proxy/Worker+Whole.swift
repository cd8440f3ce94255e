internal import Bytes
internal import Caching
internal import Exchange
internal import HTTP
internal import Loop

/// Fetches that turn into one for the whole by GET, where the first answer cannot tell in which coding its
/// client would get it.
extension Worker {
    /// What the answer to a HEAD, in `response`, tells of the entry that GET would leave; nil for other
    /// methods, and where GET would leave none.
    mutating func judgeWhole(_ f: Handle) -> EntryFacts? {
        guard forwards[f].method == .head, forwards[f].verdict.mayLookup else { return nil }
        return Self.judgeWhole(&forwards[f], site.routes[forwards[f].route], response, outbound, now.times)
    }

    private static func judgeWhole(
        _ forward: inout Forward, _ route: borrowing Site.Route, _ response: borrowing ResponseHead,
        _ outbound: borrowing ByteBuffer, _ now: Times
    ) -> EntryFacts? {
        let verdict = forward.verdictOnTarget.storing
        if let length = response.fields.first(.contentLength) {
            let count = outbound.span.slice(length.value).decimalSaturating() ?? .max
            guard count <= UInt64(route.rules.maxBodyBytes) else { return nil }
        }
        let judged = route.rules.judge(
            response, outbound.span, to: verdict, sent: forward.sentAt, received: now)
        guard case .store(let facts) = judged else { return nil }
        return facts
    }

    /// Fetches the whole in place of the answer in `response`, if that is
    ///
    /// - the answer to a HEAD without a length, by which the coding goes;
    /// - a part of bytes that the client may have in another coding: to join them would damage its copy.
    ///
    /// - Returns: is it being fetched?
    mutating func fetchesWhole(_ f: Handle, _ o: Handle, _ whole: EntryFacts?, headCount: Int) -> Bool {
        guard forwards[f].client != nil, forwards[f].verdict.mayLookup else { return false }
        if let facts = whole {
            guard !response.fields.contains(.contentLength), Rules.variesByCoding(facts) else { return false }
            forwards[f].answersHead = true
        } else {
            guard response.status == 206, forwards[f].verdict.flags.contains(.range) else { return false }
            parseHead(f)
            let route = forwards[f].route
            guard Self.isOfOtherBytes(response, outbound, &forwards[f], site.routes[route], request)
            else { return false }
        }
        outbound.removeFirst(headCount)
        forwards[f].origin = nil
        if response.keepAlive, response.framing == .none, outbound.isEmpty { park(o) } else { closeOrigin(o) }
        forwards[f].verdict = forwards[f].verdict.storing
        forwards[f].reason = nil
        forwards[f].renewal = nil
        forwards[f].sent = .nothing
        connect(f)
        return true
    }

    private static func isOfOtherBytes(
        _ response: borrowing ResponseHead, _ outbound: borrowing ByteBuffer, _ forward: inout Forward,
        _ route: borrowing Site.Route, _ request: borrowing RequestHead
    ) -> Bool {
        route.rules.isPartOfOtherCoding(
            response, outbound.span, to: forward.verdictOnTarget, request, forward.head)
    }
}
