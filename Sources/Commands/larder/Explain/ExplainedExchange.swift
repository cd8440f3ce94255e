/// One exchange on its route. It writes the parts of the report in the order in which a worker does the
/// steps.

internal import Balancing
internal import Bytes
internal import Caching
internal import DataPlane
internal import HTTP
internal import Kernel
internal import Settings

struct ExplainedExchange {
    let settings: Settings
    let route: Route
    let upstream: Upstream
    let policy: Policy?
    let rules: Rules
    let scheme: Scheme

    init(_ settings: Settings, route index: Int, scheme: Scheme) {
        self.settings = settings
        self.scheme = scheme
        route = settings.routes[index]
        upstream = settings.upstreams[route.upstream]
        policy = route.policy.map { settings.policies[$0] }
        rules = Rules(policy: policy ?? Policy(name: "none"), upstream: upstream.name)
    }

    func explain(
        _ request: borrowing RequestHead, _ bytes: Span<UInt8>, _ pasted: PastedText?, _ explainer: Explainer,
        _ report: inout ExplainReport
    ) throws {
        report.route = .init(name: route.name, policy: policy?.name, upstream: upstream.name)
        // `verdict` is the one that serving uses; it stops at the first refusal. `explained` lists them all.
        var verdict = rules.judge(request, bytes)
        var explained = rules.explain(request, bytes)
        // A route without a policy applies no rules.
        if policy == nil { verdict.bypass(nil) } else { report.requestFindings = explained.findings }

        var key = ByteBuffer(capacity: 256)
        var routingStart = 0
        var targetStart = 0
        var routingHash: UInt64
        switch rules.writeKey(request, bytes, scheme: scheme, into: &key) {
        case .key(let routing, let target):
            (routingStart, targetStart) = (routing, target)
            routingHash = Rendezvous.hash(key.span.extracting(droppingFirst: routing))
            report.key = describe(key, routing, target, routingHash)
            note(.satisfied, bytes.slice(request.target).string, &report)
        case .refused(let reason):
            key.removeAll()
            routingHash = Rendezvous.hash(bytes.slice(request.path))
            note(.refused(reason), bytes.slice(request.target).string, &report)
            verdict.bypass(reason)
            explained.verdict.bypass(reason)
        }
        let choices = choices(of: routingHash)
        report.balance = upstream.balance
        report.servers = choices.map(describe)

        if verdict.flags.contains(.onlyIfCached) {
            report.outcome =
                "only-if-cached: Larder asks no server. It answers from the store, or with 504."
            return
        }
        var fetched: ExplainedResponse
        if let pasted {
            fetched = try ExplainedResponse(pasted, request.method, at: explainer.clock.start)
        } else {
            guard request.framing == .none || request.framing == .length(0) else {
                throw ExplainRefusal(
                    "this command cannot send a request with a body: paste the response with --response.")
            }
            var fetch = ExplainFetch(explainer, settings, upstream, choices, bodyLimit: rules.maxBodyBytes)
            let response = fetch.run(
                request, bytes, verdict, host: key.span.extracting(routingStart..<targetStart),
                target: key.span.extracting(droppingFirst: targetStart), scheme, rules, &report)
            guard let response else {
                report.outcome = outcome(report, verdict)
                return
            }
            fetched = response
        }
        judge(&fetched, request, bytes, explained.verdict, &report)
        report.outcome = outcome(report, verdict)
        appendStatus(verdict, key.span.extracting(droppingFirst: routingStart), &report)
    }

    private func note(_ verdict: Finding.Verdict, _ value: String, _ report: inout ExplainReport) {
        guard policy != nil else { return }
        report.requestFindings.append(Finding(.key, verdict, value: value))
    }

    private func describe(
        _ key: borrowing ByteBuffer, _ routingStart: Int, _ targetStart: Int, _ hash: UInt64
    ) -> ExplainReport.Key {
        let target = key.span.extracting(droppingFirst: targetStart)
        let mark = target.firstIndex(of: UInt8(ascii: "?"))
        var digits = String(hash, radix: 16)
        digits = String(repeating: "0", count: 16 - digits.count) + digits
        return ExplainReport.Key(
            upstream: upstream.name, scheme: "\(scheme)",
            host: key.span.extracting(routingStart..<targetStart).string,
            path: target.extracting(first: mark ?? target.count).string,
            query: mark.map { target.extracting(droppingFirst: $0 + 1).string }, hash: digits)
    }

