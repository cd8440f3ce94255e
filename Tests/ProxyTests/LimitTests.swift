// Limits of connections and of descriptors: who is there is served, who comes later waits, and nothing spins.

import Glibc
import Kernel
import Logging
import Proxy
import ProxyHarness
import Settings
import Store
import Testing

struct LimitTests {
    @Test(arguments: [1, 2]) func clientsAboveTheLimitWaitForTheirTurn(threads: Int) throws {
        let origin = try ScriptedOrigin(answering: { _ in cacheable("text") })
        try withStage(origin, threads: threads, settings: { $0.limits.connections = 4 }) { stage in
            var clients = try (0..<12).map { _ in try stage.client() }
            for client in clients { try client.send(request("OPTIONS", "*")) }
            var served = 0
            // Each one that is served leaves, and makes room for another, whichever that is.
            while !clients.isEmpty {
                let (index, answer) = try stage.eventually("a further client is served") {
                    for (index, client) in clients.enumerated() where !client.isQuiet() {
                        return (index, try client.receiveAnswer())
                    }
                    return nil
                }
                #expect(answer.status == 204)
                served += 1
                clients.remove(at: index).close()
            }
            #expect(served == 12)
        }
    }

    @Test func noMoreThanTheLimitAreLetIn() throws {
        let origin = try ScriptedOrigin(answering: { _ in cacheable("text") })
        try withStage(origin, settings: { $0.limits.connections = 3 }) { stage in
            let inside = try (0..<3).map { _ in try stage.client() }
            for client in inside {
                try client.send(request("OPTIONS", "*"))
                _ = try client.receiveAnswer()
            }
            let outside = try stage.client()
            try outside.send(request("OPTIONS", "*"))
            // Those inside are served on, and the one outside is not.
            for client in inside {
                try client.send(request("GET", "/"))
                #expect(try client.receiveAnswer().text == "text")
            }
            #expect(outside.isQuiet())
            inside[0].close()
            #expect(try outside.receiveAnswer().status == 204)
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
                // A hit needs none.
                try inside.send(request("GET", "/"))
                guard try inside.receiveAnswer().cacheStatus.hasPrefix("hit") else {
                    throw Unexpected(description: "no hit")
                }
                limit.rlim_cur = 1024
                unsafe precondition(setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0)
                guard try outside.receiveAnswer().status == 204 else {
                    throw Unexpected(description: "no answer")
                }
            }
        }
    }
}
