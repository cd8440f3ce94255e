// Concurrent bans: a thread waits for a live holder of the lock, and no ban removes more than its scope.

import Bytes
import Dispatch
import Glibc
import Kernel
import Store
import Synchronization
import Testing

@Suite struct BanLockTests {
    private final class Progress: Sendable {
        let hasBegun = Atomic<Bool>(false)
        let hasEnded = Atomic<Bool>(false)
    }

    private func makeStore() throws -> Store {
        try Store.create(StoreOptions(memory: 2 << 20, rows: 8, segmentBytes: 16 << 10), bans: testBans)
    }

    @Test(arguments: [false, true]) func aBanWaitsForALiveHolderOfTheLock(soft: Bool) throws {
        let store = try makeStore()
        var thread = store.row()!
        thread.beginTurn()
        for key in ["a", "b"] { _ = thread.put(bytes(key), body: [1]) }
        thread.stop(at: .banLock, key: bytes("x"))
        let progress = Progress()
        let banning = try Thread.spawn(name: "ban", seed: store.row()!) { thread in
            progress.hasBegun.store(true, ordering: .releasing)
            thread.ban("ka", soft: soft)
            progress.hasEnded.store(true, ordering: .releasing)
        }
        while !progress.hasBegun.load(ordering: .acquiring) { sched_yield() }
        // As if the kernel had taken the processor from this thread.
        var spins = 1_000_000
        while spins > 0, !progress.hasEnded.load(ordering: .acquiring) {
            spins -= 1
            Spin.relax()
        }
        #expect(spins == 0)
        thread.releaseBanLock()
        banning.join()
        let a = thread.isOutdated(bytes("a"))
        let b = thread.isOutdated(bytes("b"))
        #expect(a == (soft ? true : nil) && b == false)
    }

    @Test func concurrentBansTakeOnlyTheirScopes() throws {
        let store = try makeStore()
        var thread = store.row()!
        thread.beginTurn()
        _ = thread.put(bytes("kept"), body: [1])
        thread.endTurn()
        let wrong = Atomic<Int>(0)
        DispatchQueue.concurrentPerform(iterations: 4) { worker in
            var thread = store.row()!
            for number in 0..<300 {
                let key = bytes("\(worker)/\(number)")
                thread.beginTurn()
                // Bans of other threads may be half written at this moment: then the record is not stored.
                _ = thread.put(key, body: [1])
                thread.ban("k\(worker)/\(number)")
                if thread.contains(key) { wrong.add(1, ordering: .relaxed) }
                thread.endTurn()
                if number % 50 == 0 { _ = thread.sweep(limit: 1000) }
            }
        }
        #expect(wrong.load(ordering: .relaxed) == 0)
        thread.beginTurn()
        let kept = thread.contains(bytes("kept"))
        #expect(kept)
        thread.endTurn()
        thread.sweepAll()
        #expect(store.statistics.bans == 0 && store.statistics.corrupt == 0)
    }
}
