/// What a second lookup permits, and who answers the client's own condition.
import HTTP
import Testing

@testable import Caching

@Suite struct LookupCauseTests {
    struct Row: Sendable {
        var cause: LookupCause
        /// An entry that is not fresh; one that is fresh, though the client wants a fresher one.
        var stale: Bool
        var fresh: Bool
        /// The same, where the entry may answer for an error.
        var staleIfError: Bool
        var freshIfError: Bool
        var answersStale: Bool
        var mayWaitAgain: Bool
        var mayUndo: Bool
    }

    static let rows: [Row] = [
        Row(
            cause: .stored, stale: false, fresh: true, staleIfError: false, freshIfError: true,
            answersStale: false, mayWaitAgain: true, mayUndo: true),
        Row(
            cause: .renewed, stale: true, fresh: true, staleIfError: true, freshIfError: true,
            answersStale: false, mayWaitAgain: false, mayUndo: true),
        Row(
            cause: .failed, stale: false, fresh: false, staleIfError: true, freshIfError: true,
            answersStale: true, mayWaitAgain: false, mayUndo: true),
        Row(
            cause: .undone, stale: true, fresh: true, staleIfError: true, freshIfError: true,
            answersStale: true, mayWaitAgain: false, mayUndo: true),
        Row(
            cause: .fetched, stale: true, fresh: true, staleIfError: true, freshIfError: true,
            answersStale: false, mayWaitAgain: false, mayUndo: false),
    ]

    @Test func everyCauseHasARow() { #expect(Self.rows.map(\.cause) == LookupCause.allCases) }

    @Test(arguments: rows) func permits(row: Row) {
        let use = StaleUse(ageSeconds: 1)
        let ifError = StaleUse(ageSeconds: 1, mayIfError: true)
        #expect(row.cause.mayAnswer(use, isFresh: false) == row.stale)
        #expect(row.cause.mayAnswer(use, isFresh: true) == row.fresh)
        #expect(row.cause.mayAnswer(ifError, isFresh: false) == row.staleIfError)
        #expect(row.cause.mayAnswer(ifError, isFresh: true) == row.freshIfError)
        #expect(row.cause.answersStale == row.answersStale)
        #expect(row.cause.mayWaitAgain == row.mayWaitAgain)
        #expect(row.cause.mayUndoFetched == row.mayUndo)
    }

    // MARK: The client's own condition

    @Test(arguments: [
        // conditional, may be stored, has an entry, hit-for-miss
        (true, true, false, true, true), (false, true, false, true, false), (true, false, false, true, false),
        (true, true, true, true, false), (true, true, false, false, false),
    ])
    func forwards(
        isConditional: Bool, mayStore: Bool, hasEntry: Bool, isHitForMiss: Bool, expected: Bool
    ) {
        var verdict = RequestVerdict(method: .get)
        verdict.mayStore = mayStore
        if isConditional { verdict.flags = .conditional }
        #expect(
            verdict.mayForwardCondition(hasEntry: hasEntry, isHitForMiss: isHitForMiss) == expected)
        verdict.forwardCondition()
        #expect(!verdict.mayStore && verdict.reason == .conditional && verdict.mayLookup)
    }

    struct Compared: Sendable {
        var isConditional = true
        var isStored = false
        var isKept = true
        var status: UInt16 = 200
        var setsCookie = false
        var expected: Bool
    }

    @Test(arguments: [
        Compared(expected: true), Compared(isConditional: false, expected: false),
        Compared(isConditional: false, isStored: true, expected: false),
        Compared(isKept: false, expected: false), Compared(status: 203, expected: false),
        Compared(setsCookie: true, expected: false),
        Compared(isStored: true, isKept: false, status: 203, setsCookie: true, expected: true),
    ])
    func compares(row: Compared) {
        var verdict = RequestVerdict(method: .get)
        if row.isConditional { verdict.flags = .conditional }
        let may = verdict.mayAnswerCondition(
            isStored: row.isStored, isKept: row.isKept, status: row.status, setsCookie: row.setsCookie)
        #expect(may == row.expected)
    }
}
