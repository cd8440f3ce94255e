/// The decision tables of the shipped policies, read as a user's are and run through the rules that serve
/// traffic.
import Caching
import Foundation
import Settings
import Testing

@testable import Configuration

struct DecisionTableTests {
    static let folder = String(#filePath).components(before: "/Tests/PolicyTests/") + "/cache-policies"

    struct Row: CustomTestStringConvertible, Sendable {
        let policy: Policy
        let decision: PolicyDecision
        var testDescription: String { "\(policy.name): \(decision.name)" }
    }

    static let policies: Result<[LoadedPolicy], ConfigurationError> = Result {
        () throws(ConfigurationError) in
        try ConfigurationFile.policies(inFolder: folder, shownFolder: "cache-policies", files: .disk)
    }

    static let rows: [Row] = ((try? policies.get()) ?? []).flatMap { loaded in
        loaded.decisions.map { Row(policy: loaded.policy, decision: $0) }
    }

    @Test func everyShippedPolicyHasATable() throws {
        let loaded = try Self.policies.get()
        #expect(
            loaded.map(\.policy.name) == [
                "microcache", "pessimistic", "rfc9111", "static-assets", "varnish-offload",
            ])
        for policy in loaded { #expect(policy.decisions.count >= 20, "\(policy.policy.name)") }
    }

    @Test(arguments: rows)
    func decides(_ row: Row) throws {
        let outcome = try Decision.evaluate(row.decision, policy: row.policy)
        #expect(row.decision.differences(from: outcome) == [])
    }

    @Test func everyReasonIsInTheDefaultTable() {
        let decisions = Self.rows.filter { $0.policy.name == "pessimistic" }.map(\.decision)
        var seen = Set(decisions.compactMap { $0.expect?.reason })
        seen.formUnion(decisions.compactMap { $0.then?.expect.reason })
        // No row can show these: a certificate is TLS's to verify, the others are the store's verdicts.
        seen.formUnion(["client-certificate", "invalidated", "pressure"])
        #expect(seen == Set(Reason.allCases.map { String(describing: $0.code) }))
    }

    /// As serving: gzip is undone for who does not take it, but not in pieces of one date.
    @Test func whatComesAsGzipIsForAll() throws {
        var row = PolicyDecision(name: "")
        row.response.headers = [
            "Cache-Control: max-age=60", "Content-Encoding: gzip",
            "Last-Modified: Sat, 01 Jan 2000 00:00:00 GMT",
        ]
        row.request.headers = ["Accept-Encoding: gzip"]
        var then = PolicyDecision.FollowUp()
        for (fields, served) in [
            ([], PolicyDecision.Served.hit), (["Accept-Encoding: gzip"], .hit),
            (["Accept-Encoding: identity"], .hit),
            (["Accept-Encoding: br, identity;q=0"], .miss),
            (["Range: bytes=0-4", "If-Range: Sat, 01 Jan 2000 00:00:00 GMT", "Accept-Encoding: br"], .hit),
        ] {
            then.request.headers = fields
            row.then = then
            #expect(try Decision.evaluate(row, policy: Policy(name: "test")).then?.served == served)
        }
        row.response.headers.append("Cache-Control: no-transform")
        row.then?.request.headers = ["Accept-Encoding: identity"]
        #expect(try Decision.evaluate(row, policy: Policy(name: "test")).then?.served == .miss)
    }

    /// Without an answer in the store none is fetched, whatever else is wrong with the request.
    @Test func onlyIfCachedFetchesNothing() throws {
        var row = PolicyDecision(name: "")
        row.response.headers = ["Cache-Control: max-age=60"]
        row.request.headers = ["Cache-Control: only-if-cached"]
        #expect(
            try Decision.evaluate(row, policy: Policy(name: "test"))
                == PolicyDecision.Outcome(stored: false, reason: "client-refresh"))
        var then = PolicyDecision.FollowUp()
        for request in [
            "http://example.com/other", "http://example.com/?" + String(repeating: "x", count: 2048),
        ] {
            then.request.url = request
            then.request.headers = row.request.headers
            row.then = then
            #expect(
                try Decision.evaluate(row, policy: Policy(name: "test")).then
                    == PolicyDecision.Answer(.gatewayTimeout))
        }
    }

    /// The head counts as it is stored: with the Vary of what may be compressed.
    @Test(arguments: [
        ("image/png", 4094, true), ("image/png", 4096, true), ("image/png", 4097, false),
        ("text/css", 4073, true), ("text/css", 4074, false),
    ])
    func headsCountAsTheyAreStored(_ type: String, _ size: Int, _ isStored: Bool) throws {
        let lines =
            "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Type: \(type)\r\nX: \r\n"
            + "Date: Thu, 01 Jan 2026 00:00:00 GMT\r\nContent-Length: 1000\r\n"
        var row = PolicyDecision(name: "")
        row.response.bodyBytes = 1000
        row.response.headers = [
            "Cache-Control: max-age=60", "Content-Type: \(type)",
            "X: " + String(repeating: "x", count: size - lines.utf8.count),
        ]
        #expect(
            try Decision.evaluate(row, policy: Policy(name: "test"))
                == PolicyDecision.Outcome(stored: isStored, reason: isStored ? nil : "head-too-large"))
    }

    /// Where both the stored head and the Vary values are too large, the head is named, as the server names it
    /// in `Cache-Status` and in the log. (The table named Vary.)
    @Test func theHeadIsNamedBeforeVary() throws {
        var row = PolicyDecision(name: "")
        row.request.headers = ["X-A: " + String(repeating: "a", count: 1100)]
        row.response.headers = ["Cache-Control: max-age=60", "Vary: X-A"]
        var policy = Policy(name: "test")
        policy.store.vary = .any
        #expect(
            try Decision.evaluate(row, policy: policy) == PolicyDecision.Outcome(stored: false, reason: "vary"))
        row.response.headers.append("X: " + String(repeating: "x", count: 4096))
        #expect(
            try Decision.evaluate(row, policy: policy)
                == PolicyDecision.Outcome(stored: false, reason: "head-too-large"))
    }

    /// A table that expects the wrong thing is noticed.
    @Test func aWrongExpectationFails() throws {
        var wrong = try #require(Self.rows.first { $0.decision.expect?.stored == true })
        wrong = Row(policy: wrong.policy, decision: Self.contradicting(wrong.decision))
        let outcome = try Decision.evaluate(wrong.decision, policy: wrong.policy)
        #expect(wrong.decision.differences(from: outcome) != [])
    }

    private static func contradicting(_ decision: PolicyDecision) -> PolicyDecision {
        var decision = decision
        decision.expect = .init(stored: false, reason: "no-store")
        return decision
    }

    /// What differs from the default policy is what a table is there to show: with any of it set back to the
    /// default, some row fails. Left out is what a row cannot see (`maxHead`, `cacheStatus`).
    static let switches: [(name: String, reset: @Sendable (inout Policy) -> Void)] = {
        let standard = Policy(name: "standard")
        return [
            ("statuses", { $0.store.statuses = standard.store.statuses }),
            ("maxBody", { $0.store.maxBodyBytes = standard.store.maxBodyBytes }),
            ("maxAge", { $0.store.maxAgeSeconds = standard.store.maxAgeSeconds }),
            ("minAge", { $0.store.minAgeSeconds = standard.store.minAgeSeconds }),
            ("heuristic", { $0.store.heuristicPercent = standard.store.heuristicPercent }),
            ("noCache", { $0.store.noCache = standard.store.noCache }),
            ("reading", { $0.store.reading = standard.store.reading }),
            ("cookies", { $0.store.cookies = standard.store.cookies }),
            ("authorization", { $0.store.authorization = standard.store.authorization }),
            ("vary", { $0.store.vary = standard.store.vary }),
            ("query", { $0.query = standard.query }),
            ("clientRefresh", { $0.serve.clientRefresh = standard.serve.clientRefresh }),
            ("stale", { $0.serve.stale = standard.serve.stale }),
        ]
    }()

    @Test(arguments: ["static-assets", "varnish-offload", "microcache", "rfc9111"])
    func tablesShowWhatDiffers(name: String) throws {
        let loaded = try #require(try Self.policies.get().first { $0.policy.name == name })
        var differing = 0
        for (setting, reset) in Self.switches {
            var policy = loaded.policy
            reset(&policy)
            guard policy != loaded.policy else { continue }
            differing += 1
            var failed = 0
            for decision in loaded.decisions {
                let outcome = try Decision.evaluate(decision, policy: policy)
                if decision.differences(from: outcome) != [] { failed += 1 }
            }
            #expect(failed > 0, "no row shows \(setting)")
        }
        #expect(differing >= 4)
    }
}

