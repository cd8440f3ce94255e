/// The decision tables of the shipped policies, read as a user's are and run through the rules that serve
/// traffic.
import Caching
import Configuration
import Settings
import Testing

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
        #expect(loaded.contains { $0.policy.name == "pessimistic" })
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

    /// What is built in for those who have no policy folder is what the file says.
    @Test func theBuiltInPolicyIsTheShippedOne() throws {
        let loaded = try Self.policies.get()
        let shipped = try #require(loaded.first { $0.policy.name == "pessimistic" }).policy
        let none = try ConfigurationFile.policies(
            inFolder: "/nowhere", shownFolder: "none", files: .memory([:]))
        let builtIn = try #require(none.first { $0.policy.name == "pessimistic" }).policy
        #expect(shipped.store == builtIn.store)
        #expect(shipped.serve == builtIn.serve)
        #expect(shipped.query == builtIn.query)
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
