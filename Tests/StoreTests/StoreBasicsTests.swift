/// The store as one thread sees it: storing, finding, replacing, invalidating, and how much fits.

import Bytes
import Store
import Testing

@Suite struct StoreBasicsTests {
    @Test func aRecordComesBackAsItWasStored() throws {
        let store = try Store.create(StoreOptions(memory: 4 << 20))
        var thread = store.row()!
        thread.beginTurn()
        let facts = RecordFacts(1, 2, 3, 4, 5)
        let outcome = thread.put(
            bytes("key"), vary: bytes("gzip"), head: bytes("HTTP/1.1 200 OK"), body: bytes("hello"),
            facts: facts)
        #expect(outcome == .stored)
        let key = bytes("key")
        var seen: (RecordFacts, [UInt8], [UInt8], [UInt8])?
        if let view = thread.lookup(key: key.span, hash: thread.hash(key.span), ranking: { _, _ in 1 }) {
            seen = (view.facts, view.vary.copied, view.head.copied, view.body.copied)
        }
        let found = try #require(seen)
        #expect(found.0 == facts)
        #expect(found.1 == bytes("gzip"))
        #expect(found.2 == bytes("HTTP/1.1 200 OK"))
        #expect(found.3 == bytes("hello"))
        #expect(store.statistics.objects == 1)
        thread.endTurn()
    }

    @Test func theNewestAcceptedRecordIsServed() throws {
        let store = try Store.create(StoreOptions(memory: 4 << 20))
        var thread = store.row()!
        thread.beginTurn()
        let key = bytes("k")
        for (vary, body) in [("a", "1"), ("b", "2"), ("a", "3")] {
            let outcome = thread.put(key, vary: bytes(vary), body: bytes(body))
            #expect(outcome == .stored)
        }
        let any = thread.body(key)
        let b = thread.body(key, vary: bytes("b"))
        let c = thread.body(key, vary: bytes("c"))
        #expect(any == bytes("3"))
        #expect(b == bytes("2"))
        #expect(c == nil)
        #expect(store.statistics.objects == 2)
    }

    /// The fast lookup finds the record that `lookup` finds, and leaves all other cases to `lookup`.
    @Test func theFastLookupFindsTheOnlyRecord() throws {
        let store = try Store.create(StoreOptions(memory: 4 << 20), bans: testBans)
        var thread = store.row()!
        thread.beginTurn()
        let key = bytes("k")
        let hash = thread.hash(key.span)
        func only(_ thread: borrowing StoreThread, coding: UInt8 = 0, wanted: Bool = true) -> [UInt8]? {
            let view = thread.lookupOnly(key: key.span, hash: hash, coding: coding) { _, _, isOutdated in
                wanted && !isOutdated
            }
            guard let view else { return nil }
            return view.body.copied
        }
        let before = (only(thread), thread.hasNone(hash))
        #expect(before == (nil, true))
        _ = thread.put(key, vary: bytes("a"), body: bytes("1"))
        let one = (only(thread), only(thread, wanted: false), thread.hasNone(hash))
        #expect(one == (bytes("1"), nil, false))
        thread.purge(key, soft: true)
        let outdated = (only(thread), thread.isOutdated(key))
        #expect(outdated == (nil, true))
        _ = thread.put(key, vary: bytes("a"), body: bytes("2"))
        let renewed = only(thread)
        #expect(renewed == bytes("2"))
        // After a ban the record has to be checked, which `lookup` does.
        thread.ban("knone")
        let banned = only(thread)
        let proven = thread.body(key)
        let again = only(thread)
        #expect(banned == nil && proven == bytes("2") && again == bytes("2"))
        // Of several records the newest, if it has the requested coding.
        _ = thread.put(key, vary: bytes("b"), body: bytes("3"), variant: .original(coding: 1))
        let first = (only(thread, coding: 1), only(thread, coding: 0), only(thread, coding: 2))
        #expect(first == (bytes("3"), nil, nil))
        let serial = thread.lookup(key: key.span, hash: hash, ranking: { _, _ in 1 })!.serial
        _ = thread.put(
            key, vary: bytes("b"), body: bytes("4"), variant: .derived(coding: 2, from: serial))
        let kin = (only(thread, coding: 1), only(thread, coding: 2), only(thread, coding: 4))
        #expect(kin == (bytes("3"), bytes("4"), nil))
        thread.endTurn()
    }

