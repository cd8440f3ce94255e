// Revalidation in difficult cases: soft purges, cookies, HEAD, ranges, and responses without a matching
// request. Also: for which keys requests wait.

import DataPlane
import DataPlaneHarness
import Settings
import Store
import Testing

struct RevalidationTests {
    @Test func aSoftlyPurgedEntryIsRevalidated() throws {
        let scripted = try Scripted([cacheable("body", "ETag: \"a\""), notModified])
        try withStage(scripted.origin) { stage in
            _ = try stage.ask("GET", "/")
            guard var thread = stage.store.row() else { throw Unexpected(description: "no row") }
            thread.beginTurn()
            _ = thread.banEverything(soft: true)
            thread.endTurn()
            let answer = try stage.ask("GET", "/")
            #expect(answer.text == "body" && answer.cacheStatus.hasPrefix("fwd=stale"))
            #expect(scripted.origin.requests.last?["if-none-match"] == "\"a\"")
            // The 304 has renewed it.
            #expect(try stage.ask("GET", "/").cacheStatus.hasPrefix("hit"))
        }
    }

    // MARK: Keys that requests wait for

    /// A response fetched because of a client's `no-cache` is stored, and waiting clients get it.
    @Test func aClientsRefreshIsOneFetch() throws {
        let scripted = try Scripted([cacheable("old"), cacheable("new")], holding: 2)
        let clock = steered()
        try withStage(scripted.origin, clock: clock) { stage in
            _ = try stage.ask("GET", "/")
            clock.advance(milliseconds: 10_000)
            try stage.turn()
            #expect(try scripted.fetchesOfTwo(stage, ["Cache-Control: no-cache"]) == 1)
        }
    }

    /// A request with cookies whose response is not stored does not make the key hit-for-miss.
    @Test func aRequestWithCookiesDoesNotStopCoalescing() throws {
        let scripted = try Scripted([cacheable("body")], holding: 2)
        try withStage(scripted.origin) { stage in
            let answer = try stage.ask("GET", "/", "Cookie: a=b")
            #expect(answer.cacheStatus == "fwd=miss; detail=cookie")
            #expect(try scripted.fetchesOfTwo(stage) == 1)
        }
    }

    /// The origin refuses one client's field: the entry stays, and other clients go on waiting for one fetch.
    @Test(arguments: [400, 401, 431]) func aRefusedRequestDoesNotStopCoalescing(status: Int) throws {
        let bad = answer("bad", status: status)
        let scripted = try Scripted(
            [bad, cacheable("body", "ETag: \"a\""), bad, notModified], holding: 2)
        let clock = steered()
        try withStage(scripted.origin, clock: clock) { stage in
            #expect(try stage.ask("GET", "/", "X-Bad: 1").status == status)
            #expect(try scripted.fetchesOfTwo(stage) == 1)
            clock.advance(milliseconds: 100_000)
            try stage.turn()
            #expect(try stage.ask("GET", "/", "X-Bad: 1").status == status)
            let answer = try stage.ask("GET", "/")
            #expect(answer.text == "body" && scripted.origin.requests.last?["if-none-match"] == "\"a\"")
        }
    }

    /// A response to one client's cookies that the entry's own rules keep from the store does not remove the
    /// entry.
    @Test func aResponseToCookiesDoesNotRemoveTheEntry() throws {
        let scripted = try Scripted(
            [cacheable("body", "ETag: \"a\"", "Cache-Control: public"), cacheable("own"), notModified])
        let clock = steered()
        try withStage(scripted.origin, clock: clock) { stage in
            _ = try stage.ask("GET", "/")
            clock.advance(milliseconds: 100_000)
            try stage.turn()
            #expect(try stage.ask("GET", "/", "Cookie: a=b").text == "own")
            #expect(try stage.ask("GET", "/").text == "body")
        }
    }

    /// Requests wait for a key again once a response was stored for it.
    @Test func aStoredResponseEndsHitForMiss() throws {
        let scripted = try Scripted(
            [answer("x", "Cache-Control: no-store"), cacheable("body"), cacheable("later")], holding: 3)
        let clock = steered()
        try withStage(scripted.origin, clock: clock) { stage in
            _ = try stage.ask("GET", "/")
            #expect(try stage.ask("GET", "/").cacheStatus == "fwd=miss; stored")
            clock.advance(milliseconds: 100_000)
            try stage.turn()
            #expect(try scripted.fetchesOfTwo(stage) == 1)
        }
    }

    /// A response that needs revalidation at every request is stored, but requests do not wait for it.
    @Test func aResponseThatAlwaysNeedsRevalidationDoesNotEndHitForMiss() throws {
        let text = answer("body", "Cache-Control: no-cache, max-age=60", "ETag: \"a\"")
        let scripted = try Scripted([text], holding: 3)
        try withStage(scripted.origin, settings: { $0.policies[0].store.noCache = .revalidate }) { stage in
            _ = try stage.ask("GET", "/")
            _ = try stage.ask("GET", "/")
            #expect(try scripted.fetchesOfTwo(stage) == 2)
        }
    }

    @Test func aForwardedConditionIsTheReasonInCacheStatus() throws {
        let scripted = try Scripted([answer("x", "Cache-Control: no-store"), cacheable("body")])
        try withStage(scripted.origin) { stage in
            _ = try stage.ask("GET", "/")
            let answer = try stage.ask("GET", "/", "If-None-Match: \"a\"")
            #expect(scripted.origin.requests.last?["if-none-match"] == "\"a\"")
            #expect(answer.cacheStatus == "fwd=miss; detail=conditional")
        }
    }

