import Bytes
import Foundation
import Store
import Synchronization
import SeededRandom
import Testing

/// Threads of one process on one store; meant for ThreadSanitizer above all.
@Suite struct ThreadTests {
    @Test func threadsReadWriteAndInvalidateTogether() throws {
        let store = try Store.create(StoreOptions(memory: 2 << 20, rows: 8, segmentBytes: 32 << 10))
        let wrong = Atomic<Int>(0)
        let stored = Atomic<Int>(0)
        DispatchQueue.concurrentPerform(iterations: 4) { worker in
            var thread = store.row()!
            var random = SeededRandom(seed: UInt64(worker) + 1)
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

    /// A record whose fetch began before an invalidation is never found after it.
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
            // A body long enough that the invalidation falls between the first check and the last.
            var body = [UInt8](repeating: 1, count: 60_000)
            if worker == 0 {
                var round = 0
                while attempts.load(ordering: .relaxed) < 5000, round < 60_000 {
                    // The origin's content changes, then the cache is told. From then on the old content is
                    // not seen again.
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

    private func storedGeneration(_ thread: borrowing StoreThread, _ key: [UInt8]) -> Int? {
        let view = thread.lookup(key: key.span, hash: thread.hash(key.span)) { _, _ in 1 }
        guard let view else { return nil }
        return Int(view.body[0]) | Int(view.body[1]) << 8
    }
}
