/// Reservations: one request of a key fetches, others wait, and each is told the result.
import Bytes
import Testing

@testable import Machines

@Suite struct ReservationTests {
    private static let key = Hash128(low: 0x1234_5678, high: 9)
    private static func waiter(_ number: Int) -> Reservations.Waiter {
        Reservations.Waiter(thread: Int32(number % 2), token: UInt64(number))
    }

    @Test func oneRequestFetchesAndOthersWait() {
        var table = Reservations()
        #expect(table.ask(Self.key, Self.waiter(0), now: 0) == .reserved)
        for number in 1...1_000 { #expect(table.ask(Self.key, Self.waiter(number), now: 0) == .wait) }
        #expect(table.ask(Self.key, nil, now: 0) == .busy)
        #expect(table.ask(Hash128(low: 1, high: 1), nil, now: 0) == .reserved)
        #expect(table.release(Self.key, .stored, now: 1) == (1...1_000).map(Self.waiter))
        #expect(table.ask(Self.key, nil, now: 1) == .reserved)
    }

    @Test func aFailureHandsTheReservationOn() {
        var table = Reservations()
        #expect(table.ask(Self.key, Self.waiter(0), now: 0) == .reserved)
        #expect(table.ask(Self.key, Self.waiter(1), now: 0) == .wait)
        #expect(table.ask(Self.key, Self.waiter(2), now: 0) == .wait)
        #expect(table.release(Self.key, .failed, now: 0) == [Self.waiter(1)])
        #expect(table.ask(Self.key, Self.waiter(3), now: 0) == .wait)
        #expect(table.release(Self.key, .failed, now: 0) == [Self.waiter(2)])
        #expect(table.release(Self.key, .failed, now: 0) == [Self.waiter(3)])
        #expect(table.release(Self.key, .failed, now: 0) == [])
        #expect(table.count == 0)
        // Telling a waiter twice by mistake changes nothing.
        #expect(table.release(Self.key, .failed, now: 0) == [])
    }

    @Test func requestsDoNotWaitForAnUnstorableKeyAgain() {
        let hitForMiss = HitForMiss(milliseconds: 100)
        var table = Reservations(hitForMiss: hitForMiss)
        #expect(table.ask(Self.key, Self.waiter(0), now: 0) == .reserved)
        #expect(table.ask(Self.key, Self.waiter(1), now: 0) == .wait)
        #expect(table.release(Self.key, .unstorable(remember: true), now: 10) == [Self.waiter(1)])
        #expect(table.ask(Self.key, Self.waiter(2), now: 50) == .hitForMiss)
        #expect(hitForMiss.contains(Self.key, now: 109) && !hitForMiss.contains(Self.key, now: 110))
        #expect(table.ask(Self.key, Self.waiter(2), now: 110) == .reserved)
        #expect(table.release(Self.key, .stored, now: 111) == [])
        #expect(table.ask(Self.key, nil, now: 112) == .reserved)
        #expect(table.release(Self.key, .unstorable(remember: false), now: 113) == [])
        #expect(table.ask(Self.key, nil, now: 114) == .reserved)
    }

    @Test func aStorableResponseClearsTheMark() {
        let hitForMiss = HitForMiss()
        var table = Reservations(hitForMiss: hitForMiss)
        #expect(table.ask(Self.key, nil, now: 0) == .reserved)
        #expect(table.release(Self.key, .unstorable(remember: true), now: 0) == [])
        // Another key at the same place of the memory is not this key.
        hitForMiss.remove(Hash128(low: Self.key.low, high: Self.key.high &+ 1))
        #expect(table.ask(Self.key, Self.waiter(0), now: 1) == .hitForMiss)
        hitForMiss.remove(Self.key)
        #expect(table.ask(Self.key, Self.waiter(0), now: 1) == .reserved)
    }

    /// Requests for a hit-for-miss key that may wait for one fetch still fetch one at a time.
    @Test func aHitForMissKeyMayStillBeFetchedOnce() {
        let hitForMiss = HitForMiss()
        var table = Reservations(hitForMiss: hitForMiss)
        hitForMiss.insert(Self.key, now: 0)
        #expect(table.ask(Self.key, nil, now: 1) == .reserved)
        #expect(table.ask(Self.key, nil, now: 1) == .busy)
        #expect(table.release(Self.key, .unstorable(remember: true), now: 1) == [])
        #expect(table.ask(Self.key, Self.waiter(0), now: 1) == .hitForMiss)
    }

    @Test func theNumberOfWaitersIsLimited() {
        var table = Reservations(waiterLimit: 2)
        #expect(table.ask(Self.key, Self.waiter(0), now: 0) == .reserved)
        #expect(table.ask(Self.key, Self.waiter(1), now: 0) == .wait)
        #expect(table.ask(Self.key, Self.waiter(2), now: 0) == .wait)
        #expect(table.ask(Self.key, Self.waiter(3), now: 0) == .busy)
    }

    /// The memory of hit-for-miss keys has a fixed size, and forgets.
    @Test func theMemoryOfHitForMissIsBounded() {
        let hitForMiss = HitForMiss()
        var table = Reservations(hitForMiss: hitForMiss)
        for number in 0..<100_000 {
            let key = Hash128(low: UInt64(number) &* 0x9e37_79b9_7f4a_7c15, high: UInt64(number))
            #expect(table.ask(key, nil, now: 0) == .reserved)
            #expect(table.release(key, .unstorable(remember: true), now: 0) == [])
            #expect(hitForMiss.contains(key, now: 1))
        }
        #expect(table.count == 0)
    }
}
