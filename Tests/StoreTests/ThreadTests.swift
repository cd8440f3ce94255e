import Bytes
import Foundation
import Kernel
import Store
import Synchronization
import Testing

/// Threads of one process on one store; meant for ThreadSanitizer above all.
@Suite struct ThreadTests {
    @Test func threadsReadWriteAndInvalidateTogether() throws {
        let store = try Store.create(StoreOptions(memory: 2 << 20, rows: 8, segmentBytes: 32 << 10))
        let wrong = Atomic<Int>(0)
        let stored = Atomic<Int>(0)
        DispatchQueue.concurrentPerform(iterations: 4) { worker in
            var thread = store.row()!
            var random = Random(seed: UInt64(worker) + 1)
            for _ in 0..<2500 {
                thread.beginTurn()
                for _ in 0..<8 {
                    let id = random.below(300) * random.below(3)
                    let key = bytes("key \(id)")
                    switch random.below(10) {
                    case 0..<4:
                        let fill = UInt8(random.below(256))
                        let body = [UInt8](repeating: fill, count: 50 + Int(fill) * 8) + key
                        if thread.put(key, vary: [UInt8(random.below(2))], body: body) == .stored {
                            stored.add(1, ordering: .relaxed)
                        }
                    case 4: thread.drop(key)
                    default:
                        guard let body = thread.body(key) else { continue }
                        let fill = body[0]
                        if body != [UInt8](repeating: fill, count: 50 + Int(fill) * 8) + key {
                            wrong.add(1, ordering: .relaxed)
                        }
                    }
                }
                thread.endTurn()
            }
        }
        #expect(wrong.load(ordering: .relaxed) == 0)
        #expect(stored.load(ordering: .relaxed) > 1000)
        #expect(store.statistics.segmentsReclaimed > 10)
    }

    /// An insertion whose content was asked for before an invalidation is never found after it.
    @Test func noInsertionOutlivesAnInvalidation() throws {
        let store = try Store.create(StoreOptions(memory: 2 << 20, rows: 8))
        let generation = Atomic<Int>(0)
        let attempts = Atomic<Int>(0)
        let finished = Atomic<Int>(0)
        let wrong = Atomic<Int>(0)
        DispatchQueue.concurrentPerform(iterations: 3) { worker in
            var thread = store.row()!
            let key = bytes("key")
            let hash = thread.hash(key.span)
            // Long to copy, so that the invalidation falls between the first check and the last.
            var body = [UInt8](repeating: 1, count: 60_000)
            if worker == 0 {
                var round = 0
                while attempts.load(ordering: .relaxed) < 5000, round < 60_000 {
                    // The origin's content changes, then the cache is told; from then on the old is not seen
                    // again.
                    round += 1
                    generation.store(round, ordering: .sequentiallyConsistent)
                    thread.beginTurn()
                    thread.invalidate(key: key.span, hash: hash)
                    for _ in 0..<30 {
                        if let found = storedGeneration(thread, key), found < round {
                            wrong.add(1, ordering: .relaxed)
                        }
                    }
                    thread.endTurn()
                }
                finished.store(1, ordering: .releasing)
            } else {
                while finished.load(ordering: .acquiring) == 0 {
                    thread.beginTurn()
                    let stamp = thread.stamp(hash)
                    let current = generation.load(ordering: .sequentiallyConsistent)
                    (body[0], body[1]) = (UInt8(current & 255), UInt8(current >> 8))
                    _ = thread.put(key, body: body, stamp: stamp)
                    attempts.add(1, ordering: .relaxed)
                    thread.endTurn()
                }
            }
        }
        #expect(wrong.load(ordering: .relaxed) == 0)
    }

