/// `explain` and serving must reach the same decision. Checked for every row of the shipped policies'
/// decision tables, and for exchanges from a seeded generator.
import Bytes
import Configuration
import HTTP
import Settings
import SeededRandom
import Testing

@testable import Caching

/// Draws of random exchanges.
extension SeededRandom {
    /// Some of `lines`, rarely: most exchanges should be plain, so that single rules decide.
    mutating func some(of lines: [String], chance: Int) -> [String] {
        var picked: [String] = []
        for line in lines where picks(chance) { picked.append(line) }
        return picked
    }
}

/// The verdicts of many exchanges. They show whether a check ever saw a refusal.
private struct Tally {
    var refused: Set<Rule> = []
    var satisfied: Set<Rule> = []
    var stored = 0
    var bypassed = 0

    mutating func note(_ findings: [Finding]) {
        for finding in findings {
            if finding.reason != nil { refused.insert(finding.rule) }
            if finding.verdict == .satisfied { satisfied.insert(finding.rule) }
        }
    }
}

struct ExplanationTests {
    private static let requestRules = Rule.allCases.filter { $0.rawValue < Rule.key.rawValue }
    private static let answerRules = Rule.allCases.filter {
        $0.rawValue >= Rule.request.rawValue && $0.rawValue <= Rule.remaining.rawValue
    }

    /// Compares the two walks.
    private func check(
        _ requestText: borrowing ByteBuffer, _ responseText: borrowing ByteBuffer, _ rules: Rules,
        delaySeconds: Int, certificate: Bool, _ tally: inout Tally, _ name: String
    ) throws {
        var request = RequestHead()
        var scan = HeadScan()
        let bytes = requestText.span
        guard case .complete = request.parse(bytes, limits: DecisionText.limits, scan: &scan) else { return }
        let served = rules.judge(request, bytes, clientCertificate: certificate)
        let explained = rules.explain(request, bytes, clientCertificate: certificate)
        tally.note(explained.findings)
        let asked = explained.findings.map(\.rule)
        #expect(Set(asked) == Set(Self.requestRules) && asked.count == Set(asked).count, "\(name)")
        let refusals = explained.findings.compactMap(\.reason)
        #expect(served.mayLookup == refusals.isEmpty, "\(name): \(refusals)")
        if served.mayLookup {
            #expect(served.flags == explained.verdict.flags, "\(name)")
            #expect(served.codings == explained.verdict.codings, "\(name)")
            #expect(served.maxAgeSeconds == explained.verdict.maxAgeSeconds, "\(name)")
            #expect(served.minFreshSeconds == explained.verdict.minFreshSeconds, "\(name)")
        } else {
            tally.bypassed += 1
            #expect(served.reason == refusals.first, "\(name)")
            #expect(served.flags.isSubset(of: explained.verdict.flags), "\(name)")
        }
        #expect(served.mayStore == explained.verdict.mayStore, "\(name)")

        var response = ResponseHead()
        let answer = responseText.span
        let result = response.parse(
            answer, limits: DecisionText.limits, scan: &scan, requestMethod: request.method)
        guard case .complete = result else { return }
        let sent = Decision.now
        var received = sent
        received.wallMilliseconds += UInt64(delaySeconds) * 1000
        received.bootMilliseconds += UInt64(delaySeconds) * 1000
        let verdict = rules.judge(response, answer, to: served, sent: sent, received: received)
        let why = rules.explain(response, answer, to: explained.verdict, sent: sent, received: received)
        tally.note(why.findings)
        #expect(why.findings.map(\.rule) == Self.answerRules, "\(name)")
        let reasons = why.findings.compactMap(\.reason)
        switch verdict {
        case .store(let facts):
            tally.stored += 1
            #expect(reasons.isEmpty && why.facts == facts, "\(name): \(reasons)")
            #expect(max(0, why.timing.remaining ?? 0) == Int64(facts.freshForMilliseconds), "\(name)")
            #expect(why.timing.initialAge == Int64(facts.initialAgeMilliseconds), "\(name)")
        case .refuse(let reason):
            #expect(reasons.first == reason && why.facts == nil, "\(name): \(reason), \(reasons)")
        }
    }

