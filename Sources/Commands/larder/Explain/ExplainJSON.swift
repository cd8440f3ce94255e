/// The report of `larder explain --json`, for scripts. The keys never change. A key without a value is left
/// out.

internal import Caching
internal import Configuration
internal import Settings

extension ExplainReport {
    var document: Document {
        var entries = [Document.Entry("request", .text(title)), Document.Entry("time", .text(time))]
        if let route { entries.append(.init("route", route.document)) }
        if !requestFindings.isEmpty {
            entries.append(.init("requestRules", .list(requestFindings.map(\.document))))
        }
        if let key { entries.append(.init("key", key.document)) }
        if let balance { entries.append(.init("balance", .text(balance.rawValue))) }
        if !servers.isEmpty { entries.append(.init("servers", .list(servers.map(\.document)))) }
        if !sent.isEmpty { entries.append(.init("sent", .list(sent.map { .text($0) }))) }
        if let response { entries.append(.init("answer", response.document)) }
        if let failure {
            var failed: [Document.Entry] = [.init("message", .text(failure.description))]
            if let status = failure.status { failed.append(.init("status", .number(status))) }
            entries.append(.init("failure", .map(failed)))
        }
        entries.append(.init("stored", .flag(response?.isStored ?? false)))
        entries.append(.init("outcome", .text(outcome)))
        if let cacheStatus { entries.append(.init("cacheStatus", .text(cacheStatus))) }
        if let nextCacheStatus { entries.append(.init("nextCacheStatus", .text(nextCacheStatus))) }
        return .map(entries)
    }
}

extension ExplainReport.Route {
    fileprivate var document: Document {
        var entries = [Document.Entry("name", .text(name))]
        if let policy { entries.append(.init("policy", .text(policy))) }
        return .map(entries + [.init("upstream", .text(upstream))])
    }
}

extension ExplainReport.Key {
    fileprivate var document: Document {
        var entries: [Document.Entry] = [
            .init("upstream", .text(upstream)), .init("scheme", .text(scheme)), .init("host", .text(host)),
            .init("path", .text(path)),
        ]
        if let query { entries.append(.init("query", .text(query))) }
        return .map(entries + [.init("hash", .text(hash))])
    }
}

extension ExplainReport.Server {
    fileprivate var document: Document {
        var entries: [Document.Entry] = [.init("name", .text(name)), .init("address", .text(address))]
        if let failure { entries.append(.init("failure", .text(failure))) }
        return .map(entries)
    }
}

extension ExplainReport.Response {
    fileprivate var document: Document {
        var entries = [
            Document.Entry("status", .text(statusLine)), .init("pasted", .flag(milliseconds == nil)),
        ]
        if let milliseconds { entries.append(.init("milliseconds", .number(Int(clamping: milliseconds)))) }
        if let bodyNote { entries.append(.init("body", .text(bodyNote))) }
        guard !findings.isEmpty else { return .map(entries) }
        entries.append(.init("rules", .list(findings.map(\.document))))
        var freshness = timing.lines.compactMap { line in
            line.milliseconds.map { Document.Entry(line.name, .number(Int($0))) }
        }
        if timing.lifetime != nil {
            freshness.append(.init("lifetime_from", .text(timing.sourceName)))
        }
        // All values are milliseconds; a date is milliseconds since 1970.
        entries.append(.init("freshness", .map(freshness)))
        return .map(entries)
    }
}

extension Finding {
    fileprivate var document: Document {
        var entries: [Document.Entry] = [
            .init("rule", .text(rule.id)), .init("verdict", .text(verdict.word)),
            .init("demand", .text(rule.demand)), .init("section", .text(rule.section)),
        ]
        if let code { entries.append(.init("reason", .text(code))) }
        if let value { entries.append(.init("value", .text(value))) }
        return .map(entries)
    }
}
