/// What concerns the process: clocks, signals, threads and the limit of descriptors.

import Bytes
import Kernel
import Synchronization
import SystemPackage
import Testing

@Suite struct UserTests {
    @Test func usersAreFoundByName() throws {
        #expect(User.id(named: "root") == 0)
        #expect(User.name(of: 0) == "root")
        #expect(User.id(named: "no such user") == nil)
        #expect(User.name(of: .max - 1) == nil)
    }
}

@Suite struct ThreadTests {
    /// Counts its own destruction.
    struct Seed: ~Copyable, Sendable {
        let socket: Socket
        let destroyed: Counter

        deinit { destroyed.value.add(1, ordering: .relaxed) }
    }

    final class Counter: Sendable {
        let value = Atomic<Int>(0)
    }

    @Test func theSeedMovesInAndIsDestroyedThere() throws {
        let destroyed = Counter()
        let pair = try Socket.pair()
        let seed = Seed(socket: pair.second, destroyed: destroyed)
        let thread = try Thread.spawn(name: "larder-test-with-a-long-name", seed: seed) { seed in
            _ = seed.socket.send(buffer(threadName()).span)
        }
        #expect(try text(15, from: pair.first) == "larder-test-wit")
        thread.join()
        #expect(destroyed.value.load(ordering: .relaxed) == 1)
        // The thread's end of the pair is closed.
        #expect(try receive(1, from: pair.first).isEmpty)
    }

    @Test func aDroppedHandleLetsTheThreadRun() throws {
        let pair = try Socket.pair()
        do {
            _ = try Thread.spawn(name: "detached", seed: pair.second) { socket in
                _ = socket.send(buffer("on its own").span)
            }
        }
        #expect(try text(10, from: pair.first) == "on its own")
    }
}

@Suite struct RunningThreadTests {
    /// Starts a thread that runs until the socket delivers something or closes.
    private func waiting(on socket: consuming Socket) throws -> RunningThread {
        RunningThread(
            try Thread.spawn(name: "waits", seed: socket) { socket in _ = try? receive(1, from: socket) })
    }

    @Test func aThreadThatEndsIsJoinedOnce() throws {
        let pair = try Socket.pair()
        let thread = try waiting(on: pair.second)
        _ = pair.first.send(buffer("x").span)
        let deadline = Deadline(milliseconds: 60_000)
        #expect(thread.join(by: deadline))
        #expect(deadline.remainingMilliseconds > 0)
        // The second call neither waits nor forgets.
        #expect(thread.join(by: Deadline(milliseconds: 0)))
        thread.join()
    }

    @Test func aThreadThatMissesItsDeadlineIsLeft() throws {
        let pair = try Socket.pair()
        let thread = try waiting(on: pair.second)
        #expect(!thread.join(by: Deadline(milliseconds: 0)))
        #expect(!thread.join(by: Deadline(milliseconds: 60_000)), "the first call decides")
        _ = pair.first.send(buffer("x").span)
    }
}

@Suite struct LockedTests {
    final class Shared: Sendable {
        let sum = Locked<Int>(0)
    }

    @Test func turnsAreTaken() throws {
        let shared = Shared()
        let one = try Thread.spawn(name: "one", seed: shared) { shared in
            for _ in 0..<10_000 { shared.sum.withLock { $0 += 1 } }
        }
        for _ in 0..<10_000 { shared.sum.withLock { $0 += 1 } }
        one.join()
        #expect(shared.sum.withLock { $0 } == 20_000)
        // An error gives the lock back.
        #expect(throws: Unexpected.self) { try shared.sum.withLock { _ in throw Unexpected(what: "") } }
        #expect(shared.sum.withLock { $0 } == 20_000)
    }
}

@Suite struct SignalTests {
    @Test func signalsArriveAsEvents() async {
        await #expect(processExitsWith: .success) {
            let receiver = try SignalReceiver([.terminate, .hangup])
            let none = receiver.next()
            #expect(none == nil)
            raiseInThisThread(Signal.terminate.rawValue)
            raiseInThisThread(Signal.hangup.rawValue)
            _ = try ready(receiver.raw)
            let both: Set<Signal?> = [receiver.next(), receiver.next()]
            #expect(both == [.hangup, .terminate])
            let last = receiver.next()
            #expect(last == nil)
            Signal.ignore([.pipe])
            raiseInThisThread(Signal.pipe.rawValue)
        }
    }
}

@Suite struct ClockTests {
    @Test func clocksAgree() {
        let before = Clock.monotonicMilliseconds()
        let micro = Clock.monotonicMicroseconds()
        let after = Clock.monotonicMilliseconds()
        #expect(before <= micro / 1000 && micro / 1000 <= after)
        // Coarse lags by a tick and never leads.
        let coarse = Clock.coarseMonotonicMilliseconds()
        let precise = Clock.monotonicMilliseconds()
        #expect(coarse <= precise && precise - coarse < 1000)
        #expect(Clock.bootMilliseconds() >= before)
        // 2025 to 2100.
        #expect((1_735_000_000_000..<4_102_000_000_000).contains(Clock.wallMilliseconds()))
        #expect(Clock.wallMicroseconds() / 1000 >= Clock.coarseWallMilliseconds())
    }
}
