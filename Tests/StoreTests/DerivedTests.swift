// Derived records: other codings of a stored body, which live and die with their original.

import Bytes
import Store
import Testing

@Suite struct DerivedTests {
    private static var gzip: UInt8 { 2 }
    private static var br: UInt8 { 4 }

    private struct NoRow: Error {}

    private func makeStore() throws -> Store {
        try Store.create(StoreOptions(memory: 2 << 20, rows: 8, segmentBytes: 16 << 10))
    }

    private func makeThread() throws -> StoreThread {
        guard let thread = try makeStore().row() else { throw NoRow() }
        return thread
    }

    /// The body for a client that accepts these codings; the highest of equal serial wins.
    private func body(
        _ thread: borrowing StoreThread, _ key: String, _ codings: Set<UInt64>
    ) -> String? {
        let key = bytes(key)
        let view = thread.lookup(key: key.span, hash: thread.hash(key.span)) { facts, _ in
            codings.contains(facts.words.0) ? Int(facts.words.0) + 1 : 0
        }
        guard let view else { return nil }
        return String(decoding: view.body.copied, as: UTF8.self)
    }

    /// Stores an original. Returns its serial.
    private func original(
        _ thread: inout StoreThread, _ key: String, _ text: String, vary: [UInt8] = []
    ) -> UInt64 {
        let serial = thread.newSerial()
        let outcome = thread.put(
            bytes(key), vary: vary, body: bytes(text), variant: .original(serial: serial))
        #expect(outcome == .stored)
        return serial
    }

    private func derive(
        _ thread: inout StoreThread, _ key: String, _ text: String, _ coding: UInt8, from serial: UInt64,
        vary: [UInt8] = [], stamp: FetchStamp? = nil
    ) -> StoreOutcome {
        thread.put(
            bytes(key), vary: vary, body: bytes(text), facts: RecordFacts(UInt64(coding)),
            variant: .derived(coding: coding, from: serial), stamp: stamp)
    }

    @Test func theHighestRankOfOneSerialIsServed() throws {
        var thread = try makeThread()
        thread.beginTurn()
        let serial = original(&thread, "k", "plain")
        let outcome = derive(&thread, "k", "zipped", Self.gzip, from: serial)
        #expect(outcome == .stored)
        let any = body(thread, "k", [0, 2])
        #expect(any == "zipped")
        let plain = body(thread, "k", [0])
        #expect(plain == "plain")
    }

    @Test func aDerivedRecordGoesWhenItsOriginalIsReplaced() throws {
        var thread = try makeThread()
        thread.beginTurn()
        let serial = original(&thread, "k", "old")
        _ = derive(&thread, "k", "old zipped", Self.gzip, from: serial)
        _ = derive(&thread, "k", "old br", Self.br, from: serial)
        let newer = original(&thread, "k", "new")
        let zipped = body(thread, "k", [2])
        #expect(zipped == nil)
        let brotli = body(thread, "k", [4])
        #expect(brotli == nil)
        // A derived record that is finished too late is refused.
        let late = derive(&thread, "k", "old zipped", Self.gzip, from: serial)
        #expect(late == .invalidated)
        let current = derive(&thread, "k", "new zipped", Self.gzip, from: newer)
        #expect(current == .stored)
        let both = body(thread, "k", [0, 2])
        #expect(both == "new zipped")
    }

    @Test func anOriginalWithOtherVaryValuesKeepsTheDerivedRecord() throws {
        var thread = try makeThread()
        thread.beginTurn()
        let serial = original(&thread, "k", "en", vary: bytes("en"))
        _ = derive(&thread, "k", "en zipped", Self.gzip, from: serial, vary: bytes("en"))
        _ = original(&thread, "k", "de", vary: bytes("de"))
        let zipped = body(thread, "k", [2])
        #expect(zipped == "en zipped")
    }

    @Test func aDerivedRecordGoesWithItsKeyAndLosesToAnInvalidation() throws {
        var thread = try makeThread()
        thread.beginTurn()
        let key = bytes("k")
        let serial = original(&thread, "k", "plain")
        _ = derive(&thread, "k", "zipped", Self.gzip, from: serial)
        let stamp = thread.stamp(thread.hash(key.span))
        thread.drop(key)
        let zipped = body(thread, "k", [2])
        #expect(zipped == nil)
        let late = derive(&thread, "k", "br", Self.br, from: serial, stamp: stamp)
        #expect(late == .invalidated)
    }

