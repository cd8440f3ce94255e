/// `larder reasons`, and that what the page advises is what a policy takes.

import Foundation
import Testing

@Suite struct ReasonsCommandTests {
    @Test func oneReasonOrAll() throws {
        let one = try CommandTests.run(["reasons", "no-freshness"])
        #expect(one.status == 0 && one.output.hasPrefix("**Means:** ") && one.output.contains("max-age=60"))
        let all = try CommandTests.run(["reasons"])
        let lines = all.output.split(separator: "\n")
        #expect(all.status == 0 && lines.count > 25)
        #expect(lines.contains { $0.hasPrefix("set-cookie          ") })
        let none = try CommandTests.run(["reasons", "no-freshnes"])
        #expect(none.status == 2 && none.output.isEmpty)
        #expect(none.errors.contains("There is no reason 'no-freshnes'; the reasons are method, "))
    }

    /// Every line of a policy that the page names is one that a policy takes.
    @Test func whatThePageAdvisesIsTaken() throws {
        let page = try String(
            contentsOf: URL(filePath: #filePath).deletingLastPathComponent()
                .appending(path: "../../docs/reasons.md").standardized, encoding: .utf8)
        let advice = page.matches(of: /`(store|serve)\.(\w+): ([^`]+)`/)
        #expect(advice.count >= 9)
        for line in advice {
            let policy = "extends: pessimistic\n\(line.1): { \(line.2): \(line.3) }\n"
            let outcome = try CommandTests.run(
                ["check", "--policy", "mine"],
                files: ["larder.yaml": CommandTests.good, "cache-policies/mine.yaml": policy])
            #expect(outcome.status == 0, "\(policy)\(outcome.errors)")
        }
    }
}