    @Test func theNinthRecordReplacesTheOldest() throws {
        let store = try Store.create(StoreOptions(memory: 4 << 20))
        var thread = store.row()!
        thread.beginTurn()
        for index in 0..<20 {
            let outcome = thread.put(bytes("k"), vary: [UInt8(index)], body: [UInt8(index)])
            #expect(outcome == .stored)
            for old in 0...index {
                let found = thread.body(bytes("k"), vary: [UInt8(old)])
                #expect((found != nil) == (index - old < 8), "after \(index): \(old)")
            }
        }
        #expect(store.statistics.objects == 8)
    }

    @Test func anInvalidationAfterTheStampRefusesTheRecord() throws {
        let store = try Store.create(StoreOptions(memory: 4 << 20))
        var thread = store.row()!
        thread.beginTurn()
        let key = bytes("k")
        let stamp = thread.stamp(thread.hash(key.span))
        let first = thread.put(key, body: bytes("1"), stamp: stamp)
        thread.drop(key)
        let gone = thread.contains(key)
        let second = thread.put(key, body: bytes("2"), stamp: stamp)
        let third = thread.put(key, body: bytes("3"))
        let body = thread.body(key)
        #expect(first == .stored)
        #expect(!gone)
        #expect(second == .invalidated)
        #expect(third == .stored)
        #expect(body == bytes("3"))
    }

    @Test func aRecordThatDoesNotFitIsRefused() throws {
        let store = try Store.create(StoreOptions(memory: 4 << 20))
        var thread = store.row()!
        thread.beginTurn()
        let large = thread.put(bytes("k"), body: [UInt8](repeating: 0, count: 200 << 10))
        let head = thread.put(bytes("k"), head: [UInt8](repeating: 0, count: 70_000), body: [])
        let empty = thread.put([], body: [])
        let found = thread.body([])
        #expect(large == .tooLarge)
        #expect(head == .tooLarge)
        #expect(empty == .stored)
        #expect(found == [])
    }

    @Test func optionsWithoutRoomAreRefused() {
        for options in [
            StoreOptions(memory: 0), StoreOptions(memory: 1 << 20),
            StoreOptions(memory: 8 << 20, memoryMax: 4 << 20),
            StoreOptions(memory: 8 << 20, rows: 0), StoreOptions(memory: .max, memoryMax: .max),
        ] {
            #expect(throws: StoreError.badOptions) { _ = try Store.create(options) }
        }
    }

    @Test func moreMemoryThanTheMachineHasIsRefused() {
        let options = StoreOptions(memory: 1 << 41, memoryMax: 1 << 41)
        #expect(throws: StoreError.noMemory) { _ = try Store.create(options) }
    }

    @Test func anInvalidationWorksOutsideOfATurn() throws {
        let store = try Store.create(StoreOptions(memory: 4 << 20))
        var thread = store.row()!
        thread.beginTurn()
        let outcome = thread.put(bytes("k"), body: [1])
        thread.endTurn()
        thread.drop(bytes("k"))
        thread.beginTurn()
        let found = thread.contains(bytes("k"))
        thread.endTurn()
        #expect(outcome == .stored)
        #expect(!found)
    }

    @Test func eachRowIsHandedOutOnceAndComesBack() throws {
        let store = try Store.create(StoreOptions(memory: 4 << 20, rows: 2))
        do {
            let first = store.row()
            let second = store.row()
            let third = store.row()
            let taken = (first != nil, second != nil, third != nil)
            #expect(taken == (true, true, false))
        }
        let again = store.row() != nil
        #expect(again)
    }

    @Test func fillingUpEvictsAndNeverFails() throws {
        let store = try Store.create(StoreOptions(memory: 4 << 20))
        var thread = store.row()!
        thread.beginTurn()
        let body = [UInt8](repeating: 7, count: 1000)
        for index in 0..<20_000 {
            let outcome = thread.put(bytes("key \(index)"), body: body)
            #expect(outcome == .stored)
        }
        let statistics = store.statistics
        #expect(statistics.objects > 2500)
        var found = 0
        for index in 0..<20_000 where thread.contains(bytes("key \(index)")) { found += 1 }
        #expect(found == statistics.objects)
        thread.endTurn()
    }
}
