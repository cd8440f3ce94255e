/// Notices of failing servers: the first at once, then counts.

import Machines
import HTTP
import Testing

@Suite struct FailureTallyTests {
    private static let interval = FailureTally.interval

    @Test func theFirstFailureIsToldAtOnceAndLaterOnesAreCounted() {
        var tally = FailureTally()
        #expect(tally.nextDue == nil)
        let isNew = tally.note(3, .refused, .answered(502))
        #expect(isNew && tally.nextDue == 0)
        let first = tally.take(now: 1_000)
        #expect(first.count == 1 && first[0].isFirst && first[0].server == 3 && first[0].cause == .refused)
        #expect(first[0].requests == 1 && first[0].answered == 1 && first[0].status == 502)
        for remedy in [Remedy.retried(on: 4), .stale, .cut, .dropped, .answered(504), .answered(502)] {
            let isNew = tally.note(3, .refused, remedy)
            #expect(!isNew)
        }
        let early = tally.take(now: 999 + Self.interval)
        #expect(early.isEmpty && tally.nextDue == 1_000 + Self.interval)
        let counted = tally.take(now: 1_000 + Self.interval)
        #expect(counted.count == 1 && !counted[0].isFirst && counted[0].requests == 6)
        #expect((counted[0].retried, counted[0].retriedOn, counted[0].stale) == (1, 4, 1))
        #expect((counted[0].cut, counted[0].dropped, counted[0].answered) == (1, 1, 2))
        // An interval without a failure ends the count: the next failure is the first again.
        let quiet = tally.take(now: 1_000 + 2 * Self.interval)
        #expect(quiet.isEmpty && tally.nextDue == nil)
        let again = tally.note(3, .refused, .stale)
        #expect(again)
    }

    @Test func serversAndCausesAreCountedApart() {
        var tally = FailureTally()
        for (server, cause) in [(0, Cause.refused), (1, .refused), (0, .reset)] {
            let isNew = tally.note(server, cause, .answered(502))
            let isAgain = tally.note(server, cause, .answered(502))
            #expect(isNew && !isAgain)
        }
        let notices = tally.take(now: 5)
        #expect(notices.map(\.requests) == [2, 2, 2] && notices.map(\.server) == [0, 1, 0])
    }

    /// The bytes shown are those of the first malformed response of an interval.
    @Test func malformedBytesAreShown() {
        var tally = FailureTally()
        _ = tally.note(0, .malformed, .answered(502), rule: "chunk", found: [1])
        _ = tally.note(0, .malformed, .answered(502), rule: "framing", found: [2])
        let notice = tally.take(now: 0)[0]
        #expect(notice.found == [1] && notice.rule?.utf8CodeUnitCount == 5)
        _ = tally.note(0, .malformed, .answered(502), rule: "framing", found: [2])
        #expect(tally.takeAll().map(\.found) == [[2]] && tally.nextDue == nil)
    }

    /// Codes are tokens, no two are equal, and each has a sentence.
    @Test func everyCauseHasACodeAndASentence() {
        let codes = Cause.allCases.map { "\($0.code)" }
        #expect(Set(codes).count == codes.count)
        #expect(codes.allSatisfy { $0.allSatisfy { $0.isLowercase || $0 == "-" } })
        #expect(Cause.allCases.allSatisfy { "\($0.explanation)".hasSuffix(".") })
        #expect(Set(BrokenRule.allCases.map { "\($0.code)" }).count == BrokenRule.allCases.count)
    }
}
