// Renewal: a new head for a stored body, for the original and for its derived records.

import Bytes
import SeededRandom
import Store
import Testing

@Suite struct RenewalTests {
    private static var gzip: UInt8 { 2 }
    private static var br: UInt8 { 4 }

    private func makeStore(memory: Int = 2 << 20) throws -> Store {
        try Store.create(StoreOptions(memory: memory, rows: 8, segmentBytes: 16 << 10))
    }

    /// Stores an original and its gzip. Returns the serial.
    private func prepare(
        _ thread: inout StoreThread, _ key: String, vary: [UInt8] = [], claims: UInt8 = 0
    ) -> UInt64 {
        let serial = thread.newSerial()
        let first = thread.put(
            bytes(key), vary: vary, head: bytes("old"), body: bytes("plain"),
            variant: .original(serial: serial), claims: claims)
        let second = thread.put(
            bytes(key), vary: vary, head: bytes("old zipped"), body: bytes("zipped"),
            facts: RecordFacts(UInt64(Self.gzip)), variant: .derived(coding: Self.gzip, from: serial))
        #expect(first == .stored)
        #expect(second == .stored)
        return serial
    }

    private struct Unfound: Error {}

    private struct Found: Equatable {
        var head: String
        var body: String
        var facts: UInt64
        var serial: UInt64
    }

    private func find(_ thread: borrowing StoreThread, _ key: String, derived: Bool) -> Found? {
        let key = bytes(key)
        let view = thread.lookup(key: key.span, hash: thread.hash(key.span)) { facts, _ in
            (facts.words.0 == UInt64(Self.gzip)) == derived ? 1 : 0
        }
        guard let view else { return nil }
        return Found(
            head: String(decoding: view.head.copied, as: UTF8.self),
            body: String(decoding: view.body.copied, as: UTF8.self), facts: view.facts.words.1,
            serial: view.serial)
    }

    @Test func aRenewalReplacesHeadAndFactsAndKeepsBodies() throws {
        let store = try makeStore()
        var thread = store.row()!
        thread.beginTurn()
        let serial = prepare(&thread, "k")
        let outcome = thread.renew(bytes("k"), serial: serial)
        #expect(outcome == .stored)
        let (first, second) = (find(thread, "k", derived: false), find(thread, "k", derived: true))
        let plain = try #require(first)
        let zipped = try #require(second)
        #expect(plain == Found(head: "new of old", body: "plain", facts: 9, serial: plain.serial))
        #expect(zipped == Found(head: "new of old zipped", body: "zipped", facts: 9, serial: plain.serial))
        #expect(plain.serial > serial)
        #expect(store.statistics.objects == 2)
    }

    @Test func aMissingRecordIsNotRenewed() throws {
        let store = try makeStore()
        var thread = store.row()!
        thread.beginTurn()
        let serial = prepare(&thread, "k")
        let stamp = thread.stamp(thread.hash(bytes("k").span))
        let other = thread.renew(bytes("k"), serial: serial + 100)
        #expect(other == .invalidated)
        thread.drop(bytes("k"))
        let dropped = thread.renew(bytes("k"), serial: serial, stamp: stamp)
        #expect(dropped == .invalidated)
        let again = prepare(&thread, "k")
        let late = thread.renew(bytes("k"), serial: again, stamp: stamp)
        #expect(late == .invalidated)
        let plain = find(thread, "k", derived: false)
        #expect(plain?.head == "old")
        _ = thread.put(bytes("k"), body: bytes("newer"))
        let replaced = thread.renew(bytes("k"), serial: again)
        #expect(replaced == .invalidated)
    }

    @Test func aRenewalKeepsClaims() throws {
        let store = try makeStore()
        var thread = store.row()!
        thread.beginTurn()
        let serial = prepare(&thread, "k", claims: 4)
        let outcome = thread.renew(bytes("k"), serial: serial)
        #expect(outcome == .stored)
        let key = bytes("k")
        let view = thread.lookup(key: key.span, hash: thread.hash(key.span)) { facts, _ in
            facts.words.0 == 0 ? 1 : 0
        }
        var claims: [Bool] = []
        if let view { for claim in 0..<4 { claims.append(!thread.isUnclaimed(view, coding: 1 << claim)) } }
        #expect(claims == [false, false, true, false])
    }

    @Test func aRenewalMayDropDerivedRecords() throws {
        let store = try makeStore()
        var thread = store.row()!
        thread.beginTurn()
        let serial = prepare(&thread, "k")
        let outcome = thread.renew(bytes("k"), serial: serial) { _, isDerived in !isDerived }
        #expect(outcome == .stored)
        let plain = find(thread, "k", derived: false)
        let zipped = find(thread, "k", derived: true)
        #expect(plain?.head == "new of old")
        #expect(zipped == nil)
    }

    @Test func aDroppedDerivedRecordMayBeDerivedAgain() throws {
        let store = try makeStore()
        var thread = store.row()!
        thread.beginTurn()
        let serial = prepare(&thread, "k", claims: Self.gzip)
        _ = thread.renew(bytes("k"), serial: serial) { _, isDerived in !isDerived }
        let key = bytes("k")
        let view = thread.lookup(key: key.span, hash: thread.hash(key.span)) { _, _ in 1 }
        guard let view else { throw Unfound() }
        let isUnclaimed = thread.isUnclaimed(view, coding: Self.gzip)
        #expect(isUnclaimed)
    }

