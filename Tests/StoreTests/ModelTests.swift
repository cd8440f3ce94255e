import Bytes
import Store
import SeededRandom
import Testing

/// The Store compared with a plain dictionary, by random operations. It may forget, since its size is
/// limited. Its answers always match the dictionary, and its statistics account for every record that it
/// forgets.
@Suite struct ModelTests {
    struct Entry {
        var vary: [UInt8]
        var body: [UInt8]
    }

    @Test(arguments: 0..<12)
    func theStoreNeverContradictsADictionary(run: Int) throws {
        // A failing run prints its seed: put it here to repeat the run.
        let seed = UInt64(run) &* 7919 &+ 1
        var random = SeededRandom(seed: seed)
        let segment = [8 << 10, 16 << 10, 64 << 10][run % 3]
        let store = try Store.create(StoreOptions(memory: 1 << 20, rows: 4, segmentBytes: segment))
        var thread = store.row()!
        // Newest last.
        var model: [Int: [Entry]] = [:]
        let keys = 50 + random.below(1500)
        for step in 0..<12_000 {
            if step % 10 == 0 {
                thread.endTurn()
                thread.beginTurn()
            }
            let id = random.below(random.below(2) == 0 ? keys : keys / 10)
            let key = bytes("key/\(id)/\(String(repeating: "x", count: id % 50))")
            let vary = [UInt8](repeating: UInt8(random.below(10)), count: id % 3 == 0 ? 1 : 0)
            switch random.below(20) {
            case 0..<8:
                let body =
                    [UInt8](
                        repeating: UInt8(truncatingIfNeeded: step), count: random.below(4) * random.below(900)
                    )
                    + [UInt8(truncatingIfNeeded: step >> 8), UInt8(truncatingIfNeeded: step)]
                let outcome = thread.put(key, vary: vary, body: body)
                let context = "seed \(seed) step \(step)"
                #expect(outcome == .stored, "\(context)")
                var entries = model[id, default: []].filter { $0.vary != vary }
                entries.append(Entry(vary: vary, body: body))
                model[id] = entries
                let own = thread.body(key, vary: vary)
                let same = own == body
                #expect(same, "\(context)")
            case 8:
                thread.drop(key)
                model[id] = nil
                let found = thread.contains(key)
                #expect(!found, "seed \(seed) step \(step)")
            case 9:
                // A stamp from before an invalidation is refused.
                let stamp = thread.stamp(thread.hash(key.span))
                thread.drop(key)
                model[id] = nil
                let outcome = thread.put(key, vary: vary, body: [1], stamp: stamp)
                #expect(outcome == .invalidated, "seed \(seed) step \(step)")
            default:
                let found = thread.body(key, vary: vary)
                let expected = model[id]?.last { $0.vary == vary }?.body
                let right = found == nil || found == expected
                #expect(right, "seed \(seed) step \(step)")
            }
        }
        // The number of records found equals the statistics exactly.
        var found = 0
        for (id, entries) in model {
            let key = bytes("key/\(id)/\(String(repeating: "x", count: id % 50))")
            let left = entries.count { thread.body(key, vary: $0.vary) != nil }
            #expect(left <= 8, "seed \(seed)")
            found += left
        }
        let statistics = store.statistics
        #expect(found == statistics.objects, "seed \(seed)")
        #expect(statistics.bytes <= 1 << 20)
        #expect(statistics.corrupt == 0)
        thread.endTurn()
    }

    @Test func expiredRecordsAreNotKeptAtEviction() throws {
        let store = try Store.create(StoreOptions(memory: 2 << 20, rows: 4, segmentBytes: 16 << 10))
        var thread = store.row()!
        thread.beginTurn()
        let body = [UInt8](repeating: 1, count: 900)
        for id in 0..<200 {
            _ = thread.put(bytes("mortal \(id)"), body: body, expires: 2000)
            for _ in 0..<5 { _ = thread.contains(bytes("mortal \(id)")) }
        }
        for id in 0..<20_000 { _ = thread.put(bytes("other \(id)"), body: body, now: 2000) }
        var left = 0
        for id in 0..<200 where thread.contains(bytes("mortal \(id)")) { left += 1 }
        #expect(left == 0)
    }

    @Test func aHitRecordSurvivesAFlood() throws {
        let store = try Store.create(StoreOptions(memory: 4 << 20, rows: 4, segmentBytes: 32 << 10))
        var thread = store.row()!
        thread.beginTurn()
        let body = [UInt8](repeating: 1, count: 900)
        var misses = 0
        for id in 0..<30_000 {
            _ = thread.put(bytes("cold \(id)"), body: body)
            let hot = bytes("hot \(id % 100)")
            if thread.contains(hot) { continue }
            _ = thread.put(hot, body: body)
            if id >= 5000 { misses += 1 }
        }
        #expect(misses == 0)
    }

    @Test func tinyObjectsOverflowOnlyTheIndex() throws {
        let store = try Store.create(StoreOptions(memory: 4 << 20, rows: 4))
        var thread = store.row()!
        thread.beginTurn()
        for id in 0..<30_000 {
            let outcome = thread.put(bytes("\(id)"), body: bytes("body \(id)"))
            #expect(outcome == .stored)
        }
        var found = 0
        for id in 0..<30_000 {
            guard let body = thread.body(bytes("\(id)")) else { continue }
            found += 1
            let right = body == bytes("body \(id)")
            #expect(right)
        }
        #expect(found == store.statistics.objects)
        // 4 681 slots.
        #expect(found > 4200)
    }

    @Test func atLeast43000ObjectsOfOneKiBFitInto64MiB() throws {
        let store = try Store.create(StoreOptions(memory: 64 << 20, memoryMax: 64 << 20))
        var thread = store.row()!
        let body = [UInt8](repeating: 1, count: 1024)
        let head = [UInt8](repeating: 2, count: 250)
        for id in 0..<120_000 {
            if id % 16 == 0 { thread.beginTurn() }
            let number = String(id)
            let key = bytes(
                "http://host.example/assets/" + String(repeating: "0", count: 13 - number.utf8.count) + number
            )
            let outcome = thread.put(key, head: head, body: body)
            #expect(outcome == .stored)
        }
        let objects = store.statistics.objects
        print("objects of 1 KiB in 64 MiB: \(objects), \(64 << 20 / objects) bytes each")
        #expect(objects >= 43_000)
    }
}
