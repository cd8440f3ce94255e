// Events while clients wait or while an entry is revalidated: changes, purges, failures, clients that leave
// or pipeline, drains. Each request has one line in the log.

import DataPlane
import DataPlaneHarness
import Settings
import Store
import Testing

struct MeanwhileTests {
    /// An invalidation or a purge comes while a 304 is on its way: the entry is fetched anew, not renewed.
    @Test(arguments: [false, true]) func aRevalidationOvertakenByAChangeFetchesAnew(purges: Bool) throws {
        let gate = Gate()
        let arrivals = Gate()
        let origin = try ScriptedOrigin { peer, connection, origin in
            while let request = try origin.receive(peer, connection) {
                if request.method == "POST" {
                    try peer.send(answer("changed"))
                } else if request["if-none-match"] != nil {
                    arrivals.open()
                    try peer.wait(for: gate)
                    try peer.send(notModified)
                } else {
                    try peer.send(
                        origin.requests.count == 1 ? cacheable("old", "ETag: \"a\"") : cacheable("new"))
                }
            }
        }
        let clock = steered()
        try withStage(origin, clock: clock) { stage in
            _ = try stage.ask("GET", "/")
            clock.advance(milliseconds: 100_000)
            try stage.turn()
            let clients = try stage.crowd(3)
            try arrivals.wait()
            try stage.turn()
            if purges {
                guard var thread = stage.store.row() else { throw Unexpected(description: "no row") }
                thread.beginTurn()
                _ = thread.banEverything(soft: false)
                thread.endTurn()
            } else {
                #expect(try stage.ask("POST", "/", body: "x").text == "changed")
            }
            gate.open()
            for client in clients { #expect(try client.receiveAnswer().text == "new") }
            #expect(try stage.ask("GET", "/").text == "new")
            #expect(origin.requests.count { $0.method == "GET" } == 3)
        }
    }

    /// The response needs revalidation at every request: the 304 for one client keeps the entry for the
    /// others.
    @Test func one304ServesAllWaitingClients() throws {
        let gate = Gate()
        let arrivals = Gate()
        let origin = try ScriptedOrigin { peer, connection, origin in
            while let request = try origin.receive(peer, connection) {
                if request["if-none-match"] == nil {
                    try peer.send(answer("body", "Cache-Control: no-cache, max-age=60", "ETag: \"a\""))
                } else {
                    arrivals.open()
                    try peer.wait(for: gate)
                    try peer.send("HTTP/1.1 304 Same\r\nETag: \"a\"\r\nCache-Control: no-cache\r\n\r\n")
                }
            }
        }
        try withStage(origin, settings: { $0.policies[0].store.noCache = .revalidate }) { stage in
            _ = try stage.ask("GET", "/")
            let clients = try stage.crowd(5)
            try arrivals.wait(count: 5)
            gate.open()
            for client in clients { #expect(try client.receiveAnswer().text == "body") }
            #expect(origin.requests.count == 6)
        }
    }

    /// The updated head may not be stored. The client that revalidates gets it, the entry is removed, and
    /// waiting clients fetch for themselves.
    @Test func aRefusedRenewalRemovesTheEntry() throws {
        let scripted = try Scripted(
            [
                cacheable("old", "ETag: \"a\""),
                "HTTP/1.1 304 Same\r\nETag: \"a\"\r\nCache-Control: private\r\n\r\n", cacheable("new"),
            ], holding: 2)
        let clock = steered()
        try withStage(scripted.origin, clock: clock) { stage in
            _ = try stage.ask("GET", "/")
            clock.advance(milliseconds: 100_000)
            try stage.turn()
            scripted.arrivals.close()
            let first = try scripted.send(stage)
            try scripted.arrivals.wait()
            let second = try scripted.send(stage)
            try stage.turn()
            scripted.release.open()
            let own = try first.receiveAnswer()
            #expect(own.text == "old" && own["cache-control"] == "private")
            let other = try second.receiveAnswer()
            #expect(other.text == "new" && scripted.origin.requests.count == 3)
            #expect(try stage.stored("/").text == "new")
        }
    }

    /// The origin is gone, and the stale entry may answer: every client gets it, waiting clients included.
    @Test(arguments: [1, 2]) func everyWaitingClientGetsTheStaleEntryWhenTheOriginFails(threads: Int) throws {
        let gate = Gate()
        let arrivals = Gate()
        let origin = try ScriptedOrigin { peer, connection, origin in
            while try origin.receive(peer, connection) != nil {
                if origin.requests.count > 1 {
                    arrivals.open()
                    return try peer.wait(for: gate)
                }
                try peer.send(cacheable("body", "Cache-Control: stale-if-error=1000"))
            }
        }
        let clock = steered()
        try withStage(
            origin, threads: threads, clock: clock, settings: { $0.upstreams[0].connections.reuse = .never }
        ) { stage in
            _ = try stage.ask("GET", "/")
            clock.advance(milliseconds: 100_000)
            try stage.turn()
            let clients = try stage.crowd(10)
            try arrivals.wait()
            try stage.turn()
            gate.open()
            for client in clients {
                let answer = try client.receiveAnswer()
                #expect(answer.status == 200 && answer.text == "body")
            }
        }
    }

    /// A client that the awaited entry may not answer fetches for itself.
    @Test func aClientWithCookiesDoesNotWait() throws {
        let scripted = try Scripted([cacheable("plain"), cacheable("with cookies")], holding: 1)
        try withStage(scripted.origin) { stage in
            let first = try scripted.send(stage)
            try scripted.arrivals.wait()
            let second = try scripted.send(stage, ["Cookie: a=b"])
            try stage.turn()
            scripted.release.open()
            #expect(try first.receiveAnswer().text == "plain")
            let other = try second.receiveAnswer()
            #expect(other.text == "with cookies" && other.cacheStatus == "fwd=bypass; detail=cookie")
            #expect(try stage.ask("GET", "/").text == "plain")
        }
    }

    /// Each request has one line, however it ends.
    @Test func theLogHasOneLineForEachRequest() throws {
        let paths = SocketPaths(1)
        let gate = Gate()
        let arrivals = Gate()
        let origin = try ScriptedOrigin { peer, connection, origin in
            while let request = try origin.receive(peer, connection) {
                let extensions = "Cache-Control: stale-while-revalidate=10, stale-if-error=1000"
                switch request["if-none-match"] {
                case nil where request.target == "/held":
                    arrivals.open()
                    try peer.wait(for: gate)
                    try peer.send(cacheable("body"))
                case nil: try peer.send(cacheable("body", "ETag: \"a\"", extensions))
                default:
                    switch request.target {
                    case "/same": try peer.send("HTTP/1.1 304 Same\r\nETag: \"a\"\r\n\r\n")
                    case "/failing": try peer.send(answer("x", status: 503))
                    case "/private":
                        try peer.send("HTTP/1.1 304 Same\r\nETag: \"a\"\r\nCache-Control: private\r\n\r\n")
                    default: return
                    }
                }
            }
        }
        let clock = steered()
        try withStage(origin, clock: clock, settings: { $0.log.access = .file(paths.paths[0]) }) { stage in
            let targets = ["/same", "/failing", "/private", "/gone"]
            for target in targets { _ = try stage.ask("GET", target) }
            // First after the end of stale-while-revalidate; then, once renewed, within it.
            for milliseconds in [100_000, 65_000] as [UInt64] {
                clock.advance(milliseconds: milliseconds)
                try stage.turn()
                for target in targets { #expect(try stage.ask("GET", target).text == "body") }
            }
            #expect(try stage.ask("GET", "/other", "If-None-Match: \"a\"").status == 304)
            let held = try (0..<3).map { _ in
                let client = try stage.client()
                try client.send(request("GET", "/held"))
                return client
            }
            try arrivals.wait()
            try stage.turn()
            held[2].reset()
            try stage.turn()
            gate.open()
            for client in held.prefix(2) { #expect(try client.receiveAnswer().text == "body") }
            stage.server.drain()
            stage.server.join()
            let lines = try BalanceTests.lines(paths.paths[0])
            func count(_ target: String) -> Int { lines.count { $0.contains("\"\(target)\"") } }
            for target in targets { #expect(count(target) == 3, "\(target)") }
            #expect(count("/other") == 1 && count("/held") == 3)
            #expect(lines.count { $0.contains("499") && $0.contains("/held") } == 1)
        }
    }

    /// The entry could have answered in place of an error when the request came. It is too old by the time
    /// that the error comes: the client gets the origin's error as it is.
    @Test func anErrorIsPassedOnOnceTheEntryIsTooOld() throws {
        let scripted = try Scripted(
            [cacheable("body", "Cache-Control: stale-if-error=100"), answer("no", status: 503)], holding: 2)
        let clock = steered()
        try withStage(scripted.origin, clock: clock) { stage in
            _ = try stage.ask("GET", "/")
            scripted.arrivals.close()
            clock.advance(milliseconds: 100_000)
            let client = try scripted.send(stage)
            try scripted.arrivals.wait()
            clock.advance(milliseconds: 100_000)
            scripted.release.open()
            let answer = try client.receiveAnswer()
            #expect(answer.status == 503 && answer.text == "no")
        }
    }

    // MARK: Connections

    /// A stale entry answers a request because no origin can be reached. Requests pipelined behind it are
    /// answered too.
    @Test func requestsPipelinedBehindAnErrorAreAnswered() throws {
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

    /// Requests pipelined behind a waiting request are read after it. In HTTP/1.0 the connection ends with
    /// it.
    @Test(arguments: [0, 1]) func requestsPipelinedBehindAWaitingOneAreAnswered(minor: Int) throws {
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

    /// A drain lets waiting clients have their answers.
    @Test(arguments: [1, 2]) func aDrainAnswersWaitingClients(threads: Int) throws {
        let scripted = try Scripted([cacheable("body")], holding: 1)
        try withStage(scripted.origin, threads: threads) { stage in
            let first = try scripted.send(stage)
            try scripted.arrivals.wait()
            let others = try (0..<10).map { _ in try scripted.send(stage) }
            // Threads accept connections in any order: those not yet accepted are refused later.
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
