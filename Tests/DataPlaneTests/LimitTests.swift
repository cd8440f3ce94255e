// Limits of connections and descriptors: connected clients are served, later ones wait, and no thread spins.

import Glibc
import Kernel
import Logging
import DataPlane
import DataPlaneHarness
import Settings
import Store
import Testing

struct LimitTests {
    /// Idle connections make room: every client is answered at once, whichever thread has it.
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
            // The other connections were closed, and none was reset.
            var ended = 0
            for client in clients where !client.isQuiet() {
                #expect(try client.ending() == .end)
                ended += 1
            }
            #expect(ended == 40 - limit)
        }
    }

    @Test func theLongestIdleConnectionIsClosed() throws {
        let origin = try ScriptedOrigin(answering: { _ in cacheable("text") })
        let clock = steered()
        try withStage(origin, clock: clock, settings: { $0.limits.connections = 3 }) { stage in
            func ask(_ client: Peer) throws {
                // Two requests: the first may come in the turn that accepted the client before it, and would
                // get that turn's time. The second has a turn, and so a time, of its own.
                for _ in 0..<2 {
                    try client.send(request("GET", "/"))
                    #expect(try client.receiveAnswer().text == "text")
                    clock.skip(milliseconds: 100)
                }
            }
            var clients = try (0..<3).map { _ in try stage.client() }
            for client in clients { try ask(client) }
            // The first client asks again: the second is idle longest now, then the third.
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

    /// Larder serves as many clients at once as the limit says, over all threads. One more client waits until
    /// another has its answer.
    @Test(arguments: [1, 2, 3], [1, 2, 20]) func asManyClientsAsTheLimitAreServedAtOnce(
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

    /// A connection with half a head or with a request in progress is kept. A request that Larder has not
    /// read yet is answered.
    @Test func onlyIdleConnectionsMakeRoom() throws {
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

    /// Above nine tenths of the limit, every answer closes its connection: Larder's own, one from the store
    /// and one from the origin. The connection that is idle longest makes room as well, so that the next
    /// client is kept.
    @Test(arguments: [("OPTIONS", "*"), ("GET", "/stored"), ("GET", "/passed")])
    func answersCloseTheirConnectionsNearTheLimit(method: String, target: String) throws {
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

    /// A request that is not HTTP is answered, and its connection closes after a short time for lingering
    /// bytes.
    @Test func aClientThatSpeaksNoHTTPHoldsItsPlaceBriefly() throws {
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

    /// Bytes that connections hold back and bytes gathered for the store count against one limit. Gathering
    /// for the store stops first; the answer goes on.
    @Test func gatheringForTheStoreStopsBeforeBuffersRunOut() throws {
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
            // Larder keeps about 40 KiB for each client that does not read.
            let stalled = try (0..<24).map { _ in try Peer.connectNarrowly(to: stage.address) }
            for client in stalled { try client.send(request("GET", "/small")) }
            try stage.turn()
            resume.open()
            #expect(try first.receiveAnswer().body.count == 600_000)
            #expect(try stage.ask("GET", "/big", "Cache-Control: only-if-cached").status == 504)
            for client in stalled { #expect(try client.receiveAnswer().body.count == 60_000) }
        }
    }

    /// The test runs in a process of its own, since the limit is the process's. Waiting costs a fraction of
    /// the processor time.
    @Test func runningOutOfDescriptorsDoesNotSpin() async {
        await #expect(processExitsWith: .success) {
            let origin = try ScriptedOrigin(answering: { _ in cacheable("text") })
            try withStage(origin, settings: { $0.limits.headTimeoutMilliseconds = 1500 }) { stage in
                let inside = try stage.client()
                try inside.send(request("GET", "/"))
                _ = try inside.receiveAnswer()
                // This connection ends at the timeout of its head: it is the clock of the test.
                let slow = try stage.client()
                try slow.send("G")
                try stage.turn()
                let outside = try stage.client()
                // The process cannot open another descriptor from here on.
                var limit = rlimit(rlim_cur: 3, rlim_max: 1024)
                unsafe precondition(setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0)
                try outside.send(request("OPTIONS", "*"))
                let before = clock()
                guard try slow.receiveHead()?.status == 408 else { throw Unexpected(description: "no 408") }
                let used = Double(clock() - before) / Double(CLOCKS_PER_SEC)
                precondition(used < 0.7, "\(used) s of processor time in a second and a half")
                // The idle connection was closed to make room for the client outside. (In vain: the limit is
                // below all descriptors.)
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