    // MARK: Revalidation in the background

    private static let whileRevalidating = cacheable(
        "body", "ETag: \"a\"", "Cache-Control: stale-while-revalidate=1000")

    /// A response to HEAD shows that the entry is outdated. Requests still wait for the next fetch.
    @Test func aHeadThatOutdatesAnEntryDoesNotStopCoalescing() throws {
        let head = String(cacheable("other", "ETag: \"b\"").dropLast(5))
        let scripted = try Scripted([Self.whileRevalidating, head, cacheable("other")], holding: 3)
        let clock = steered()
        try withStage(scripted.origin, clock: clock) { stage in
            _ = try stage.ask("GET", "/")
            clock.advance(milliseconds: 100_000)
            try stage.turn()
            #expect(try stage.ask("HEAD", "/").cacheStatus.hasPrefix("hit"))
            try scripted.sent.wait(count: 2)
            // Sending is not enough: of two connections, the later one may be read first.
            try stage.settled("the HEAD's revalidation")
            #expect(try scripted.fetchesOfTwo(stage) == 1)
        }
    }

    /// A range request on a stale entry has the whole entry revalidated.
    @Test func aRangeRevalidatesTheWholeEntry() throws {
        let scripted = try Scripted([Self.whileRevalidating, notModified])
        let clock = steered()
        try withStage(scripted.origin, clock: clock) { stage in
            _ = try stage.ask("GET", "/")
            clock.advance(milliseconds: 100_000)
            try stage.turn()
            let part = try stage.ask("GET", "/", "Range: bytes=0-1")
            #expect(part.status == 206 && part.text == "bo")
            try scripted.sent.wait(count: 2)
            let fetch = scripted.origin.requests[1]
            #expect(fetch["if-none-match"] == "\"a\"" && fetch["range"] == nil)
            try stage.settled("the entry's revalidation")
            #expect(try stage.ask("GET", "/")["age"] == "0")
        }
    }

    /// The background revalidation goes on when its client leaves, and a drain waits for it.
    @Test(arguments: [false, true]) func aBackgroundRevalidationOutlivesItsClient(drains: Bool) throws {
        let scripted = try Scripted([Self.whileRevalidating, notModified], holding: 2)
        let clock = steered()
        try withStage(scripted.origin, clock: clock) { stage in
            _ = try stage.ask("GET", "/")
            clock.advance(milliseconds: 100_000)
            try stage.turn()
            let client = try scripted.send(stage)
            #expect(try client.receiveAnswer().text == "body")
            client.reset()
            try scripted.arrivals.wait(count: 2)
            if drains { stage.server.drain() } else { try stage.turn() }
            scripted.release.open()
            if drains {
                stage.server.join()
            } else {
                let fresh = try stage.eventually("it is renewed") {
                    let answer = try stage.ask("GET", "/")
                    return answer["age"] == "0" ? answer : nil
                }
                #expect(fresh.text == "body" && scripted.origin.requests.count == 2)
            }
        }
    }

    /// So does a client for which the stale entry has to be decoded.
    @Test func aClientThatNeedsDecodingStartsABackgroundRevalidation() throws {
        let bytes = deflated("body")
        let head =
            "HTTP/1.1 200 OK\r\nCache-Control: max-age=60, stale-while-revalidate=1000\r\nETag: \"a\"\r\n"
            + "Content-Encoding: gzip\r\nContent-Length: \(bytes.count)\r\n\r\n"
        let renewed = Gate()
        let origin = try ScriptedOrigin { peer, connection, origin in
            while let request = try origin.receive(peer, connection) {
                if request["if-none-match"] == nil {
                    try peer.send(Array(head.utf8) + bytes)
                } else {
                    try peer.send(notModified)
                    renewed.open()
                }
            }
        }
        let clock = steered()
        try withStage(origin, clock: clock) { stage in
            _ = try stage.ask("GET", "/", "Accept-Encoding: gzip")
            clock.advance(milliseconds: 100_000)
            try stage.turn()
            #expect(try stage.ask("GET", "/", "Accept-Encoding: identity").text == "body")
            try renewed.wait()
        }
    }

    // MARK: Unexpected responses

    /// A 304 to a request without conditions is malformed. That holds even if the client sent conditions,
    /// since the origin did not see them.
    @Test(arguments: [[], ["If-None-Match: \"a\""]]) func aNotModifiedToAnUnconditionalRequestIsMalformed(fields: [String]) throws {
        let scripted = try Scripted([notModified])
        try withStage(scripted.origin) { stage in
            let client = try scripted.send(stage, fields)
            #expect(try client.receiveAnswer().status == 502)
            #expect(scripted.origin.requests[0]["if-none-match"] == nil)
        }
    }

    /// A 304 with another tag renews nothing. Larder fetches the whole response; if that is a 304 too, the
    /// answer is an error.
    @Test(arguments: [true, false]) func aNotModifiedWithAnotherTagRenewsNothing(recovers: Bool) throws {
        let other = notModified.replacing("\"a\"", with: "\"b\"")
        let scripted = try Scripted(
            [cacheable("body", "ETag: \"a\""), other, recovers ? cacheable("other", "ETag: \"b\"") : other])
        let clock = steered()
        try withStage(scripted.origin, clock: clock) { stage in
            _ = try stage.ask("GET", "/")
            clock.advance(milliseconds: 100_000)
            try stage.turn()
            let answer = try stage.ask("GET", "/")
            #expect(recovers ? answer.text == "other" : answer.status == 502)
            #expect(scripted.origin.requests.map { $0["if-none-match"] } == [nil, "\"a\"", nil])
        }
    }
}
