/// Uses of an entry that is no longer fresh: the windows of RFC 5861, `max-stale`, soft purges, and what
/// forbids them (RFC 9111 §4.2.4).
import Bytes
import HTTP
import Settings
import Testing

@testable import Caching

@Suite struct StaleTests {
    static let rules = Rules(policy: .liberal, upstream: "origin")

    /// The facts of a response with these field lines, or the reason of its refusal.
    static func facts(
        _ headers: [String], status: Int = 200, _ policy: Policy = .liberal, request: [String] = []
    ) -> StoreVerdict {
        let response = ResponseSample(status, ["Content-Length: 5"] + headers)
        return Rules(policy: policy, upstream: "origin").judge(
            response.head, response.buffer.span, to: RequestSample("GET", "/", request).verdict(policy),
            sent: Decision.now, received: Decision.now)
    }

    /// Windows in seconds, as `while revalidating/if error`, or the reason of a refusal.
    static func windows(_ headers: [String], status: Int = 200, _ policy: Policy) -> String {
        switch facts(headers, status: status, policy) {
        case .refuse(let reason): String(describing: reason.code)
        case .store(let facts): "\(facts.staleWhileRevalidateSeconds)/\(facts.staleIfErrorSeconds)"
        }
    }

    static let strict = Policy(name: "strict")

    @Test(
        arguments: [
            (["max-age=60"], "0/0", "0/0"),
            (["max-age=60, stale-while-revalidate=30"], "30/0", "30/0"),
            (["max-age=60, Stale-If-Error=\"9\" , stale-while-revalidate=30"], "30/9", "30/9"),
            (["max-age=60", "stale-if-error=9", "stale-while-revalidate=30"], "30/9", "30/9"),
            (["max-age=60, stale-if-error"], "0/0", "0/0"),
            (["max-age=60, stale-if-error=-1"], "0/0", "0/0"),
            (["max-age=60, stale-if-error=1.5"], "0/0", "0/0"),
            (["max-age=60, stale-if-error=9, stale-if-error=9"], "0/9", "0/9"),
            (["max-age=60, stale-if-error=9, stale-if-error=8"], "0/0", "0/9"),
            (["max-age=60, stale-if-error=99999999999999999999"], "0/16777215", "0/16777215"),
            (["max-age=60, must-revalidate, stale-if-error=9"], "0/0", "0/0"),
            // A prohibition counts in any spelling.
            (["max-age=60, must-revalidate=1, stale-if-error=9"], "0/0", "0/0"),
            (["stale-if-error=9, max-age=60, Proxy-Revalidate"], "0/0", "0/0"),
            (["max-age=60, s-maxage=60, stale-if-error=9"], "0/0", "0/0"),
            (["max-age=60, no-cache, stale-if-error=9"], "no-cache", "0/0"),
        ] as [([String], String, String)])
    func staleWindowsAreRead(lines: [String], strictly: String, byRFC: String) {
        let headers = lines.map { "Cache-Control: \($0)" } + ["ETag: \"a\""]
        #expect(Self.windows(headers, Self.strict) == strictly)
        #expect(Self.windows(headers, .liberal) == byRFC)
    }

