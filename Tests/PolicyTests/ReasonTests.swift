/// The page of reasons is complete and mentions no setting that a policy would refuse. Lists of reasons keep
/// the findings in order.

import Bytes
import Caching
import Configuration
import Testing

@Suite struct ReasonTests {
    /// Each code has a heading, and each heading is a code. Each entry tells what the code means and which
    /// setting loosens it.
    @Test func thePageHasEveryReason() {
        let entries = ReasonsPage.shipped.entries
        #expect(entries.map(\.code).sorted() == Reason.allCases.map { "\($0.code)" }.sorted())
        for entry in entries {
            #expect(entry.text.hasPrefix("**Means:** "), "\(entry.code)")
            #expect(entry.text.contains("\n**Loosened by:** "), "\(entry.code)")
            #expect(entry.text.contains("nothing") || entry.text.contains("Risk") || entry.code == "pressure"
                || entry.text.contains("no line of a policy"), "\(entry.code)")
            #expect(!entry.summary.isEmpty && !entry.summary.contains("**"), "\(entry.code)")
        }
    }

    @Test func aListKeepsEachReasonOnceInOrder() {
        var list = Reasons()
        #expect(list.isEmpty && list.all.isEmpty)
        for reason in [Reason.vary, .method, .vary, .pressure, .method] { list.append(reason) }
        #expect(list.all == [.vary, .method, .pressure])
        var other = Reasons()
        other.append(.age)
        other.append(contentsOf: list)
        #expect(other.all == [.age, .vary, .method, .pressure])
        var full = Reasons()
        for reason in Reason.allCases { full.append(reason) }
        #expect(full.all == Array(Reason.allCases.prefix(16)))
    }

    /// Counts, indexed by the reason's raw value.
    private static func counts(_ counts: [(Reason, UInt64)]) -> [UInt64] {
        var all = [UInt64](repeating: 0, count: Reason.codes.count)
        for (reason, count) in counts { all[Int(reason.rawValue)] = count }
        return all
    }

    @Test(arguments: [
        (0, [], nil), (3, [], "3 of 3 answers stored"),
        (0, [(.noFreshness, 39_770), (.setCookie, 1_230)],
            "0 of 41000 answers stored; not stored: 97 % no-freshness, 3 % set-cookie (see larder reasons "
                + "no-freshness)"),
        (999, [(.vary, 1)],
            "999 of 1000 answers stored; not stored: under 1 % vary (see larder reasons vary)"),
        (0, [(.method, 4), (.vary, 3), (.age, 2), (.date, 1)],
            "0 of 10 answers stored; not stored: 40 % method, 30 % vary, 20 % age, … (see larder reasons "
                + "method)"),
    ] as [(UInt64, [(Reason, UInt64)], String?)])
    func sharesAreWrittenAsASentence(stored: UInt64, refused: [(Reason, UInt64)], text: String?) {
        let share = StoredShare(stored: stored, refused: Self.counts(refused))
        #expect(share.text == text)
        let earlier = StoredShare(stored: 5, refused: Self.counts([(.age, 7)]))
        let later = StoredShare(
            stored: stored + 5,
            refused: Self.counts(refused).enumerated().map {
                $0.element + ($0.offset == Int(Reason.age.rawValue) ? 7 : 0)
            })
        #expect(later.since(earlier) == share)
    }
}
