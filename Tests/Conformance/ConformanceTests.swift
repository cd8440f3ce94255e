// HTTP caching by RFC 9111 and related RFCs, over real sockets. Each case of the table runs under two
// policies: the strictest, which keeps only plainly cacheable responses, and the one that uses all that the
// RFC permits.
//
//     Case, Expectation    a case: requests, responses, expected outcomes
//     Row                  cases that differ only in one response and its lifetime
//     Cases                the table, a file for each area
//     Run, Script          the client and the origin; Judgement compares

import Configuration
import Settings
import Testing

struct ConformanceTests {
    static let cases = Case.all

    private static func policy(_ law: Law) throws -> Policy {
        let root = String(#filePath).prefix { _ in true }.split(separator: "/Tests/Conformance/")[0]
        let policies = try ConfigurationFile.policies(
            inFolder: "\(root)/cache-policies", shownFolder: "cache-policies", files: .disk)
        return try #require(policies.map(\.policy).first { $0.name == law.rawValue })
    }

    @Test(arguments: Law.allCases)
    func conforms(_ law: Law) throws {
        let failures = try Run.all(Self.cases, under: law, policy: Self.policy(law))
        for failure in failures { Issue.record("\(failure)") }
    }

    @Test func theTableIsWide() { #expect(Self.cases.count >= 300) }

    @Test func everyCaseHasANameOfItsOwn() {
        let names = Dictionary(grouping: Self.cases, by: \.name).filter { $0.value.count > 1 }
        #expect(names.keys.sorted() == [])
    }

    @Test func everyCaseNamesItsSection() {
        let section = /RFC \d{4}( §\d+(\.\d+)*)?|caching-rules/
        #expect(Self.cases.filter { $0.section.wholeMatch(of: section) == nil }.map(\.name) == [])
    }

    /// A case with a wrong expectation fails, whichever part of it is wrong.
    @Test(arguments: [
        Expectation.miss, .hit.age(2), .hit.status(203), .hit.lacks("ETag"), .hit.has("ETag: \"b\""),
        .hit.member("ttl=1"), .hit.lacking("ttl"), .hit.body("another"), .notModified, .hit.announces(103),
        Expectation(.asked, .kept),
    ])
    func aWrongExpectationFails(_ wrong: Expectation) throws {
        let first = get().answered("Cache-Control: max-age=60", "ETag: \"a\"")
        let right = Case("right", "RFC 9111 §4", first, get().after(1).expect(.hit.age(1)))
        let odd = Case("wrong", "RFC 9111 §4", first, get().after(1).expect(wrong))
        let policy = try Self.policy(.pessimistic)
        let failures = try Run.all([right, odd], under: .pessimistic, policy: policy)
        #expect(failures.map(\.name) == ["wrong"])
        #expect(failures.first?.step == 2)
    }
}