    @Test func aDerivedRecordEvictsNoOriginalOfItsKey() throws {
        let store = try makeStore()
        guard var thread = store.row() else { throw NoRow() }
        thread.beginTurn()
        var serials: [UInt64] = []
        for value in 0..<8 { serials.append(original(&thread, "k", "\(value)", vary: [UInt8(value)])) }
        // However often it is tried: no record is written that would evict others.
        for _ in 0..<3000 {
            let zipped = String(repeating: "zipped", count: 200)
            let outcome = derive(&thread, "k", zipped, Self.gzip, from: serials[0], vary: [0])
            #expect(outcome == .crowded)
        }
        #expect(store.statistics.segmentsReclaimed == 0 && store.statistics.refusedForPressure == 0)
        for value in 0..<8 {
            let found = thread.body(bytes("k"), vary: [UInt8(value)])
            #expect(found == bytes("\(value)"))
        }
    }

    /// In a full bucket the least hit record makes room. Without this rule that would be the original, which
    /// has just come, or one of its Vary siblings.
    @Test func aDerivedRecordEvictsNoLessHitOriginalOfItsKey() throws {
        let store = try Store.create(StoreOptions(memory: 1 << 20, rows: 8, segmentBytes: 16 << 10))
        guard var thread = store.row() else { throw NoRow() }
        thread.beginTurn()
        for other in 0..<4000 { _ = thread.put(bytes("other \(other)"), body: [1]) }
        for other in 0..<4000 { _ = thread.contains(bytes("other \(other)")) }
        for number in 0..<50 {
            let key = "key \(number)"
            let serial = original(&thread, key, "plain")
            let outcome = derive(&thread, key, "zipped", Self.gzip, from: serial)
            #expect(outcome == .stored)
            let plain = body(thread, key, [0])
            let zipped = body(thread, key, [2])
            #expect(plain == "plain" && zipped == "zipped")
        }
        for number in 0..<10 {
            let key = "siblings \(number)"
            var serial: UInt64 = 0
            for value in 0..<5 {
                serial = original(&thread, key, "\(value)", vary: [UInt8(value)])
                // As often as the count can hold.
                for _ in 0..<3 { _ = thread.body(bytes(key), vary: [UInt8(value)]) }
            }
            for _ in 0..<3 { for other in 0..<4000 { _ = thread.contains(bytes("other \(other)")) } }
            let before = originals(thread, key)
            let outcome = derive(&thread, key, "zipped", Self.gzip, from: serial, vary: [4])
            #expect(outcome == .stored)
            let after = originals(thread, key)
            #expect(after == before)
        }
        #expect(store.statistics.segmentsReclaimed == 0)
    }

    /// The Vary values of the originals that are there.
    private func originals(_ thread: borrowing StoreThread, _ key: String) -> [UInt8] {
        let key = bytes(key)
        return (0..<8).filter { value in
            let view = thread.lookup(key: key.span, hash: thread.hash(key.span)) { facts, vary in
                facts.words.0 == 0 && vary.count == 1 && vary[0] == value ? 1 : 0
            }
            return view != nil
        }
    }

    @Test func aDerivedRecordMakesRoomForOriginals() throws {
        var thread = try makeThread()
        thread.beginTurn()
        var serials: [UInt64] = []
        for value in 0..<4 {
            serials.append(original(&thread, "k", "\(value)", vary: [UInt8(value)]))
            _ = derive(&thread, "k", "\(value) zipped", Self.gzip, from: serials[value], vary: [UInt8(value)])
        }
        for value in 4..<8 { _ = original(&thread, "k", "\(value)", vary: [UInt8(value)]) }
        for value in 0..<8 {
            let key = bytes("k")
            let view = thread.lookup(key: key.span, hash: thread.hash(key.span)) { facts, vary in
                facts.words.0 == 0 && vary.count == 1 && vary[0] == UInt8(value) ? 1 : 0
            }
            let isThere = view != nil
            #expect(isThere)
        }
    }

    @Test func aRecordIsClaimedOnceAndKeepsItsClaimsWhenItMoves() throws {
        let store = try Store.create(StoreOptions(memory: 1 << 20, rows: 8, segmentBytes: 16 << 10))
        guard var thread = store.row() else { throw NoRow() }
        thread.beginTurn()
        let serial = original(&thread, "k", "plain")
        let claim1 = claim(thread, "k", serial, 1)
        #expect(claim1 == true)
        let claim2 = claim(thread, "k", serial, 1)
        #expect(claim2 == false)
        let claim3 = claim(thread, "k", serial, 2)
        #expect(claim3 == true)
        // Hit repeatedly while others pass through, so that reclaims move it.
        for index in 0..<4000 {
            _ = thread.put(bytes("other \(index)"), body: [UInt8](repeating: 7, count: 700))
            for _ in 0..<4 { _ = thread.body(bytes("k")) }
            thread.endTurn()
            thread.beginTurn()
        }
        #expect(store.statistics.bytesKept > 0)
        let claim4 = claim(thread, "k", serial, 1)
        #expect(claim4 == false)
        let claim5 = claim(thread, "k", serial, 3)
        #expect(claim5 == true)
    }

