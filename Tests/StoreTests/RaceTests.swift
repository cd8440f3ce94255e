import Bytes
import Glibc
import Kernel
import Store
import Synchronization
import Testing

/// One thread purges, and two others store and renew what it purges. Each has begun before the first purge.
/// Meant for ThreadSanitizer too.
@Suite struct RaceTests {
    private final class Race: Sendable {
        let generation = Atomic<Int>(0)
        /// Of the other threads: begun, and reached their goal.
        let begun = Atomic<Int>(0)
        let successes = Atomic<Int>(0)
        let isOver = Atomic<Bool>(false)

        /// Runs `other` on two rows until it ends, and `purger` beside it for as many rounds as that takes,
        /// at least `rounds`. Returns how many times it reported a fault.
        func run(
            _ store: Store, rounds: Int, other: @escaping @Sendable (inout StoreThread) -> Bool,
            purger: (inout StoreThread, Int) -> Int
        ) throws -> Int {
            func start() throws -> Thread.JoinHandle {
                try Thread.spawn(name: "race", seed: store.row()!) { thread in
                    var thread = thread
                    while !self.isOver.load(ordering: .acquiring) {
                        thread.beginTurn()
                        if other(&thread) { self.successes.add(1, ordering: .relaxed) }
                        thread.endTurn()
                        self.begun.add(1, ordering: .relaxed)
                    }
                }
            }
            let first = try start()
            let second = try start()
            while begun.load(ordering: .relaxed) < 2 { sched_yield() }
            var thread = store.row()!
            var wrong = 0
            var round = 0
            while round < rounds || successes.load(ordering: .relaxed) < 20 {
                round += 1
                thread.beginTurn()
                wrong += purger(&thread, round)
                thread.endTurn()
            }
            isOver.store(true, ordering: .releasing)
            first.join()
            second.join()
            return wrong
        }
    }

    /// No record whose fetch began before a ban is found after it, whichever threads sweep, read and reclaim.
    @Test(arguments: [false, true])
    func noRecordOutlivesABan(soft: Bool) throws {
        let store = try Store.create(
            StoreOptions(memory: 1 << 20, rows: 8, segmentBytes: 32 << 10), bans: testBans)
        let race = Race()
        let keys = (0..<8).map { bytes("a/\($0)") }
        let wrong = try race.run(
            store, rounds: 1000,
            other: { thread in
                var isStored = false
                for key in keys {
                    let stamp = thread.stamp(key)
                    let current = race.generation.load(ordering: .sequentiallyConsistent)
                    let body =
                        [UInt8(current & 255), UInt8(current >> 8 & 255)] + [UInt8](repeating: 1, count: 9000)
                    if thread.put(key, head: bytes("g"), body: body, stamp: stamp) == .stored {
                        isStored = true
                    }
                    _ = Self.currentGeneration(thread, key, soft)
                }
                _ = thread.sweep(limit: 300)
                return isStored
            },
            purger: { thread, round in
                race.generation.store(round & 0xffff, ordering: .sequentiallyConsistent)
                thread.ban(round % 3 == 0 ? "hg" : "ka/", soft: soft)
                // More bans than the list holds, now and then.
                if round % 250 == 0 { for id in 0..<70 { thread.ban("kz/\(id)", soft: soft) } }
                return (keys + keys).count { key in
                    guard let found = Self.currentGeneration(thread, key, soft) else { return false }
                    return found < round & 0xffff
                }
            })
        #expect(wrong == 0)
        #expect(store.statistics.corrupt == 0)
    }

    /// nil: no record, or (`soft`) an outdated one.
    private static func currentGeneration(
        _ thread: borrowing StoreThread, _ key: [UInt8], _ soft: Bool
    ) -> Int? {
        let view = thread.lookup(key: key.span, hash: thread.hash(key.span)) { _, _ in 1 }
        guard let view, !(soft && view.isOutdated) else { return nil }
        return Int(view.body[0]) | Int(view.body[1]) << 8
    }

    /// A renewal in progress when its key was purged is refused, or its record is gone.
    @Test(arguments: [false, true])
    func noRenewalOutlivesAPurge(byBan: Bool) throws {
        let store = try Store.create(
            StoreOptions(memory: 1 << 20, rows: 8, segmentBytes: 64 << 10), bans: testBans)
        let race = Race()
        let key = bytes("key")
        let wrong = try race.run(
            store, rounds: 1500,
            other: { thread in
                guard let serial = Self.newestSerial(thread, key) else { return false }
                return thread.renew(key, serial: serial) == .stored
            },
            purger: { thread, round in
                _ = thread.put(key, body: [UInt8](repeating: 1, count: 30_000))
                // From before a renewal begins to after it has ended.
                for _ in 0..<(round &* 7919 % 101) * (round % 13) * 20 { Spin.relax() }
                if byBan {
                    thread.ban("kkey")
                } else {
                    thread.invalidate(key: key.span, hash: thread.hash(key.span))
                }
                return (0..<30).count { _ in thread.contains(key) }
            })
        #expect(wrong == 0)
        #expect(store.statistics.corrupt == 0)
    }

    private static func newestSerial(_ thread: borrowing StoreThread, _ key: [UInt8]) -> UInt64? {
        let view = thread.lookup(key: key.span, hash: thread.hash(key.span)) { _, _ in 1 }
        return view?.serial
    }
}