    @Test func everyRowOfEveryTableIsExplained() throws {
        var tally = Tally()
        var rows = 0
        for row in DecisionTableTests.rows {
            let rules = Rules(policy: row.policy, upstream: "origin")
            for request in [row.decision.request, row.decision.then?.request].compactMap({ $0 }) {
                rows += 1
                let text = try DecisionText(request)
                let answer = DecisionText.head(of: row.decision.response)
                try check(
                    text.head, answer, rules, delaySeconds: row.decision.response.delaySeconds,
                    certificate: false, &tally, row.testDescription)
            }
        }
        #expect(rows >= 20 && tally.stored > 0 && tally.bypassed > 0)
    }

    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func generatedExchangesAreExplained(seed: UInt64) throws {
        var generator = SeededRandom(seed: seed)
        var tally = Tally()
        for number in 0..<4_000 {
            let rules = Rules(policy: Self.policy(&generator), upstream: "origin")
            let request = Self.request(&generator)
            let response = Self.response(&generator)
            var requestText = ByteBuffer(capacity: 1024)
            requestText.append(text: request)
            var responseText = ByteBuffer(capacity: 1024)
            responseText.append(text: response)
            try check(
                requestText, responseText, rules, delaySeconds: generator.picks(10) ? 70 : 0,
                certificate: generator.picks(3), &tally, "seed \(seed), \(number):\n\(request)\n\(response)")
        }
        // Each rule must have decided both ways, or the check proves nothing about it. (Requests for a
        // fresher answer and for a range are decided at use.)
        let all = Set(Self.requestRules + Self.answerRules)
        #expect(all.subtracting(tally.refused) == [.clientRefresh, .requestRange], "seed \(seed)")
        #expect(all.subtracting(tally.satisfied) == [], "seed \(seed)")
        #expect(tally.stored > 100 && tally.bypassed > 100, "seed \(seed)")
    }

    private static func policy(_ generator: inout SeededRandom) -> Policy {
        var policy = Policy(name: "generated")
        policy.store.reading = generator.picks(30) ? .rfc : .strict
        policy.store.cookies = generator.picks(30) ? .strip : generator.picks(30) ? .never : .publicOnly
        policy.store.authorization = generator.picks(50) ? .explicit : .never
        policy.store.noCache = generator.picks(30) ? .revalidate : .refuse
        policy.store.heuristicPercent = generator.picks(30) ? 10 : 0
        if generator.picks(30) { policy.store.vary = .any }
        if generator.picks(20) { policy.store.statuses = .any }
        if generator.picks(20) { policy.store.minAgeSeconds = 30 }
        if generator.picks(20) { policy.serve.clientRefresh = .ignore }
        return policy
    }

    private static func request(_ generator: inout SeededRandom) -> String {
        let method =
            generator.picks(80) ? "GET" : ["HEAD", "POST", "PURGE"].randomElement(using: &generator)!
        let target =
            generator.picks(85) ? "/a?b" : ["/a;b", "/%2e%2e/x", "/a%2fb"].randomElement(using: &generator)!
        var lines = ["\(method) \(target) HTTP/1.1", "Host: example.com"]
        lines += generator.some(
            of: [
                "Cookie: id=1", "Authorization: Basic eA==", "Range: bytes=0-1", "If-Match: \"a\"",
                "If-Range: \"a\"", "If-None-Match: \"a\"", "X-Original-URL: /admin", "Connection: x-mine",
                "Cache-Control: no-store", "Cache-Control: no-cache", "Cache-Control: max-age=5",
                "Cache-Control: min-fresh=x", "Pragma: no-cache", "Accept-Encoding: gzip, br;q=0.5",
                "Accept-Encoding: identity;q=0, *;q=0",
            ], chance: 5)
        if generator.picks(5) { lines.append("Content-Length: 5") }
        if generator.picks(5) { lines += ["Connection: upgrade", "Upgrade: websocket"] }
        return lines.joined(separator: "\r\n") + "\r\n\r\n"
    }

