// What becomes of a claim when the store does not take the variant.

import Bytes
import Caching
import Store
import Testing

@testable import DataPlane

struct VariantClaimTests {
    private static let key = Array("key".utf8)
    private static let gzip = Codings.gzip.rawValue

    private func makeStore() throws -> Store {
        try Store.create(StoreOptions(memory: 2 << 20, rows: 4), bans: .purgeScopes)
    }

    /// Stores an original that gzip is claimed of; its serial.
    private func putClaimed(_ thread: inout StoreThread, vary: UInt8) -> UInt64 {
        let hash = thread.hash(Self.key.span)
        let serial = thread.newSerial()
        let outcome = thread.insert(
            key: Self.key.span, hash: hash, variant: .original(coding: 1, serial: serial), claims: Self.gzip,
            facts: RecordFacts(), vary: [vary].span, head: Span(), body: Span(), expires: .max, now: 1,
            stamp: thread.stamp(hash))
        #expect(outcome == .stored)
        return serial
    }

    private func insertGzip(_ thread: inout StoreThread, _ serial: UInt64, vary: UInt8) {
        let hash = thread.hash(Self.key.span)
        var facts = EntryFacts(RecordFacts())
        facts.coding = .gzip
        var values = ByteBuffer(capacity: 1)
        values.append([vary].span)
        StoredVariant(facts, of: serial, hash, thread.stamp(hash)).insert(
            into: &thread, key: Self.key.span, head: ByteBuffer(), body: ByteBuffer(), vary: values,
            now: Times(wallMilliseconds: 1000, bootMilliseconds: 1000))
    }

    private func isClaimed(_ thread: borrowing StoreThread, _ serial: UInt64) -> Bool? {
        let hash = thread.hash(Self.key.span)
        let view = thread.original(key: Self.key.span, hash: hash, serial: serial)
        guard let view else { return nil }
        return !thread.isUnclaimed(view, coding: Self.gzip)
    }

    @Test func isGivenBackWhereThereIsNoRoomJustNow() throws {
        let store = try makeStore()
        var thread = store.row()!
        var other = store.row()!
        thread.beginTurn()
        let serial = putClaimed(&thread, vary: 0)
        other.stop(at: .appendLock, key: Self.key)
        insertGzip(&thread, serial, vary: 0)
        let claimed = isClaimed(thread, serial)
        #expect(claimed == false)
    }

    /// Else each hit would have it made once more.
    @Test func staysWhereThereIsNoPlace() throws {
        let store = try makeStore()
        var thread = store.row()!
        thread.beginTurn()
        let serials = (0..<8).map { putClaimed(&thread, vary: $0) }
        insertGzip(&thread, serials[3], vary: 3)
        let claimed = isClaimed(thread, serials[3])
        #expect(claimed == true)
    }
}