    @Test func aDerivedRecordIsNotRenewedWithoutItsOriginal() throws {
        let store = try makeStore()
        var thread = store.row()!
        thread.beginTurn()
        let serial = prepare(&thread, "k")
        let outcome = thread.renew(bytes("k"), serial: serial) { _, isDerived in isDerived }
        #expect(outcome == .invalidated)
        let found = thread.contains(bytes("k"))
        #expect(!found)
        #expect(store.statistics.objects == 0)
    }

    @Test func aRenewalMayChangeTheVaryValues() throws {
        let store = try makeStore()
        var thread = store.row()!
        thread.beginTurn()
        let serial = prepare(&thread, "k", vary: bytes("a"))
        _ = thread.put(bytes("k"), vary: bytes("b"), body: bytes("other"))
        let outcome = thread.renew(bytes("k"), serial: serial, vary: bytes("c"))
        #expect(outcome == .stored)
        let old = thread.body(bytes("k"), vary: bytes("a"))
        let other = thread.body(bytes("k"), vary: bytes("b"))
        let new = thread.body(bytes("k"), vary: bytes("c"))
        #expect(old == nil)
        #expect(other == bytes("other"))
        #expect(new != nil)
        #expect(store.statistics.objects == 3)
    }

    @Test func eightVariantsAreRenewedWithoutLosingOne() throws {
        let store = try makeStore()
        var thread = store.row()!
        thread.beginTurn()
        var serials: [UInt64] = []
        for value in 0..<8 {
            serials.append(thread.newSerial())
            _ = thread.put(
                bytes("k"), vary: [UInt8(value)], body: [UInt8(value)],
                variant: .original(serial: serials[value]))
        }
        for value in [3, 0, 7, 5] {
            let outcome = thread.renew(bytes("k"), serial: serials[value], vary: [UInt8(value)])
            #expect(outcome == .stored)
        }
        for value in 0..<8 {
            let found = thread.body(bytes("k"), vary: [UInt8(value)])
            #expect(found == [UInt8(value)])
        }
        #expect(store.statistics.objects == 8)
    }

    @Test func anOverlargeHeadLeavesTheOldRecord() throws {
        let store = try makeStore()
        var thread = store.row()!
        thread.beginTurn()
        let serial = prepare(&thread, "k")
        let key = bytes("k")
        var head = ByteBuffer(capacity: 64)
        let hash = thread.hash(key.span)
        let outcome = thread.renew(
            key: key.span, hash: hash, serial: serial, vary: Span(), expires: .max, now: 1,
            stamp: thread.stamp(hash), head: &head
        ) { _, _, _, head in
            head.append([UInt8](repeating: 1, count: 70_000).span)
            return RecordFacts()
        }
        #expect(outcome == .tooLarge)
        let plain = find(thread, "k", derived: false)
        #expect(plain?.head == "old")
    }

    @Test func removingASerialOutdatesNoStamp() throws {
        let store = try makeStore()
        var thread = store.row()!
        thread.beginTurn()
        let serial = prepare(&thread, "k", vary: bytes("a"))
        _ = thread.put(bytes("k"), vary: bytes("b"), body: bytes("other"))
        let key = bytes("k")
        let hash = thread.hash(key.span)
        let stamp = thread.stamp(hash)
        thread.remove(key: key.span, hash: hash, serial: serial)
        let removed = thread.body(key, vary: bytes("a"))
        let other = thread.body(key, vary: bytes("b"))
        #expect(removed == nil)
        #expect(other == bytes("other"))
        // A record that is derived from it afterwards has no place.
        let late = thread.put(key, vary: bytes("a"), body: [1], variant: .derived(coding: 4, from: serial))
        #expect(late == .invalidated)
        let new = thread.put(key, vary: bytes("a"), body: [1], stamp: stamp)
        #expect(new == .stored)
    }

    private func serial(_ thread: borrowing StoreThread, _ key: [UInt8], _ hash: Hash128) -> UInt64? {
        let view = thread.lookup(key: key.span, hash: hash) { _, _ in 1 }
        return view?.serial
    }

    /// A full store under reclaim: bodies stay complete through renewals, however often they move.
    @Test func renewalsAndReclaimsMayRunTogether() throws {
        let store = try makeStore(memory: 1 << 20)
        var thread = store.row()!
        var random = SeededRandom(seed: 11)
        var renewed = 0
        for step in 0..<20_000 {
            thread.beginTurn()
            let id = random.below(200)
            let key = bytes("key \(id)")
            let body = [UInt8](repeating: UInt8(id), count: 1000) + bytes("\(id)")
            let hash = thread.hash(key.span)
            if let serial = serial(thread, key, hash) {
                let outcome = thread.renew(key, serial: serial)
                #expect(outcome == .stored)
                renewed += 1
                let found = thread.body(key)
                #expect(found == body)
            } else {
                let outcome = thread.put(key, head: bytes("h"), body: body)
                #expect(outcome == .stored)
            }
            if step % 3 == 0 { _ = thread.put(bytes("other \(step)"), body: body) }
            thread.endTurn()
        }
        #expect(renewed > 5000)
        #expect(store.statistics.bytesKept > 0)
        #expect(store.statistics.corrupt == 0)
    }
}
