// Revalidation in awkward company: soft purges, cookies, HEAD, ranges, and answers that nobody asked for; and
// which keys are worth waiting for.

import DataPlane
import DataPlaneHarness
import Settings
import Store
import Testing

struct RevalidationTests {
    @Test func aSoftPurgeMakesStale() throws {
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

    // MARK: What is worth waiting for

    /// What a client's `no-cache` had fetched is stored, and those who waited for it get it.
    @Test func aClientsRefreshIsFetchedOnce() throws {
        let scripted = try Scripted([cacheable("old"), cacheable("new")], holding: 2)
        let clock = steered()
        try withStage(scripted.origin, clock: clock) { stage in
            _ = try stage.ask("GET", "/")
            clock.advance(milliseconds: 10_000)
            try stage.turn()
            #expect(try scripted.fetchesOfTwo(stage, ["Cache-Control: no-cache"]) == 1)
        }
    }

    /// That an answer to a request with cookies is not stored says nothing of those without.
    @Test func cookiesAreNotHeldAgainstOthers() throws {
        let scripted = try Scripted([cacheable("body")], holding: 2)
        try withStage(scripted.origin) { stage in
            let answer = try stage.ask("GET", "/", "Cookie: a=b")
            #expect(answer.cacheStatus == "fwd=miss; detail=cookie")
            #expect(try scripted.fetchesOfTwo(stage) == 1)
        }
    }

    /// One client's field that the origin refuses costs nobody else the entry, nor the waiting for it.
    @Test(arguments: [400, 401, 431]) func aRefusedRequestIsNotHeldAgainstOthers(status: Int) throws {
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

    /// Nor does an answer to one client's cookies that the entry's own rules keep from being stored.
    @Test func cookiesCostNobodyTheEntry() throws {
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

    /// A key is worth waiting for again once somebody had its answer stored.
    @Test func aKeyRecovers() throws {
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

    /// What every request has to ask after is stored, and not waited for.
    @Test func butNotByWhatIsAlwaysAskedAfter() throws {
        let text = answer("body", "Cache-Control: no-cache, max-age=60", "ETag: \"a\"")
        let scripted = try Scripted([text], holding: 3)
        try withStage(scripted.origin, settings: { $0.policies[0].store.noCache = .revalidate }) { stage in
            _ = try stage.ask("GET", "/")
            _ = try stage.ask("GET", "/")
            #expect(try scripted.fetchesOfTwo(stage) == 2)
        }
    }

    @Test func aConditionThatIsPassedOnIsTheReason() throws {
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

    /// A HEAD tells that the entry is outdated; the next to fetch it is still waited for.
    @Test func aHeadThatOutdatesAnEntryCostsNobody() throws {
        let head = String(cacheable("other", "ETag: \"b\"").dropLast(5))
        let scripted = try Scripted([Self.whileRevalidating, head, cacheable("other")], holding: 3)
        let clock = steered()
        try withStage(scripted.origin, clock: clock) { stage in
            _ = try stage.ask("GET", "/")
            clock.advance(milliseconds: 100_000)
            try stage.turn()
            #expect(try stage.ask("HEAD", "/").cacheStatus.hasPrefix("hit"))
            try scripted.sent.wait(count: 2)
            // Sent is not judged yet: of two connections the later one may be heard first.
            try stage.settled("the HEAD's revalidation")
            #expect(try scripted.fetchesOfTwo(stage) == 1)
        }
    }

    /// A part of a stale entry has the whole of it revalidated.
    @Test func aRangeHasTheEntryRevalidated() throws {
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

    /// It goes on when its client is gone, and a drain waits for it.
    @Test(arguments: [false, true]) func itOutlivesItsClient(drains: Bool) throws {
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
    @Test func soDoesWhoCannotTakeItsCoding() throws {
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

    // MARK: Unasked-for answers

    /// A 304 to a request without conditions is no answer: not even to a client that had some, since the
    /// origin was not told of them.
    @Test(arguments: [[], ["If-None-Match: \"a\""]]) func anUnaskedNotModified(fields: [String]) throws {
        let scripted = try Scripted([notModified])
        try withStage(scripted.origin) { stage in
            let client = try scripted.send(stage, fields)
            #expect(try client.receiveAnswer().status == 502)
            #expect(scripted.origin.requests[0]["if-none-match"] == nil)
        }
    }

    /// A 304 about something else renews nothing; the whole is fetched, and if that is a 304 too, it is none.
    @Test(arguments: [true, false]) func aNotModifiedOfSomethingElse(recovers: Bool) throws {
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