    /// Nothing that was asked for before a ban is found after it, whoever sweeps, reads, renews and reclaims.
    @Test(arguments: [false, true])
    func nothingOutlivesABan(soft: Bool) throws {
        let store = try Store.create(
            StoreOptions(memory: 1 << 20, rows: 8, segmentBytes: 32 << 10), bans: testBans)
        let generation = Atomic<Int>(0)
        let attempts = Atomic<Int>(0)
        let finished = Atomic<Int>(0)
        let wrong = Atomic<Int>(0)
        let keys = (0..<8).map { bytes("a/\($0)") }
        DispatchQueue.concurrentPerform(iterations: 3) { worker in
            var thread = store.row()!
            if worker == 0 {
                for round in 1...20_000 where round < 1000 || attempts.load(ordering: .relaxed) < 1000 {
                    generation.store(round, ordering: .sequentiallyConsistent)
                    thread.beginTurn()
                    thread.ban(round % 3 == 0 ? "hg" : "ka/", soft: soft)
                    // More than the list holds, now and then.
                    if round % 250 == 0 { for id in 0..<70 { thread.ban("kz/\(id)", soft: soft) } }
                    for key in keys + keys {
                        guard let found = currentGeneration(thread, key), found < round else { continue }
                        wrong.add(1, ordering: .relaxed)
                    }
                    thread.endTurn()
                }
                finished.store(1, ordering: .releasing)
                return
            }
            var random = Random(seed: UInt64(worker))
            while finished.load(ordering: .acquiring) == 0 {
                thread.beginTurn()
                let key = keys[random.below(keys.count)]
                let stamp = thread.stamp(key)
                let current = generation.load(ordering: .sequentiallyConsistent)
                let body =
                    [UInt8(current & 255), UInt8(current >> 8)] + [UInt8](repeating: 1, count: 9000)
                _ = thread.put(key, head: bytes("g"), body: body, stamp: stamp)
                _ = currentGeneration(thread, keys[random.below(keys.count)])
                if random.below(4) == 0 { _ = thread.sweep(limit: 300) }
                attempts.add(1, ordering: .relaxed)
                thread.endTurn()
            }
        }
        #expect(wrong.load(ordering: .relaxed) == 0)
        #expect(attempts.load(ordering: .relaxed) > 0)
    }

    /// nil: none, or outdated.
    private func currentGeneration(_ thread: borrowing StoreThread, _ key: [UInt8]) -> Int? {
        let view = thread.lookup(key: key.span, hash: thread.hash(key.span)) { _, _ in 1 }
        guard let view, !view.isOutdated else { return nil }
        return Int(view.body[0]) | Int(view.body[1]) << 8
    }

    /// A renewal that was under way when its key was invalidated is refused or gone.
    @Test func noRenewalOutlivesAnInvalidation() throws {
        let store = try Store.create(StoreOptions(memory: 1 << 20, rows: 8, segmentBytes: 64 << 10))
        let renewals = Atomic<Int>(0)
        let finished = Atomic<Int>(0)
        let wrong = Atomic<Int>(0)
        let key = bytes("key")
        DispatchQueue.concurrentPerform(iterations: 3) { worker in
            var thread = store.row()!
            if worker == 0 {
                var random = Random(seed: 5)
                for _ in 0..<1500 {
                    thread.beginTurn()
                    _ = thread.put(key, body: [UInt8](repeating: 1, count: 30_000))
                    thread.endTurn()
                    // From before a renewal begins to after it has ended.
                    for _ in 0..<random.below(random.below(20_000) + 1) { Spin.relax() }
                    thread.beginTurn()
                    thread.invalidate(key: key.span, hash: thread.hash(key.span))
                    for _ in 0..<30 where thread.contains(key) { wrong.add(1, ordering: .relaxed) }
                    thread.endTurn()
                }
                finished.store(1, ordering: .releasing)
            } else {
                while finished.load(ordering: .acquiring) == 0 {
                    thread.beginTurn()
                    if let serial = newestSerial(thread, key), thread.renew(key, serial: serial) == .stored {
                        renewals.add(1, ordering: .relaxed)
                    }
                    thread.endTurn()
                }
            }
        }
        #expect(wrong.load(ordering: .relaxed) == 0)
        #expect(renewals.load(ordering: .relaxed) > 0)
        #expect(store.statistics.corrupt == 0)
    }

    private func newestSerial(_ thread: borrowing StoreThread, _ key: [UInt8]) -> UInt64? {
        let view = thread.lookup(key: key.span, hash: thread.hash(key.span)) { _, _ in 1 }
        return view?.serial
    }

    private func storedGeneration(_ thread: borrowing StoreThread, _ key: [UInt8]) -> Int? {
        let view = thread.lookup(key: key.span, hash: thread.hash(key.span)) { _, _ in 1 }
        guard let view else { return nil }
        return Int(view.body[0]) | Int(view.body[1]) << 8
    }
}