    @Test func targetedFieldsHaveStaleWindows() {
        let plain = "Cache-Control: s-maxage=60, must-revalidate"
        for policy in [Self.strict, .liberal] {
            #expect(
                Self.windows([plain, "CDN-Cache-Control: max-age=60, stale-if-error=9"], policy) == "0/9")
            #expect(
                Self.windows(
                    ["Cache-Control: max-age=60, stale-if-error=9", "CDN-Cache-Control: max-age=60"], policy)
                    == "0/0")
        }
        // The last value of a key counts; its prohibitions stay.
        let twice = "CDN-Cache-Control: max-age=60, stale-if-error=9, stale-if-error=8"
        #expect(Self.windows([twice], .liberal) == "0/8")
        #expect(Self.windows([twice + ", must-revalidate, must-revalidate=?0"], .liberal) == "0/0")
    }

    @Test func storedErrorsLiveTenSeconds() {
        let line = "Cache-Control: max-age=60, stale-if-error=9, stale-while-revalidate=9"
        #expect(Self.windows([line], status: 404, Self.strict) == "0/0")
        #expect(Self.windows([line], status: 301, Self.strict) == "9/9")
    }

    /// Windows begin where freshness ended (RFC 5861 §3, §4), even if that was before the response came.
    @Test(
        arguments: [
            ("Age: 59", "max-age=60", "30/90"), ("Age: 60", "max-age=60", "30/90"),
            ("Age: 70", "max-age=60", "20/80"), ("Age: 90", "max-age=60", "0/60"),
            ("Age: 3600", "max-age=60", "0/0"), ("Age: 10", "public", "20/80"), ("Age: 0", "public", "30/90"),
        ] as [(String, String, String)])
    func windowsOfAResponseThatArrivesStaleAreShortened(age: String, lifetime: String, left: String) {
        let line = "Cache-Control: \(lifetime), stale-while-revalidate=30, stale-if-error=90"
        #expect(Self.windows([age, line, "ETag: \"a\""], .liberal) == left)
    }

    /// The moment of expiry is unknown: the client's `max-stale` must cover the whole age.
    @Test func maxStaleCoversTheWholeAgeOfAResponseThatArrivesStale() {
        guard case .store(let facts) = Self.facts(["Age: 100", "Cache-Control: max-age=60", "ETag: \"a\""])
        else {
            Issue.record("not stored")
            return
        }
        for (request, outcome) in [("max-stale=109", ""), ("max-stale=110", "c"), ("max-stale", "c")] {
            let verdict = Self.rules.use(
                facts, for: RequestSample("GET", "/", ["Cache-Control: \(request)"]).verdict(.liberal),
                now: UseTests.later(10_000))
            #expect(Self.letters(verdict) == outcome)
        }
    }

    /// A value that does not fit becomes shorter, never longer.
    @Test func windowsArePackedRoundedDown() {
        for (window, kept) in [(0, 0), (30, 30), (0xff_ffff, 0xff_ffff), (0x100_0000, 0xff_ffff)]
            as [(UInt32, UInt32)]
        {
            var facts = UseTests.facts(initialAge: 7, freshFor: 0xff_ffff_ffff, flags: .alwaysRevalidate)
            facts.staleWhileRevalidateSeconds = window
            facts.staleIfErrorSeconds = window ^ 1
            let unpacked = EntryFacts(unpacking: facts.pack())
            #expect(unpacked.staleWhileRevalidateSeconds == kept)
            #expect(unpacked.staleIfErrorSeconds == min(window ^ 1, 0xff_ffff))
            #expect(unpacked.freshForMilliseconds == 0xff_ffff_ffff)
            #expect(unpacked.fingerprint == facts.fingerprint && unpacked.flags == facts.flags)
        }
        let long = EntryFacts(unpacking: UseTests.facts(freshFor: 1 << 41).pack())
        #expect(long.freshForMilliseconds == 0xff_ffff_ffff && long.staleWhileRevalidateSeconds == 0)
    }

    /// An entry fresh for a minute, with a window of 30 s and one of 300 s.
    static func entry(_ flags: EntryFacts.Flags = [], status: UInt16 = 200) -> EntryFacts {
        var facts = EntryFacts(
            received: Decision.now, initialAgeMilliseconds: 0, freshForMilliseconds: 60_000, status: status,
            coding: .identity, flags: flags, fingerprint: rules.fingerprint)
        facts.staleWhileRevalidateSeconds = 30
        facts.staleIfErrorSeconds = 300
        return facts
    }

    struct Row: Sendable, CustomTestStringConvertible {
        var seconds: Int64
        var request: String?
        var flags: EntryFacts.Flags = []
        var isOutdated = false
        /// `fresh`, or the allowed uses: r(evalidating), e(rror), c(lient).
        var outcome: String
        var testDescription: String { "\(seconds) s, \(request ?? "plain"), \(flags), \(isOutdated)" }
    }

    static let rows: [Row] = [
        Row(seconds: 59, outcome: "fresh"), Row(seconds: 60, outcome: "re"), Row(seconds: 89, outcome: "re"),
        Row(seconds: 90, outcome: "e"), Row(seconds: 359, outcome: "e"), Row(seconds: 360, outcome: ""),
        Row(seconds: 60, flags: .mustRevalidate, outcome: ""),
        Row(seconds: 1, flags: [.alwaysRevalidate, .mustRevalidate], outcome: ""),
        // Directives of the client.
        Row(seconds: 400, request: "max-stale", outcome: "c"),
        Row(seconds: 400, request: "max-stale=340", outcome: "c"),
        Row(seconds: 400, request: "max-stale=339", outcome: ""),
        Row(seconds: 400, request: "max-stale=x", outcome: ""),
        Row(seconds: 400, request: "max-stale", flags: .mustRevalidate, outcome: ""),
        Row(seconds: 70, request: "max-stale, max-age=70", outcome: "ec"),
        Row(seconds: 70, request: "max-stale, max-age=69", outcome: "e"),
        Row(seconds: 70, request: "max-stale, min-fresh=1", outcome: "e"),
        Row(seconds: 70, request: "max-stale, no-cache", outcome: ""),
        Row(seconds: 70, request: "max-age=100", outcome: "e"),
        Row(seconds: 70, request: "no-cache", outcome: ""),
        // Refreshes of fresh entries.
        Row(seconds: 5, request: "max-age=0", outcome: "e"),
        Row(seconds: 5, request: "no-cache", outcome: ""),
        Row(seconds: 5, request: "max-age=0", flags: .immutable, outcome: "fresh"),
        Row(seconds: 5, request: "no-cache", flags: .immutable, outcome: ""),
        Row(seconds: 70, request: "max-age=0", flags: .immutable, outcome: "e"),
        // Purged softly: as if it had just expired.
        Row(seconds: 0, isOutdated: true, outcome: "re"), Row(seconds: 59, isOutdated: true, outcome: "re"),
        Row(seconds: 89, isOutdated: true, outcome: "re"), Row(seconds: 90, isOutdated: true, outcome: "e"),
        Row(seconds: 1, request: "max-stale", isOutdated: true, outcome: "re"),
        Row(seconds: 1, flags: .mustRevalidate, isOutdated: true, outcome: ""),
    ]

    static func letters(_ verdict: UseVerdict) -> String {
        switch verdict {
        case .fresh: "fresh"
        case .refused: "refused"
        case .stale(let use), .refresh(_, let use):
            (use.mayWhileRevalidating ? "r" : "") + (use.mayIfError ? "e" : "") + (use.mayByClient ? "c" : "")
        }
    }

    @Test(arguments: rows)
    func aStaleEntryHasItsUses(row: Row) {
        let request = RequestSample("GET", "/", row.request.map { ["Cache-Control: \($0)"] } ?? [])
        let verdict = Self.rules.use(
            Self.entry(row.flags), for: request.verdict(.liberal), now: UseTests.later(row.seconds * 1000),
            isOutdated: row.isOutdated)
        #expect(Self.letters(verdict) == row.outcome)
    }

    @Test func aPolicyMayForbidStaleUses() {
        let request = RequestSample("GET", "/", ["Cache-Control: max-stale"])
        for (change, expected) in [
            ({ $0.serve.stale = .originDirected }, "re"), ({ $0.serve.stale = .never }, ""),
            ({ $0.serve.clientRefresh = .ignore }, "re"),
            // Stored under other rules.
            ({ $0.store.minAgeSeconds = 2 }, ""),
        ] as [((inout Policy) -> Void, String)] {
            let policy = Policy.liberal.with(change)
            let verdict = Rules(policy: policy, upstream: "origin").use(
                Self.entry(), for: request.verdict(policy), now: UseTests.later(70_000))
            #expect(Self.letters(verdict) == expected)
        }
    }

    @Test func anEntryKnowsItsValidators() {
        func has(_ flags: EntryFacts.Flags, status: UInt16 = 200) -> Bool {
            Self.entry(flags, status: status).hasValidator
        }
        #expect(has(.hasEntityTag) && has(.hasLastModified) && !has(.mustRevalidate))
        // A 304 would mean that the origin has a 200.
        #expect(!has(.hasEntityTag, status: 404) && !has(.hasEntityTag, status: 301))
        let request = RequestSample().verdict()
        let entry = Self.entry(.hasEntityTag)
        #expect(
            Self.rules.use(entry, for: request, now: UseTests.later(1_000_000))
                == .stale(StaleUse(ageSeconds: 1000, staleSeconds: 940, hasValidator: true)))
    }

    @Test func anEntryIsKeptForItsLongestUse() {
        #expect(Self.entry().keptSeconds == 360)
        #expect(Self.entry(.hasEntityTag).keptSeconds == 3660)
        #expect(Self.entry().isWorthWaitingFor && !Self.entry(.alwaysRevalidate).isWorthWaitingFor)
        #expect(!UseTests.facts(freshFor: 0).isWorthWaitingFor)
    }
}