    private static func response(_ generator: inout SeededRandom) -> String {
        let status =
            generator.picks(85) ? 200 : [404, 206, 500, 204, 304, 299].randomElement(using: &generator)!
        var lines = ["HTTP/1.1 \(status) Status"]
        if generator.picks(75) { lines.append("Cache-Control: max-age=60") }
        lines += generator.some(
            of: [
                "Set-Cookie: id=1", "Cache-Control: no-store", "Cache-Control: private=\"x\"",
                "Cache-Control: no-cache", "Cache-Control: public", "Cache-Control: s-maxage=5",
                "Cache-Control: must-understand", "Cache-Control: stale-if-error=9",
                "Cache-Control: max-age=x", "Cache-Control: \"", "CDN-Cache-Control: max-age=20",
                "Larder-Cache-Control: no-store", "Pragma: no-cache", "Vary: *", "Vary: Accept-Encoding",
                "Vary: Cookie", "Content-Encoding: gzip", "Content-Encoding: aes",
                "Content-Range: bytes 0-1/9",
                "Trailer: X", "Connection: x-mine", "Age: 30", "Age: x", "Age: 100000",
                "Expires: Thu, 01 Jan 2026 00:01:00 GMT", "Expires: 0",
                "Last-Modified: Thu, 01 Jan 2015 00:00:00 GMT", "ETag: \"a\"",
            ], chance: 4)
        lines += generator.some(
            of: [
                "Date: Thu, 01 Jan 2026 00:00:00 GMT", "Date: Wed, 31 Dec 2025 23:59:30 GMT", "Date: today",
                "Date: Mon, 01 Jan 2024 00:00:00 GMT",
            ], chance: 10)
        switch generator.next() % 10 {
        case 0: lines.append("Transfer-Encoding: chunked")
        case 1: break
        case 2: lines.append("Content-Length: 1000000")
        default: lines.append("Content-Length: 5")
        }
        return lines.joined(separator: "\r\n") + "\r\n\r\n"
    }

    /// A rule that refuses does not hide the findings of other rules about the same message.
    @Test func everyRefusalIsTold() throws {
        var generator = PolicyDecision(name: "")
        generator.request.headers = ["Cookie: a=b"]
        generator.response.headers = [
            "Cache-Control: private, max-age=0", "Set-Cookie: a=b", "Vary: *", "Content-Encoding: aes",
        ]
        let rules = Rules(policy: Policy(name: "test"), upstream: "origin")
        let text = try DecisionText(generator.request)
        let answer = DecisionText.head(of: generator.response)
        var request = RequestHead()
        var response = ResponseHead()
        try text.parse(into: &request, "request")
        var scan = HeadScan()
        _ = response.parse(answer.span, limits: DecisionText.limits, scan: &scan, requestMethod: .get)
        let verdict = rules.explain(request, text.head.span).verdict
        let why = rules.explain(
            response, answer.span, to: verdict, sent: Decision.now, received: Decision.now)
        #expect(
            why.findings.compactMap(\.reason)
                == [.setCookie, .private, .cookie, .vary, .encoding, .expired])
        let cookie = why.findings.first { $0.rule == .setCookie }
        #expect(cookie?.value == "Set-Cookie: a=b")
        #expect(why.timing.lifetime == 0 && why.timing.source == .maxAge)
    }

    @Test func everyRuleHasItsOwnName() {
        #expect(Set(Rule.allCases.map(\.id)).count == Rule.allCases.count)
        for rule in Rule.allCases {
            #expect(!rule.demand.isEmpty && rule.demand.count <= 40, "\(rule.id)")
            #expect(rule.section == "policy" || rule.section.contains("§"), "\(rule.id)")
        }
    }
}
