/// What the final head of a response is used for, and what its client gets.
import Caching
import HTTP
import Machines
import Settings
import Testing

@testable import Caching

@Suite struct ResponseUseTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var name: String
        var status: UInt16
        var method = HTTP.Method.get
        var mayStore = true
        var renewal: Renewal?
        var hasClient = true
        var use: ResponseUse
        var testDescription: String { name }
    }

    static let conditional = Renewal(
        serial: 1, isConditional: true, mayIfError: true, isFetchedWhole: false)
    static let unconditional = Renewal(
        serial: 1, isConditional: false, mayIfError: true, isFetchedWhole: false)
    static let notForErrors = Renewal(
        serial: 1, isConditional: true, mayIfError: false, isFetchedWhole: false)

    static let rows: [Row] = [
        Row(name: "304 to our condition", status: 304, renewal: conditional, use: .validates),
        Row(
            name: "304 to our condition, the client has left", status: 304, renewal: conditional,
            hasClient: false, use: .validates),
        Row(
            name: "304 to our condition, by HEAD", status: 304, method: .head, mayStore: false,
            renewal: conditional, use: .validates),
        Row(name: "304 without a condition", status: 304, renewal: unconditional, use: .malformed),
        Row(name: "304 without an entry", status: 304, use: .malformed),
        Row(name: "304 to the client's own condition", status: 304, mayStore: false, use: .passed),
        Row(name: "200 replaces the entry", status: 200, renewal: conditional, use: .passed),
        Row(
            name: "200 to HEAD", status: 200, method: .head, mayStore: false, renewal: conditional,
            use: .freshens),
        Row(name: "200 to HEAD without an entry", status: 200, method: .head, mayStore: false, use: .passed),
        Row(
            name: "404 to HEAD", status: 404, method: .head, mayStore: false, renewal: conditional,
            use: .passed),
        Row(name: "404 replaces the entry", status: 404, renewal: conditional, use: .passed),
        Row(name: "499 is no error of the origin", status: 499, renewal: conditional, use: .passed),
        Row(name: "500", status: 500, renewal: conditional, use: .replacedByEntry),
        Row(name: "503, fetched whole", status: 503, renewal: unconditional, use: .replacedByEntry),
        Row(
            name: "503 to HEAD", status: 503, method: .head, mayStore: false, renewal: conditional,
            use: .replacedByEntry),
        Row(name: "503 behind an answer", status: 503, renewal: conditional, hasClient: false, use: .passed),
        Row(
            name: "503, the entry may not answer for errors", status: 503, renewal: notForErrors,
            use: .passed),
        Row(name: "503 without an entry", status: 503, use: .passed),
    ]

    @Test(arguments: rows) func use(row: Row) {
        var verdict = RequestVerdict(method: row.method)
        verdict.mayStore = row.mayStore
        let use = ResponseUse(
            status: row.status, to: verdict, row.renewal, hasClient: row.hasClient)
        #expect(use == row.use)
    }

    @Test(
        arguments: [
            (HeadTransform.Change.none, false, false, Delivery.asReceived),
            (.none, false, true, .asReceived),
            (.varies, false, false, .transformed),
            (.varies, false, true, .transformed),
            (.coded(.gzip), false, true, .transformed),
            // A passed 304 that names no coding has no body to hold back.
            (.decoded, false, false, .transformed),
            (.decoded, false, true, .heldBack),
            (.none, true, false, .notModified),
            (.decoded, true, true, .notModified),
            (.coded(.br), true, true, .notModified),
        ])
    func delivery(
        change: HeadTransform.Change, isCurrent: Bool, isStored: Bool, expected: Delivery
    ) {
        #expect(Delivery(change, isCurrent: isCurrent, isStored: isStored) == expected)
    }

    @Test func whoIsAnsweredByHeadHasItsBodyCodedForTheStoreOnly() {
        #expect(Delivery.transformed.recodes(answersHead: false, isStored: false))
        #expect(Delivery.transformed.recodes(answersHead: true, isStored: true))
        #expect(!Delivery.transformed.recodes(answersHead: true, isStored: false))
        #expect(!Delivery.asReceived.recodes(answersHead: false, isStored: true))
        #expect(!Delivery.heldBack.recodes(answersHead: false, isStored: true))
        #expect(!Delivery.notModified.recodes(answersHead: false, isStored: true))
    }

    // MARK: Renewal

    @Test(
        arguments: [
            (2, false, true, true),
            // Purged meanwhile; other validators; the same record.
            (2, true, true, false), (2, false, false, false), (1, false, true, false),
        ] as [(UInt64, Bool, Bool, Bool)])
    func following(serial: UInt64, isPurged: Bool, hasSameValidators: Bool, follows: Bool) {
        let old = Renewal(serial: 1, isConditional: true, mayIfError: true, isFetchedWhole: true)
        let new = old.following(
            serial: serial, isPurged: isPurged, hasSameValidators: hasSameValidators)
        let expected = Renewal(serial: serial, isConditional: true, mayIfError: true, isFetchedWhole: true)
        #expect(new == (follows ? expected : nil))
    }

    @Test func aRequestForAPartRenewsNothingButMayGetTheEntryForAnError() {
        var part = RequestVerdict(method: .get)
        part.mayStore = false
        part.reason = .range
        part.flags = .range
        var renewal = Self.conditional
        renewal.limit(to: part)
        #expect(renewal == Self.unconditional)
        var whole = Self.conditional
        whole.limit(to: RequestVerdict(method: .get))
        #expect(whole == Self.conditional)
    }

    @Test func aMismatchIsNotAskedForTwice() {
        #expect(Validation.mismatch.marksFetchedWhole)
        for other in [Validation.renewed, .gone, .refused(.noStore, ageSeconds: 0)] {
            #expect(!other.marksFetchedWhole)
        }
    }
}
