// The count of a process's connections: no wake-up is lost, and a request for room goes round once.

import Kernel
import Loop
import Testing

@testable import DataPlane

struct ConnectionCountTests {
    private struct Count {
        let count: ConnectionCount
        let doorbells: [Doorbell]

        init(limit: Int, threads: Int) throws {
            doorbells = try (0..<threads).map { _ in try Doorbell() }
            count = ConnectionCount(limit: limit, doorbells: doorbells)
        }

        /// Which threads' bells have rung.
        func rung() throws -> [Int] {
            try doorbells.indices.filter { index in
                var poller = try Poller(capacity: 1)
                try poller.addReadable(doorbells[index].raw, token: 1)
                guard poller.wait(timeoutMilliseconds: 0) > 0 else { return false }
                doorbells[index].answer()
                return true
            }
        }
    }

    struct Share: CustomTestStringConvertible, Sendable {
        let limit: Int
        let crowdedAbove: Int
        var testDescription: String { "\(limit)" }
    }

    @Test(arguments: [
        Share(limit: 1, crowdedAbove: 1), Share(limit: 9, crowdedAbove: 9),
        Share(limit: 10, crowdedAbove: 9), Share(limit: 100, crowdedAbove: 90),
        Share(limit: 109, crowdedAbove: 99), Share(limit: 20_000, crowdedAbove: 18_000),
    ])
    func answersEndTheirConnectionsAboveNineTenths(_ row: Share) throws {
        let shared = try Count(limit: row.limit, threads: 1)
        var crowded = 0
        for number in 1...row.limit {
            #expect(shared.count.take())
            if shared.count.isCrowded, crowded == 0 { crowded = number }
        }
        #expect(crowded == (row.crowdedAbove < row.limit ? row.crowdedAbove + 1 : 0))
        #expect(!shared.count.take() && !shared.count.hasRoom)
        shared.count.give()
        #expect(shared.count.hasRoom && shared.count.take())
    }

    @Test func whoWaitsIsRungWhereAnyConnectionEnds() throws {
        let shared = try Count(limit: 2, threads: 3)
        #expect(shared.count.take() && shared.count.take())
        #expect(shared.count.wait(2))
        #expect(try shared.rung() == [])
        shared.count.give()
        #expect(try shared.rung() == [2])
        // Once: it has to say again that it waits.
        #expect(shared.count.take())
        shared.count.give()
        #expect(try shared.rung() == [])
    }

    @Test func nobodyWaitsWhereThereIsRoom() throws {
        let shared = try Count(limit: 1, threads: 1)
        #expect(shared.count.take())
        shared.count.give()
        #expect(!shared.count.wait(0))
    }

    @Test func allWhoWaitAreRung() throws {
        let shared = try Count(limit: 1, threads: 3)
        #expect(shared.count.take())
        #expect(shared.count.wait(0))
        #expect(shared.count.wait(1))
        shared.count.give()
        #expect(try shared.rung() == [0, 1])
    }

    @Test func aRequestForRoomGoesRoundOnce() throws {
        let shared = try Count(limit: 1, threads: 3)
        var heard: [Int] = []
        var thread = 1
        while shared.count.ask(from: thread, for: 1) {
            thread = (thread + 1) % 3
            #expect(try shared.rung() == [thread])
            var askers: [Int] = []
            shared.count.collect(thread, into: &askers)
            #expect(askers == [1])
            heard.append(thread)
        }
        #expect(heard == [2, 0])
    }

    @Test func aThreadAloneAsksNobody() throws {
        let shared = try Count(limit: 1, threads: 1)
        #expect(!shared.count.ask(from: 0, for: 0))
    }

    /// Threads that take, give and wait at random: whoever waits is always rung in the end, and the limit
    /// holds.
    @Test func noWakeUpIsLost() throws {
        let shared = try Count(limit: 2, threads: 4)
        let inside = Inside()
        var threads: [RunningThread] = []
        for thread in 0..<4 {
            let doorbell = shared.doorbells[thread]
            let job = Job(count: shared.count, doorbell: doorbell, thread: thread, inside: inside)
            let handle = try Thread.spawn(name: "count", seed: job) { $0.run() }
            threads.append(RunningThread(handle))
        }
        for thread in threads { thread.join() }
        #expect(shared.count.count == 0)
        #expect(inside.highest.withLock { $0.most } <= 2)
    }
}

private final class Inside: Sendable {
    struct Content: Sendable {
        var now = 0
        var most = 0
    }
    let highest = Locked(Content())
}

private struct Job: ~Copyable, Sendable {
    let count: ConnectionCount
    let doorbell: Doorbell
    let thread: Int
    let inside: Inside

    func run() {
        guard var poller = try? Poller(capacity: 1) else { preconditionFailure("no poller") }
        guard (try? doorbell.attach(to: poller, token: 1)) != nil else { preconditionFailure("no bell") }
        for _ in 0..<2_000 {
            while !count.take() {
                guard count.wait(thread) else { continue }
                precondition(poller.wait(timeoutMilliseconds: 30_000) > 0, "a wake-up was lost")
                doorbell.answer()
            }
            inside.highest.withLock {
                $0.now += 1
                $0.most = max($0.most, $0.now)
            }
            inside.highest.withLock { $0.now -= 1 }
            count.give()
        }
    }
}
