// Limits of connections and of descriptors: who is there is served, who comes later waits, and nothing spins.

import Glibc
import Kernel
import Logging
import DataPlane
import DataPlaneHarness
import Settings
import Store
import Testing

struct LimitTests {
    /// Every client is answered at once, whichever thread has it: idle connections make room.
    @Test(arguments: [1, 2, 4], [1, 3]) func idleConnectionsMakeRoom(threads: Int, limit: Int) throws {
        let origin = try ScriptedOrigin(answering: { _ in cacheable("text") })
        try withStage(origin, threads: threads, settings: { $0.limits.connections = limit }) { stage in
            var clients: [Peer] = []
            for _ in 0..<40 {
                let client = try stage.client()
                try client.send(request("OPTIONS", "*"))
                let answer = try client.receiveAnswer()
                #expect(answer.status == 204 && !answer.closes)
                clients.append(client)
            }
            // The others were closed, and none was reset.
            var ended = 0
            for client in clients where !client.isQuiet() {
                #expect(try client.ending() == .end)
                ended += 1
            }
            #expect(ended == 40 - limit)
        }
    }

    @Test func theConnectionThatIsIdleLongestIsClosed() throws {
        let origin = try ScriptedOrigin(answering: { _ in cacheable("text") })
        let clock = steered()
        try withStage(origin, clock: clock, settings: { $0.limits.connections = 3 }) { stage in
            func ask(_ client: Peer) throws {
                // Twice: a first request may come in the turn that accepted another client before, and have
                // its time. The second has a turn, and so a time, of its own.
                for _ in 0..<2 {
                    try client.send(request("GET", "/"))
                    #expect(try client.receiveAnswer().text == "text")
                    clock.skip(milliseconds: 100)
                }
            }
            var clients = try (0..<3).map { _ in try stage.client() }
            for client in clients { try ask(client) }
            // The first is used again: the second is idle longest now, then the third.
            try ask(clients[0])
            for place in [1, 2, 0] {
                let newcomer = try stage.client()
                try ask(newcomer)
                #expect(try clients[place].ending() == .end)
                clients.append(newcomer)
            }
            for client in clients[3...] { #expect(client.isQuiet()) }
        }
    }

    /// As many as the limit says are served at once, by however many threads. One more waits for the first
    /// that has its answer.
    @Test(arguments: [1, 2, 3], [1, 2, 20]) func asManyAsTheLimitAreServedAtOnce(
        threads: Int, limit: Int
    ) throws {
        let arrived = Gate()
        let resume = Gate()
        let origin = try ScriptedOrigin { peer, number, origin in
            while try origin.receive(peer, number) != nil {
                arrived.open()
                try peer.wait(for: resume)
                try peer.send(answer("text", "Cache-Control: no-store"))
            }
        }
        try withStage(origin, threads: threads, settings: { $0.limits.connections = limit }) { stage in
            let inside = try (0..<limit).map { _ in try stage.client() }
            for (index, client) in inside.enumerated() { try client.send(request("GET", "/\(index)")) }
            try arrived.wait(count: limit)
            let outside = try stage.client()
            try outside.send(request("OPTIONS", "*"))
            #expect(outside.isQuiet())
            resume.open()
            #expect(try outside.receiveAnswer().status == 204)
            for client in inside { #expect(try client.receiveAnswer().text == "text") }
        }
    }

    /// Half a head and a request under way are kept; what has come unread is answered.
    @Test func onlyWhatIsIdleMakesRoom() throws {
        let arrived = Gate()
        let resume = Gate()
        let origin = try ScriptedOrigin { peer, number, origin in
            while try origin.receive(peer, number) != nil {
                arrived.open()
                try peer.wait(for: resume)
                try peer.send(answer("text"))
            }
        }
        try withStage(origin, settings: { $0.limits.connections = 2 }) { stage in
            let busy = try stage.client()
            try busy.send(request("GET", "/"))
            try arrived.wait()
            let begun = try stage.client()
            try begun.send("OPTIONS * HTTP/1.1\r\nHo")
            let outside = try stage.client()
            try outside.send(request("OPTIONS", "*"))
            #expect(outside.isQuiet())
            try begun.send("st: a\r\n\r\n")
            #expect(try begun.receiveAnswer().status == 204)
            #expect(try outside.receiveAnswer().status == 204)
            #expect(try begun.ending() == .end)
            resume.open()
            #expect(try busy.receiveAnswer().text == "text")
        }
    }

    /// Above nine tenths of the limit, of what is answered here, from the store, and by the origin. The
    /// connection that is idle longest makes room as well, so that the next client is kept.
    @Test(arguments: [("OPTIONS", "*"), ("GET", "/stored"), ("GET", "/passed")])
    func answersEndTheirConnectionsNearTheLimit(method: String, target: String) throws {
        let origin = try ScriptedOrigin(answering: { request in
            request.target == "/stored" ? cacheable("text") : answer("text")
        })
        try withStage(origin, settings: { $0.limits.connections = 10 }) { stage in
            var clients = try (0..<9).map { _ in try stage.client() }
            for client in clients {
                try client.send(request(method, target))
                #expect(try !client.receiveAnswer().closes)
            }
            let tenth = try stage.client()
            try tenth.send(request(method, target))
            #expect(try tenth.receiveAnswer().closes)
            #expect(try tenth.ending() == .end)
            let kept = try stage.client()
            try kept.send(request(method, target))
            #expect(try !kept.receiveAnswer().closes)
            clients.removeAll { !$0.isQuiet() }
            #expect(clients.count == 8 && kept.isQuiet())
        }
    }

    /// What is no request is answered, and gone after the short time in which its sender may still speak.
    @Test func whoSpeaksNoHTTPHoldsItsPlaceBriefly() throws {
        let origin = try ScriptedOrigin(answering: { _ in cacheable("text") })
        let clock = steered()
        try withStage(
            origin, clock: clock,
            settings: {
                $0.limits.connections = 1
                $0.limits.headTimeoutMilliseconds = 3_600_000
            }
        ) { stage in
            let garbage = try stage.client()
            try garbage.send("no HTTP\r\n\r\n")
            #expect(try garbage.receiveAnswer().status == 400)
            try garbage.ending()
            clock.skip(milliseconds: 2_100)
            #expect(try stage.ask("OPTIONS", "*").status == 204)
        }
    }

    /// What connections keep counts as what is gathered for the store does, and that goes first: its answer
    /// goes on.
    @Test func whatIsGatheredGoesBeforeBuffersAreUsedUp() throws {
        let half = String(repeating: "x", count: 300_000)
        let resume = Gate()
        let begun = Gate()
        let origin = try ScriptedOrigin { peer, number, origin in
            while let request = try origin.receive(peer, number) {
                guard request.target == "/big" else {
                    try peer.send(cacheable(String(half.prefix(60_000))))
                    continue
                }
                let head = "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 600000"
                try peer.send(head + "\r\n\r\n" + half)
                begun.open()
                try peer.wait(for: resume)
                try peer.send(half)
            }
        }
        try withStage(
            origin, memory: 64 << 20, segment: 2 << 20,
            settings: {
                $0.limits.buffers = 1 << 20
                $0.policies[0].store.maxBodyBytes = 1 << 20
            }
        ) { stage in
            #expect(try stage.ask("GET", "/small").body.count == 60_000)
            _ = try stage.stored("/small")
            let first = try stage.client()
            try first.send(request("GET", "/big"))
            try begun.wait()
            // Each has some 40 KiB kept for it that it does not take.
            let stalled = try (0..<24).map { _ in try Peer.connectNarrowly(to: stage.address) }
            for client in stalled { try client.send(request("GET", "/small")) }
            try stage.turn()
            resume.open()
            #expect(try first.receiveAnswer().body.count == 600_000)
            #expect(try stage.ask("GET", "/big", "Cache-Control: only-if-cached").status == 504)
            for client in stalled { #expect(try client.receiveAnswer().body.count == 60_000) }
        }
    }

    /// In a process of its own, since the limit is the process's. Waiting costs a fraction of the time.
    @Test func runningOutOfDescriptorsDoesNotSpin() async {
        await #expect(processExitsWith: .success) {
            let origin = try ScriptedOrigin(answering: { _ in cacheable("text") })
            try withStage(origin, settings: { $0.limits.headTimeoutMilliseconds = 1500 }) { stage in
                let inside = try stage.client()
                try inside.send(request("GET", "/"))
                _ = try inside.receiveAnswer()
                // This one ends by its head's time: the clock of the test.
                let slow = try stage.client()
                try slow.send("G")
                try stage.turn()
                let outside = try stage.client()
                // No further descriptor from here on.
                var limit = rlimit(rlim_cur: 3, rlim_max: 1024)
                unsafe precondition(setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0)
                try outside.send(request("OPTIONS", "*"))
                let before = clock()
                guard try slow.receiveHead()?.status == 408 else { throw Unexpected(description: "no 408") }
                let used = Double(clock() - before) / Double(CLOCKS_PER_SEC)
                precondition(used < 0.7, "\(used) s of processor time in a second and a half")
                // It was idle, and closed for the one outside. (That was of no use: the limit is below all.)
                guard try inside.ending() == .end else { throw Unexpected(description: "reset") }
                limit.rlim_cur = 1024
                unsafe precondition(setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0)
                guard try outside.receiveAnswer().status == 204 else {
                    throw Unexpected(description: "no answer")
                }
            }
        }
    }
}