    /// A claim also stands on the copy of the record that was at hand. Both may be claimed again.
    @Test func aClaimIsGivenBackOnAllRecords() throws {
        var thread = try makeThread()
        thread.beginTurn()
        let serial = original(&thread, "k", "plain")
        _ = derive(&thread, "k", "zipped", Self.gzip, from: serial)
        let other = original(&thread, "k", "other", vary: bytes("other"))
        let first = [claimBr(thread, 2), claimBr(thread, 0)]
        let claimed = claim(thread, "k", other, 2)
        let second = [claimBr(thread, 2), claimBr(thread, 0)]
        #expect(first == [true, true] && second == [false, false] && claimed == true)
        thread.disclaim(coding: Self.br, of: serial, hash: thread.hash(bytes("k").span))
        let third = [claimBr(thread, 2), claimBr(thread, 0)]
        let kept = claim(thread, "k", other, 2)
        #expect(third == [true, true] && kept == false)
    }

    /// Claims br on the record of `k` with this coding.
    private func claimBr(_ thread: borrowing StoreThread, _ coding: UInt64) -> Bool? {
        let key = bytes("k")
        let view = thread.lookup(key: key.span, hash: thread.hash(key.span)) { facts, vary in
            facts.words.0 == coding && vary.isEmpty ? 1 : 0
        }
        guard let view else { return nil }
        return thread.claim(view, coding: Self.br)
    }

    @Test func aRecordMayBeStoredWithClaims() throws {
        var thread = try makeThread()
        thread.beginTurn()
        let serial = thread.newSerial()
        _ = thread.put(bytes("k"), body: bytes("plain"), variant: .original(serial: serial), claims: 2)
        let claim6 = claim(thread, "k", serial, 1)
        #expect(claim6 == false)
        let claim7 = claim(thread, "k", serial, 0)
        #expect(claim7 == true)
    }

    /// An evicted derived record may be derived again. The original, if it was kept, allows the claim.
    @Test func theEvictionOfADerivedRecordEndsItsClaim() throws {
        var thread = try makeThread()
        var lost = 0
        var crowdedOut = 0
        for round in 0..<6_000 {
            let body = [UInt8](repeating: 1, count: 2_000)
            thread.beginTurn()
            let serial = thread.newSerial()
            let name = bytes("key \(round)")
            _ = thread.put(name, body: body, variant: .original(serial: serial), claims: 2)
            _ = thread.put(
                name, body: body, facts: RecordFacts(1), variant: .derived(coding: 2, from: serial))
            // Originals are requested, so that they are kept where their derived records are not.
            for earlier in max(0, round - 200)..<round where earlier % 16 == 0 {
                _ = isClaimed(thread, bytes("key \(earlier)"))
            }
            thread.endTurn()
        }
        thread.beginTurn()
        for round in 0..<6_000 {
            let key = bytes("key \(round)")
            guard let isClaimed = isClaimed(thread, key) else { continue }
            let isThere = hasDerived(thread, key)
            if isThere { #expect(isClaimed) } else if isClaimed { crowdedOut += 1 } else { lost += 1 }
        }
        #expect(lost > 0 && crowdedOut < lost)
    }

    /// Whether the original is claimed; nil if it is gone.
    private func isClaimed(_ thread: borrowing StoreThread, _ key: [UInt8]) -> Bool? {
        let view = thread.lookup(key: key.span, hash: thread.hash(key.span)) { facts, _ in
            facts.words.0 == 0 ? 1 : 0
        }
        guard let view else { return nil }
        return !thread.isUnclaimed(view, coding: 2)
    }

    private func hasDerived(_ thread: borrowing StoreThread, _ key: [UInt8]) -> Bool {
        thread.lookup(key: key.span, hash: thread.hash(key.span)) { facts, _ in Int(facts.words.0) } != nil
    }

    /// nil: the original is not there.
    private func claim(
        _ thread: borrowing StoreThread, _ key: String, _ serial: UInt64, _ number: UInt8
    ) -> Bool? {
        let key = bytes(key)
        let view = thread.original(key: key.span, hash: thread.hash(key.span), serial: serial)
        guard let view else { return nil }
        let isUnclaimed = thread.isUnclaimed(view, coding: 1 << number)
        let isFirst = thread.claim(view, coding: 1 << number)
        #expect(isUnclaimed == isFirst)
        return isFirst
    }
}
