import Bytes
import Glibc
import Kernel
import SeededRandom
import Store
import Testing

/// Several processes on one store: together, killed at any point, and stopped in the middle of a read.
@Suite(.serialized) struct ProcessTests {
    private func makeStore() throws -> Store {
        // Small, so that every byte is reused many times while the peers run.
        try Store.create(StoreOptions(memory: 2 << 20, rows: 32, segmentBytes: 32 << 10), bans: Self.bans)
    }

    /// As in StorePeer: a ban is a prefix of keys.
    private static let bans = BanRules(matches: { ban, key, _ in key.hasPrefix(ban) })

    @Test func processesReadAndWriteTogether() throws {
        let store = try makeStore()
        var first = try Peers.start(store, ["work", "0", "3", "900", "30000"])
        var second = try Peers.start(store, ["work", "1", "3", "900", "30000"])
        var third = try Peers.start(store, ["work", "2", "3", "900", "30000"])
        let ends = [first.wait(), second.wait(), third.wait()]
        #expect(ends == [.exited(0), .exited(0), .exited(0)])
        let statistics = store.statistics
        #expect(statistics.segmentsReclaimed > 50)
        #expect(statistics.inserted > 1000)
        print("three processes: \(statistics.inserted) stored, \(statistics.refusedForPressure) refused")
        #expect(statistics.corrupt == 0)
        #expect(store.processes.isEmpty)
    }

    @Test func processesKilledAtAnyPointLeaveACorrectStore() throws {
        let store = try makeStore()
        // Survives all deaths, and checks what the dead processes leave behind.
        var survivor = try Peers.start(store, ["work", "0", "2", "900", "0"])
        var random = SystemRandomNumberGenerator()
        for _ in 0..<60 {
            var victim = try Peers.start(store, ["work", "1", "2", "900", "0"])
            usleep(UInt32.random(in: 3000..<25_000, using: &random))
            victim.signal(SIGKILL)
            let end = victim.wait()
            #expect(end == .killed(signal: SIGKILL))
            try store.reap(process: victim.id)
            #expect(survivor.poll() == nil)
        }
        survivor.signal(SIGKILL)
        _ = survivor.wait()
        try store.reap(process: survivor.id)
        #expect(store.processes.isEmpty)
        var last = try Peers.start(store, ["work", "1", "2", "900", "30000"])
        #expect(last.wait() == .exited(0))
        #expect(store.statistics.inserted > 1000)
        #expect(store.statistics.corrupt == 0)
    }

    @Test(arguments: StoreThread.Moment.allCases)
    func aDeathAtTheWorstMomentIsRepaired(moment: StoreThread.Moment) throws {
        let store = try makeStore()
        var thread = store.row()!
        for id in 0..<200 {
            thread.beginTurn()
            _ = thread.put(bytes("before \(id)"), body: [UInt8](repeating: UInt8(id), count: 500))
            thread.endTurn()
        }
        var peer = try Peers.start(store, ["stop", moment.rawValue])
        Peers.waitUntilStopped(peer)
        // Until the control process knows: no process blocks, and every record can be read.
        var outcomes: Set<StoreOutcome> = []
        for id in 0..<3000 {
            thread.beginTurn()
            outcomes.insert(thread.put(bytes("during \(id % 1000)"), body: [UInt8](repeating: 1, count: 900)))
            thread.endTurn()
        }
        if moment == .appendLock || moment == .strayOpen {
            #expect(outcomes == [.pressure])
            thread.beginTurn()
            let found = (0..<200).count { thread.contains(bytes("before \($0)")) }
            thread.drop(bytes("before 7"))
            let dropped = !thread.contains(bytes("before 7"))
            #expect(found == 200)
            #expect(dropped)
            thread.endTurn()
        }
        peer.signal(SIGKILL)
        _ = peer.wait()
        let rows = try store.reap(process: peer.id)
        #expect(rows == 1)
        for id in 0..<6000 {
            thread.beginTurn()
            let outcome = thread.put(
                bytes("after \(id)"), body: [UInt8](repeating: UInt8(id % 251), count: 900))
            #expect(outcome == .stored)
            let body = thread.body(bytes("after \(id)"))
            let right = body == [UInt8](repeating: UInt8(id % 251), count: 900)
            #expect(right)
            thread.endTurn()
        }
        let statistics = store.statistics
        #expect(statistics.corrupt == 0)
        // Every segment is accounted for: the dead process lost none.
        let known =
            statistics.segmentsFree + statistics.segmentsRetired + statistics.segmentsSmall
            + statistics.segmentsMain
        #expect(statistics.segments - known <= 4)
    }