    /// The servers in the order in which the hash of the key chooses them. If the balance does not use the
    /// key, the order is that of the file. nil stands for a `files` origin.
    private func choices(of hash: UInt64) -> [Upstream.Server?] {
        guard case .servers(let servers) = upstream.origin else { return [nil] }
        guard upstream.balance == .urlHash else { return servers.filter { $0.weight > 0 } }
        let balancer = Rendezvous(servers: servers.map { ($0.name, $0.weight) })
        var tried = ServerSet()
        var order: [Upstream.Server?] = []
        while let index = balancer.choose(hash, excluding: tried) {
            tried.insert(index)
            order.append(servers[index])
        }
        return order
    }

    private func describe(_ server: Upstream.Server?) -> ExplainReport.Server {
        if let server { return .init(name: server.name, address: server.address.description) }
        guard case .files(let files) = upstream.origin else { return .init(name: upstream.name, address: "") }
        return .init(name: upstream.name, address: "files: \(files.root)")
    }

    private func judge(
        _ fetched: inout ExplainedResponse, _ request: borrowing RequestHead, _ bytes: Span<UInt8>,
        _ verdict: RequestVerdict, _ report: inout ExplainReport
    ) {
        let head = fetched.bytes.span
        var verdict = verdict
        verdict.noteFile(bytes.slice(request.target))
        let explained = rules.explain(
            fetched.head, head, to: verdict, sent: fetched.sent, received: fetched.received)
        var findings: [Finding] = []
        var isStored = false
        if policy != nil {
            let storing = rules.explainStoring(
                fetched.head, head, request: request, bytes, facts: explained.facts, body: fetched.body,
                receivedSeconds: fetched.received.wallSeconds)
            isStored = explained.facts != nil && !storing.contains { $0.reason != nil }
            findings = explained.findings + storing
        }
        report.response = .init(
            statusLine: head.extracting(first: head.firstIndex(of: 13) ?? 0).string,
            bodyNote: fetched.bodyNote,
            milliseconds: fetched.isPasted ? nil : fetched.received.milliseconds(since: fetched.sent),
            findings: findings, timing: explained.timing, isStored: isStored,
            isWithoutBody: fetched.body == nil,
            isInOnePiece: fetched.isInOnePiece,
            freshSeconds: (explained.facts?.freshForMilliseconds ?? 0) / 1000,
            isAlwaysRevalidated: explained.facts?.isWorthWaitingFor == false)
    }

    private func outcome(_ report: ExplainReport, _ verdict: RequestVerdict) -> String {
        if let failure = report.failure {
            guard let status = failure.status else {
                return "No response within --timeout. Larder uses its own time-outs and would wait longer."
            }
            return "There is no valid response: Larder answers \(status)."
        }
        guard policy != nil, let response = report.response else {
            return "The route has no policy: Larder passes the request on and stores nothing."
        }
        if !verdict.mayLookup {
            let codes = Self.codes(of: report.requestFindings)
            return "Bypass (\(codes)): Larder does not use the store for this request."
        }
        let codes = Self.codes(of: response.findings)
        if !response.isStored { return "Miss, not stored (\(codes))." }
        let fresh =
            response.isAlwaysRevalidated
            ? "Larder asks the origin before each use."
            : "It is fresh for \(response.freshSeconds) s after receipt."
        return response.isWithoutBody
            ? "Larder stores the response if its body arrives whole and within maxBody. \(fresh)"
            : "Larder stores the response. \(fresh)"
    }

    private static func codes(of findings: [Finding]) -> String {
        var codes: [String] = []
        for code in findings.compactMap(\.code) where !codes.contains(code) { codes.append(code) }
        return codes.joined(separator: ", ")
    }

    /// The Cache-Status of this answer, and of the next answer, which comes from the store.
    private func appendStatus(_ verdict: RequestVerdict, _ key: Span<UInt8>, _ report: inout ExplainReport) {
        guard policy != nil, let response = report.response else { return }
        // Cache-Status is part of the head. If the body arrives later than the head, reasons found in the
        // body are too late for it.
        let known = response.findings.first { finding in
            guard finding.reason != nil else { return false }
            return finding.rule.rawValue <= Rule.remaining.rawValue || response.isInOnePiece
        }
        var line = ByteBuffer(capacity: 256)
        CacheStatus.appendForward(
            verdict.mayLookup ? .miss : .bypass,
            stored: response.isStored && response.isInOnePiece,
            detail: known?.reason, key: key, rules.cacheStatus, to: &line)
        report.cacheStatus = Self.withoutLineEnd(line)
        guard response.isStored, !response.isAlwaysRevalidated else { return }
        line.removeAll()
        CacheStatus.appendHit(
            ttlSeconds: Int64(clamping: response.freshSeconds), key: key, rules.cacheStatus, to: &line)
        report.nextCacheStatus = Self.withoutLineEnd(line)
    }

    private static func withoutLineEnd(_ line: borrowing ByteBuffer) -> String? {
        line.isEmpty ? nil : line.span.extracting(first: line.count - 2).string
    }
}
