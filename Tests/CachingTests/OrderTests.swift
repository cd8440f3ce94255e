/// The same directives make the same entry, in any order, case, spacing and quoting, and over any number of
/// lines. Whatever clocks do, no entry gets younger.
import Bytes
import HTTP
import Settings
import SeededRandom
import Testing

@testable import Caching

@Suite struct OrderTests {
    static let directives = [
        "max-age=60", "s-maxage=50", "public", "must-revalidate", "proxy-revalidate", "no-cache", "immutable",
        "stale-while-revalidate=30", "stale-if-error=90", "no-transform", "x=y", "must-understand",
        "no-store", "private", "no-cache=\"x, y\"",
    ]

    /// A sample of `names` as field lines, spelt at random.
    static func spell(_ names: [String], _ generator: inout SeededRandom) -> [String] {
        var lines: [String] = []
        var line = ""
        for name in names.shuffled(using: &generator) {
            var text = name
            if generator.picks(40) { text = text.uppercased() }
            if generator.picks(40), let equals = text.firstIndex(of: "="), !text.contains("\"") {
                let value = text[text.index(after: equals)...]
                text = "\(text[..<equals])=\"\(value)\""
            }
            let gaps = ["", " ", "\t", "  ", " , ", ",,"]
            line += gaps.randomElement(using: &generator)! + text
            if generator.picks(30) {
                lines.append("Cache-Control:\(line)")
                line = ""
            } else {
                line += gaps.randomElement(using: &generator)! + ","
            }
        }
        if !line.isEmpty { lines.append("cache-control: \(line)") }
        return lines
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func theSpellingOfDirectivesDoesNotMatter(seed: UInt64) {
        var generator = SeededRandom(seed: seed)
        var stored = 0
        for number in 0..<500 {
            let names = directives(&generator)
            let policy = generator.picks(50) ? Policy.liberal : Policy(name: "test")
            let others = ["ETag: \"a\"", "Age: 7", "Date: Wed, 31 Dec 2025 23:59:55 GMT"]
            let plain = StaleTests.facts(
                others + ["Cache-Control: " + names.joined(separator: ", ")], policy)
            if case .store = plain { stored += 1 }
            for _ in 0..<4 {
                let lines = (others + Self.spell(names, &generator)).shuffled(using: &generator)
                #expect(StaleTests.facts(lines, policy) == plain, "seed \(seed), \(number): \(lines)")
            }
        }
        #expect(stored > 50)
    }

    /// Mostly directives of storable responses, so that the facts are compared too.
    private func directives(_ generator: inout SeededRandom) -> [String] {
        let count = generator.picks(70) ? 11 : Self.directives.count
        return Self.directives[..<count].filter { _ in generator.picks(35) } + ["x-filler"]
    }

    /// Of repeated directives with the same value, one counts.
    @Test func equalRepetitionsCountOnce() {
        for policy in [Policy.liberal, Policy(name: "test")] {
            let once = StaleTests.facts(["Cache-Control: max-age=60, stale-if-error=9"], policy)
            let twice = StaleTests.facts(
                [
                    "Cache-Control: stale-if-error=9, max-age=60",
                    "Cache-Control: MAX-AGE=\"60\", max-age=060",
                ],
                policy)
            #expect(once == twice)
        }
    }

    /// The verdict on an entry when each clock has advanced this many milliseconds since its receipt.
    static func use(_ facts: EntryFacts, wall: Int64, boot: Int64) -> UseVerdict {
        StaleTests.rules.use(
            facts, for: RequestSample().verdict(.liberal), now: UseTests.later(wall, boot: boot))
    }

    /// Clocks are set, and machines sleep: the larger difference counts, and time that passes never makes an
    /// entry fresher.
    @Test(arguments: [1, 2, 3] as [UInt64])
    func noClockMakesAnEntryYounger(seed: UInt64) {
        var generator = SeededRandom(seed: seed)
        for number in 0..<2_000 {
            var facts = StaleTests.entry()
            facts.initialAgeMilliseconds = generator.next() % 100_000
            facts.freshForMilliseconds = generator.next() % 200_000
            let wall = Int64(generator.next() % 400_000) - 100_000
            let boot = Int64(generator.next() % 400_000)
            let verdict = Self.use(facts, wall: wall, boot: boot)
            let residence = UInt64(max(wall, boot, 0))
            let age = UInt32((facts.initialAgeMilliseconds + residence + 999) / 1000)
            let name: Comment = "seed \(seed), \(number)"
            switch verdict {
            case .fresh(let ageSeconds, let ttl):
                #expect(ageSeconds == age && residence < facts.freshForMilliseconds, name)
                #expect(UInt64(ttl) == (facts.freshForMilliseconds - residence) / 1000, name)
            case .stale(let use):
                #expect(use.ageSeconds == age && residence >= facts.freshForMilliseconds, name)
                let staleness = residence - facts.freshForMilliseconds
                #expect(use.staleSeconds == UInt32((staleness + 999) / 1000), name)
                #expect(use.mayWhileRevalidating == (staleness < 30_000), name)
                #expect(use.mayIfError == (staleness < 300_000), name)
            case .refresh, .refused: Issue.record(name)
            }
            // The other clock alone does not shorten the age.
            let later = Self.use(facts, wall: wall + 1000, boot: boot + 1000)
            #expect(Self.rank(later) >= Self.rank(verdict), name)
            #expect(
                Self.rank(Self.use(facts, wall: -wall.magnitude64, boot: boot)) <= Self.rank(verdict), name)
        }
    }

    /// A rank: the fewer uses the verdict allows, the higher.
    static func rank(_ verdict: UseVerdict) -> Int {
        switch verdict {
        case .fresh: 0
        case .stale(let use): 3 - (use.mayWhileRevalidating ? 1 : 0) - (use.mayIfError ? 1 : 0)
        case .refresh, .refused: 4
        }
    }

    @Test func extremeValuesSaturate() {
        let huge = "99999999999999999999999"
        for policy in [Policy.liberal, Policy(name: "test")] {
            for lines in [
                ["Cache-Control: max-age=\(huge), stale-if-error=\(huge), stale-while-revalidate=\(huge)"],
                ["Cache-Control: max-age=\(huge)", "Age: \(huge)", "ETag: \"a\""],
                ["Expires: Fri, 31 Dec 9999 23:59:59 GMT", "ETag: \"a\""],
                ["Cache-Control: max-age=\(huge)", "Date: Thu, 01 Jan 1970 00:00:00 GMT", "Age: 1767225600"],
            ] {
                guard case .store(let judged) = StaleTests.facts(lines, policy) else { continue }
                let facts = EntryFacts(unpacking: judged.pack())
                #expect(facts.keptSeconds <= 1 << 36)
                _ = Self.use(facts, wall: 0, boot: 0)
                let end = Self.use(facts, wall: 1 << 52, boot: 1 << 52)
                if case .stale(let use) = end {
                    #expect(use.ageSeconds == .max && !use.mayIfError)
                } else {
                    Issue.record("\(lines)")
                }
            }
        }
    }
}

extension Int64 {
    fileprivate var magnitude64: Int64 { Int64(clamping: magnitude) }
}