/// The policies in the binary are the files of `cache-policies`.
struct ShippedPolicyTests {
    @Test func theTextsAreTheFiles() throws {
        let folder = DecisionTableTests.folder
        let files = try FileSource.disk.names(folder).get().filter { $0.hasSuffix(".yaml") }
        #expect(ShippedPolicies.names.map { "\($0).yaml" } == files)
        for name in ShippedPolicies.names {
            #expect(
                try String(contentsOfFile: "\(folder)/\(name).yaml", encoding: .utf8)
                    == ShippedPolicies.text(name), "\(name)")
        }
        #expect(ShippedPolicies.text("nonsense") == nil)
    }

    /// Without a folder, and as files: the same policies. They extend none: what they are, nobody's folder
    /// changes.
    @Test func theyReadWithoutFiles() throws {
        let files = try DecisionTableTests.policies.get()
        let shipped = try ConfigurationFile.policies(
            inFolder: "/nowhere", shownFolder: "none", files: .memory([:]))
        #expect(shipped.map(\.policy) == files.map(\.policy))
        #expect(shipped.map(\.decisions) == files.map(\.decisions))
        #expect(shipped.allSatisfy(\.isShipped) && !files.contains(where: \.isShipped))
        for name in ShippedPolicies.names {
            #expect(ShippedPolicies.text(name)?.contains("\nextends:") == false, "\(name)")
        }
    }

    /// The file spells out what the code has as defaults.
    @Test func pessimisticIsTheDefault() throws {
        var standard = Policy(name: "pessimistic")
        let policy = try #require(
            try DecisionTableTests.policies.get().first { $0.policy.name == standard.name })
        standard.description = policy.policy.description
        #expect(policy.policy == standard)
    }
}

extension String {
    /// What stands before the last `part`; all of it where there is none.
    fileprivate func components(before part: String) -> String {
        var end = endIndex
        for index in indices where self[index...].hasPrefix(part) { end = index }
        return String(self[..<end])
    }
}
