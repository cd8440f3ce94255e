/// The report of `larder explain` for people. Texts from messages have their control bytes escaped, and long
/// texts are cut.

internal import Caching
internal import Settings

extension ExplainReport {
    func text(inColour: Bool) -> String {
        var page = ExplainPage(inColour: inColour)
        page.title(title, note: time)
        writeRequest(to: &page)
        writeKey(to: &page)
        writeResponse(to: &page)
        page.section("Outcome")
        page.line(outcome)
        if let failure { page.line("because: \(failure.description)") }
        if let cacheStatus { page.line(cacheStatus) }
        if let nextCacheStatus { page.line(nextCacheStatus, note: "the next answer") }
        if !codes.isEmpty {
            page.line("what to do: " + codes.map { "larder reasons \($0)" }.joined(separator: ", "))
        }
        return page.text
    }

    /// The reasons of all refusals, each once.
    private var codes: [String] {
        var codes: [String] = []
        for finding in requestFindings + (response?.findings ?? []) {
            if let code = finding.code, !codes.contains(code) { codes.append(code) }
        }
        return codes
    }

    private func writeRequest(to page: inout ExplainPage) {
        guard let route else { return }
        page.section("Request: may the store answer it?")
        page.pair("route", route.name)
        page.pair("policy", route.policy ?? "none")
        for finding in requestFindings { page.finding(finding) }
    }

    private func writeKey(to page: inout ExplainPage) {
        guard route != nil else { return }
        page.section("Key")
        if let key {
            page.pair("upstream", key.upstream)
            page.pair("scheme", key.scheme)
            page.pair("host", key.host)
            page.pair("path", key.path)
            page.pair("query", key.query ?? "none")
            page.pair("hash", key.hash)
        } else {
            page.line("none")
        }
        page.section("Server" + (balance.map { " (\(Self.heading($0)))" } ?? ""))
        for (index, server) in servers.enumerated() {
            let address = server.address == server.name ? "" : " \(server.address)"
            page.pair(String(index + 1), server.name + address, note: server.failure)
        }
        guard !sent.isEmpty else { return }
        page.section("Sent")
        for line in sent { page.line(line) }
    }

    /// The balance. The heading says so if the order of the servers has no meaning.
    private static func heading(_ balance: Upstream.Balance) -> String {
        switch balance {
        case .urlHash: balance.rawValue
        case .roundRobin: "\(balance.rawValue): any server, in turn"
        case .leastRequests: "\(balance.rawValue): any server, by load"
        }
    }

    private func writeResponse(to page: inout ExplainPage) {
        guard let response else { return }
        page.section("Response: may it be stored?")
        page.pair(
            "status", response.statusLine,
            note: response.milliseconds.map { "after \($0) ms" } ?? "pasted")
        if let note = response.bodyNote { page.pair("body", note) }
        for finding in response.findings { page.finding(finding) }
        guard !response.findings.isEmpty else { return }
        page.section("Freshness (RFC 9111 §4.2)")
        for line in response.timing.lines {
            page.pair(line.name, line.text, note: line.note, width: 22)
        }
    }
}

extension Timing {
    struct Line {
        var name: String
        /// nil: the line has no number.
        var milliseconds: Int64?
        var text: String
        var note: String
    }

    /// The computation step by step, with the names of RFC 9111 §4.2.3.
    var lines: [Line] {
        func line(_ name: String, _ milliseconds: Int64, _ note: String) -> Line {
            Line(name: name, milliseconds: milliseconds, text: Timing.seconds(milliseconds), note: note)
        }
        func moment(_ name: String, _ milliseconds: Int64, _ note: String) -> Line {
            Line(name: name, milliseconds: milliseconds, text: ExplainPage.date(milliseconds), note: note)
        }
        var lines = [
            moment("now", received, "the time when the head was complete"),
            moment("date_value", date, hasDate ? "Date" : "no valid Date: the time of receipt"),
            line("apparent_age", apparentAge, "max(0, now − (date_value + 999 ms))"),
            line("age_value", ageValue, "Age"),
            line("response_delay", responseDelay, "from the request to the head"),
            line("corrected_age_value", correctedAgeValue, "age_value + response_delay"),
            line("corrected_initial_age", initialAge, "max(apparent_age, corrected_age_value)"),
        ]
        if let lifetime {
            lines.append(line("freshness_lifetime", lifetime, sourceName))
        } else {
            let note = source == .none ? "the response states none" : "unreadable: \(sourceName)"
            lines.append(Line(name: "freshness_lifetime", text: "none", note: note))
        }
        lines.append(line("cap", cap, "maxAge of the policy; at most 10 s from status 400 on"))
        if let remaining {
            lines.append(line("remaining", remaining, "min(lifetime − corrected_initial_age, cap)"))
        } else {
            lines.append(Line(name: "remaining", text: "none", note: "cannot be computed"))
        }
        lines.append(line("minimum", minimum, "minAge of the policy"))
        if staleWhileRevalidate > 0 {
            lines.append(line("stale-while-revalidate", staleWhileRevalidate, "after remaining"))
        }
        if staleIfError > 0 { lines.append(line("stale-if-error", staleIfError, "after remaining")) }
        return lines
    }
}
