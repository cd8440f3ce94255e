// Stale entries and those who wait, in awkward company: purges, cookies, HEAD, ranges, pipelines, drains, and
// origins that answer what nobody asked.

import Proxy
import ProxyHarness
import Settings
import Store
import Testing

private let notModified = "HTTP/1.1 304 Same\r\nETag: \"a\"\r\nCache-Control: max-age=60\r\n\r\n"

/// A clock that only a test moves.
private func steered() -> SteeredClock {
    SteeredClock(wallMilliseconds: 1_700_000_000_000, bootMilliseconds: 1_000_000)
}

/// An origin whose n-th answer, from 1 on, is `answers[n - 1]`, and the last one for good; it holds the
/// `held`-th until `release` is opened, and opens `sent` behind each.
private struct Scripted {
    let arrivals = Gate()
    let release = Gate()
    let sent = Gate()
    let origin: ScriptedOrigin

    init(_ answers: [String], holding held: Int = 0) throws {
        let (arrivals, release, sent) = (arrivals, release, sent)
        origin = try ScriptedOrigin { peer, connection, origin in
            while try origin.receive(peer, connection) != nil {
                let number = origin.requests.count
                arrivals.open()
                if number == held { try peer.wait(for: release) }
                try peer.send(answers[min(number, answers.count) - 1])
                sent.open()
            }
        }
    }

    /// Two clients ask for the same while the origin holds the answer: how many fetches there were.
    func fetchesOfTwo(_ stage: Stage, _ fields: [String] = []) throws -> Int {
        let before = origin.requests.count
        arrivals.close()
        let first = try send(stage, fields)
        try arrivals.wait()
        let second = try send(stage, fields)
        try stage.turn()
        release.open()
        let answers = [try first.receiveAnswer(), try second.receiveAnswer()]
        for answer in answers { #expect(answer.status == 200 && answer.text == answers[0].text) }
        return origin.requests.count - before
    }

    func send(_ stage: Stage, _ fields: [String] = []) throws -> Peer {
        let client = try stage.client()
        try client.send(request("GET", "/", fields))
        return client
    }
}

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
            try stage.turn()
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
            try stage.turn()
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

    // MARK: Connections

    /// Requests behind one that a stale entry answers, because no origin can be reached, are answered too.
    @Test func whatIsPipelinedBehindAnErrorIsKept() throws {
        let paths = SocketPaths(1)
        let text = cacheable("body", "Cache-Control: stale-if-error=1000")
        let origin = try ScriptedOrigin(at: paths.address(0)) { peer, connection, origin in
            while try origin.receive(peer, connection) != nil { try peer.send(text) }
        }
        let clock = steered()
        try withStage(
            origin, clock: clock, settings: { $0.upstreams[0].connections.reuse = .never }
        ) { stage in
            _ = try stage.ask("GET", "/")
            clock.advance(milliseconds: 100_000)
            try stage.turn()
            origin.stop()
            let client = try stage.client()
            // Connecting to a unix socket fails at once.
            try client.send(request("GET", "/") + request("OPTIONS", "*") + request("GET", "/"))
            #expect(try client.receiveAnswer().text == "body")
            #expect(try client.receiveAnswer().status == 204)
            #expect(try client.receiveAnswer().text == "body")
        }
    }

    /// What is pipelined behind a request that waits is read after it; HTTP/1.0 ends with it.
    @Test(arguments: [0, 1]) func aWaitingClientsPipeline(minor: Int) throws {
        let scripted = try Scripted([cacheable("body")], holding: 1)
        try withStage(scripted.origin) { stage in
            let first = try scripted.send(stage)
            try scripted.arrivals.wait()
            let second = try stage.client()
            try second.send("GET / HTTP/1.\(minor)\r\nHost: example.com\r\n\r\n" + request("OPTIONS", "*"))
            second.shutdownWrite()
            try stage.turn()
            scripted.release.open()
            #expect(try first.receiveAnswer().text == "body")
            #expect(try second.receiveAnswer().text == "body")
            if minor == 1 { #expect(try second.receiveAnswer().status == 204) }
            #expect(try second.ending() == .end)
            #expect(scripted.origin.requests.count == 1)
        }
    }

    /// A drain lets those who wait have their answers.
    @Test(arguments: [1, 2]) func aDrainWhileSomebodyWaits(threads: Int) throws {
        let scripted = try Scripted([cacheable("body")], holding: 1)
        try withStage(scripted.origin, threads: threads) { stage in
            let first = try scripted.send(stage)
            try scripted.arrivals.wait()
            let others = try (0..<10).map { _ in try scripted.send(stage) }
            // Threads take connections as they please: those that have not been taken yet are refused later.
            try stage.turn()
            stage.server.drain()
            scripted.release.open()
            for client in [first] + others {
                let answer = try client.receiveAnswer()
                #expect(answer.text == "body")
                try client.ending()
            }
            stage.server.join()
            #expect(scripted.origin.requests.count == 1)
        }
    }
}