    /// Whether the holder of the ban lock lives or is dead: bans are made, no process waits, and no banned
    /// record is shown.
    @Test(arguments: [StoreThread.Moment.banLock, .banTable, .unannounced, .sweepLock], [false, true])
    func aBanNeedsNoOtherProcess(moment: StoreThread.Moment, soft: Bool) throws {
        let store = try makeStore()
        var thread = store.row()!
        thread.beginTurn()
        for id in 0..<10 { _ = thread.put(bytes("k\(id)"), body: [1]) }
        thread.ban("none")
        thread.endTurn()
        var peer = try Peers.start(store, ["stop", moment.rawValue])
        Peers.waitUntilStopped(peer)
        thread.beginTurn()
        thread.ban("k3", soft: soft)
        let banned = thread.isOutdated(bytes("k3"))
        #expect(banned != false)
        _ = thread.put(bytes("new"), body: [1])
        thread.endTurn()
        peer.signal(SIGKILL)
        _ = peer.wait()
        try store.reap(process: peer.id)
        thread.beginTurn()
        let still = thread.isOutdated(bytes("k3"))
        #expect(soft && moment != .banTable ? still == true : still == nil)
        for id in 0..<10 { _ = thread.put(bytes("k\(id)"), body: [2]) }
        thread.ban("k4")
        let others = (0..<10).count { thread.isOutdated(bytes("k\($0)")) == false }
        #expect(others == 9)
        thread.endTurn()
        thread.sweepAll()
        #expect(store.statistics.bans == 0)
    }

    @Test func aBanHoldsAcrossADeath() throws {
        let store = try makeStore()
        var thread = store.row()!
        thread.beginTurn()
        for id in 0..<10 { _ = thread.put(bytes("k\(id)"), body: [1]) }
        thread.ban("k3")
        thread.ban("k4", soft: true)
        let outdated = thread.isOutdated(bytes("k4"))
        #expect(outdated == true)
        thread.endTurn()
        var peer = try Peers.start(store, ["stop", "reserved"])
        Peers.waitUntilStopped(peer)
        peer.signal(SIGKILL)
        _ = peer.wait()
        try store.reap(process: peer.id)
        thread.beginTurn()
        let found = (0..<10).map { thread.isOutdated(bytes("k\($0)")) }
        thread.endTurn()
        #expect(found == [false, false, false, nil, true, false, false, false, false, false])
    }

    @Test func aDamagedRecordIsNoticedAfterADeath() throws {
        let store = try makeStore()
        var thread = store.row()!
        thread.beginTurn()
        for id in 0..<10 { _ = thread.put(bytes("k\(id)"), body: [UInt8](repeating: 5, count: 500)) }
        thread.damage(key: bytes("k3"))
        thread.endTurn()
        var peer = try Peers.start(store, ["stop", "reserved"])
        Peers.waitUntilStopped(peer)
        peer.signal(SIGKILL)
        _ = peer.wait()
        try store.reap(process: peer.id)
        thread.beginTurn()
        let found = (0..<10).filter { thread.contains(bytes("k\($0)")) }
        thread.endTurn()
        #expect(found == [0, 1, 2, 4, 5, 6, 7, 8, 9])
        #expect(store.statistics.corrupt == 1)
    }

