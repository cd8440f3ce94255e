/// What the end of a fetch does to its reservation and to the marks of hit-for-miss.
import Caching
import Machines
import Testing

@Suite struct CommitEffectTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var name: String
        var stored: EntryFacts?
        var reason: Reason?
        var holdsReservation = true
        var isVariant = false
        var ending: Reservations.Ending
        var clearsReservationMark = false
        var clearsKeyMark = false
        var testDescription: String { name }
    }

    static func facts(freshFor milliseconds: UInt64, _ flags: EntryFacts.Flags = []) -> EntryFacts {
        EntryFacts(
            received: Times(wallMilliseconds: 0, bootMilliseconds: 0), initialAgeMilliseconds: 0,
            freshForMilliseconds: milliseconds, status: 200, coding: .identity, flags: flags, fingerprint: 1)
    }

    static let fresh = facts(freshFor: 60_000)

    static let rows: [Row] = [
        Row(name: "stored", stored: fresh, ending: .stored),
        Row(name: "stored, one variant", stored: fresh, isVariant: true, ending: .stored, clearsKeyMark: true),
        Row(
            name: "stored without a reservation", stored: fresh, holdsReservation: false, ending: .stored,
            clearsReservationMark: true),
        Row(
            name: "stored without a reservation, one variant", stored: fresh, holdsReservation: false,
            isVariant: true, ending: .stored, clearsReservationMark: true, clearsKeyMark: true),
        Row(
            name: "stored, to be revalidated by each", stored: facts(freshFor: 60_000, .alwaysRevalidate),
            holdsReservation: false, isVariant: true, ending: .stored),
        Row(
            name: "stored, and stale at once", stored: facts(freshFor: 0), holdsReservation: false,
            isVariant: true, ending: .stored),
        Row(name: "purged meanwhile", reason: .invalidated, ending: .failed),
        Row(name: "no reason", ending: .failed),
        Row(name: "too large", reason: .tooLarge, ending: .unstorable(remember: true)),
        Row(name: "trailers", reason: .trailers, ending: .unstorable(remember: true)),
        Row(name: "no memory", reason: .pressure, ending: .unstorable(remember: false)),
        Row(name: "a 304 made nothing fresh", reason: .expired, ending: .unstorable(remember: false)),
        Row(name: "a 304 forbids storing", reason: .noStore, ending: .unstorable(remember: true)),
        Row(
            name: "not stored, one variant without a reservation", reason: .tooLarge, holdsReservation: false,
            isVariant: true, ending: .unstorable(remember: true)),
    ]

    @Test(arguments: rows) func effect(row: Row) {
        let effect = CommitEffect(
            stored: row.stored, row.reason, holdsReservation: row.holdsReservation, isVariant: row.isVariant)
        #expect(effect.ending == row.ending)
        #expect(effect.clearsReservationMark == row.clearsReservationMark)
        #expect(effect.clearsKeyMark == row.clearsKeyMark)
    }

    @Test func whoHasToRevalidateDoesNotWait() {
        #expect(Reservations.Ending(storing: Self.fresh) == nil)
        let revalidated = Self.facts(freshFor: 60_000, .alwaysRevalidate)
        #expect(Reservations.Ending(storing: revalidated) == .unstorable(remember: true))
        #expect(Reservations.Ending(storing: Self.facts(freshFor: 0)) == .unstorable(remember: true))
    }
}