    @Test func aStoppedReaderNeitherBlocksWritersNorSeesReusedMemory() throws {
        let store = try makeStore()
        // The peer's body can be checked: a peer wrote it too.
        var writer = try Peers.start(store, ["work", "0", "1", "20", "2000"])
        #expect(writer.wait() == .exited(0))
        var thread = store.row()!
        thread.beginTurn()
        let key = (0..<20).first { thread.contains(bytes("http://proof.example/\($0)")) }!
        thread.endTurn()
        var reader = try Peers.start(store, ["pause", "\(key)"])
        Peers.waitUntilStopped(reader)
        #expect(reader.poll() == nil)
        var stored = 0
        var pressure = 0
        for id in 0..<20_000 {
            thread.beginTurn()
            let body = [UInt8](repeating: 0xee, count: 1500)
            switch thread.put(bytes("flood \(id)"), body: body) {
            case .stored:
                stored += 1
                let right = thread.body(bytes("flood \(id)")) == body
                #expect(right)
            case .pressure: pressure += 1
            case .invalidated, .crowded, .tooLarge: Issue.record("unexpected outcome")
            }
            thread.endTurn()
        }
        // The free space is filled. Then the store refuses, since the reader might see all other space. It
        // never waits.
        #expect(stored > 0)
        #expect(pressure > 0)
        #expect(store.statistics.segmentsRetired > 0)
        reader.signal(SIGCONT)
        #expect(reader.wait() == .exited(0))
        // It goes on as soon as the reader has moved on.
        thread.beginTurn()
        let first = thread.put(bytes("x"), body: [1])
        let second = thread.put(bytes("y"), body: [1])
        thread.endTurn()
        #expect(first == .stored)
        #expect(second == .stored)
        #expect(store.statistics.segmentsRetired <= 4)
    }

    /// Whatever a dying process writes over the segment: no process traps, and no wrong body is served.
    @Test(arguments: 0..<30)
    func scribbledMemoryIsNeverServed(run: Int) throws {
        var random = SeededRandom(seed: UInt64(run) &* 31 &+ 5)
        let store = try Store.create(StoreOptions(memory: 1 << 20, rows: 4, segmentBytes: 16 << 10))
        var thread = store.row()!
        func body(_ id: Int) -> [UInt8] {
            [UInt8](repeating: UInt8(id % 251), count: 200 + id % 1000) + bytes("\(id)")
        }
        thread.beginTurn()
        for id in 0..<2000 {
            _ = thread.put(bytes("k\(id)"), body: body(id))
            _ = thread.contains(bytes("k\(id / 2)"))
        }
        thread.endTurn()
        var peer = try Peers.start(store, ["stop", "reserved"])
        Peers.waitUntilStopped(peer)
        // Everywhere except the first page and the rows, which this process itself needs.
        let mapping = try SharedMemory.attach(to: store.descriptor)
        for _ in 0..<(run < 15 ? 300 : 20_000) {
            let word = (4096 + 4 * 128) / 8 + random.below(((1 << 20) - 4096 - 4 * 128) / 8)
            let value = random.below(3) == 0 ? random.next() : UInt64(random.below(1 << 20))
            unsafe mapping.base.storeBytes(of: value, toByteOffset: word * 8, as: UInt64.self)
        }
        peer.signal(SIGKILL)
        _ = peer.wait()
        try store.reap(process: peer.id)
        for round in 0..<3 {
            for id in 0..<2000 {
                thread.beginTurn()
                if let found = thread.body(bytes("k\(id)")) {
                    let right = found == body(id)
                    #expect(right, "run \(run) round \(round) key \(id)")
                }
                if round > 0 { _ = thread.put(bytes("k\(id)"), body: body(id)) }
                thread.endTurn()
            }
        }
    }

    @Test func aForeignSegmentIsRefused() throws {
        let memory = try SharedMemory.create(name: "foreign", size: 1 << 20)
        #expect(throws: StoreError.foreignLayout) { _ = try Store.attach(to: memory.descriptor) }
        #expect(throws: StoreError.self) { _ = try Store.attach(to: 0) }
    }

    @Test func twoMappingsOfOneStoreShareIt() throws {
        let store = try makeStore()
        let other = try Store.attach(to: store.descriptor)
        var writer = store.row()!
        var reader = other.row()!
        writer.beginTurn()
        let outcome = writer.put(bytes("k"), body: bytes("shared"))
        writer.endTurn()
        reader.beginTurn()
        let body = reader.body(bytes("k"))
        reader.endTurn()
        #expect(outcome == .stored)
        #expect(body == bytes("shared"))
    }
}
