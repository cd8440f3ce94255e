/// Runs one row of a decision table: a store of one entry, and the steps that a worker takes through the
/// rules.

internal import Bytes
internal import HTTP
internal import Settings

struct DecisionRun {
    private struct Entry {
        var key: [UInt8]
        var facts: EntryFacts
        var vary: [UInt8]
        var head: [UInt8]
        var bodyBytes: Int
    }

    private let rules: Rules
    private var entry: Entry?

    init(policy: Policy) { rules = Rules(policy: policy, upstream: "origin") }

    /// Runs the first exchange. Returns nil if its answer is stored now, otherwise the reason.
    mutating func exchange(
        _ request: PolicyDecision.Request, _ response: PolicyDecision.Response
    ) throws(Decision.Invalid) -> Reason? {
        let requestText = try DecisionText(request)
        var requestHead = RequestHead()
        try requestText.parse(into: &requestHead, "request")
        var verdict = rules.judge(requestHead, requestText.head.span)
        // The origin is not asked.
        if verdict.flags.contains(.onlyIfCached) { return .clientRefresh }
        if !verdict.mayLookup, let reason = verdict.reason { return reason }
        var key = ByteBuffer(capacity: 256)
        if case .refused(let reason) = rules.writeKey(
            requestHead, requestText.head.span, scheme: requestText.scheme, into: &key)
        {
            return reason
        }

        verdict.noteFile(requestText.head.span.slice(requestHead.target))
        let text = DecisionText.head(of: response)
        var head = ResponseHead()
        var scan = HeadScan()
        let result = head.parse(
            text.span, limits: DecisionText.limits, scan: &scan, requestMethod: requestHead.method)
        guard case .complete = result else {
            throw Decision.Invalid(description: "the response is no valid HTTP: \(result)")
        }
        let received = Self.time(after: response.delaySeconds)
        let facts: EntryFacts
        switch rules.judge(head, text.span, to: verdict, sent: Decision.now, received: received) {
        case .store(let judged): facts = judged
        case .refuse(let reason): return reason
        }
        if response.bodyBytes > rules.maxBodyBytes { return .tooLarge }
        var vary = ByteBuffer(capacity: 64)
        var stored = ByteBuffer(capacity: 1024)
        if let reason = rules.writeRecord(
            of: head, text.span, facts, bodyCount: response.bodyBytes, request: requestHead.fields,
            requestText.head.span, head: &stored, vary: &vary)
        {
            return reason
        }
        entry = Entry(
            key: key.span.copied, facts: facts, vary: vary.span.copied, head: stored.span.copied,
            bodyBytes: response.bodyBytes)
        return nil
    }

    /// Runs the second request and returns how it is answered.
    func answer(
        _ request: PolicyDecision.Request, seconds: Int
    ) throws(Decision.Invalid) -> PolicyDecision.Answer {
        let text = try DecisionText(request)
        let bytes = text.head.span
        var head = RequestHead()
        try text.parse(into: &head, "second request")
        let verdict = rules.judge(head, bytes)
        func asks(_ served: PolicyDecision.Served, _ reason: Reason? = nil) -> PolicyDecision.Answer {
            verdict.flags.contains(.onlyIfCached)
                ? PolicyDecision.Answer(.gatewayTimeout)
                : PolicyDecision.Answer(served, reason: reason.map { String(describing: $0.code) })
        }
        if !verdict.mayLookup { return asks(.bypass, verdict.reason) }
        var key = ByteBuffer(capacity: 256)
        if case .refused(let reason) = rules.writeKey(head, bytes, scheme: text.scheme, into: &key) {
            return asks(.bypass, reason)
        }
        guard let entry, key.span.equals(entry.key.span),
            verdict.reach(of: entry.facts) != .none,
            Variance.matches(entry.vary.span, head.fields, bytes)
        else { return asks(.miss) }
        let now = Self.time(after: seconds)
        switch rules.use(entry.facts, for: verdict, now: now) {
        case .refused(let reason): return asks(.bypass, reason)
        case .refresh(let reason, _): return asks(.refresh, reason)
        case .stale(let use):
            if use.mayAnswerNow {
                return PolicyDecision.Answer(.staleHit, ageSeconds: Int(use.ageSeconds))
            }
            return asks(.stale)
        case .fresh(let age, _):
            let served = Self.served(entry, head, bytes, nowSeconds: now.wallSeconds)
            return PolicyDecision.Answer(served, ageSeconds: Int(age))
        }
    }

    /// How a fresh entry answers.
    private static func served(
        _ entry: Entry, _ request: borrowing RequestHead, _ bytes: Span<UInt8>, nowSeconds: Int64
    ) -> PolicyDecision.Served {
        let condition = Conditional.evaluate(
            request, bytes, status: entry.facts.status, head: entry.head.span, nowSeconds: nowSeconds)
        if condition == .notModified { return .notModified }
        let part = RangeRequest.evaluate(
            request, bytes, head: entry.head.span, status: entry.facts.status, bodyCount: entry.bodyBytes,
            nowSeconds: nowSeconds)
        return switch part {
        case .whole: .hit
        case .part: .partial
        case .unsatisfiable: .unsatisfiable
        }
    }

    private static func time(after seconds: Int) -> Times {
        let milliseconds = UInt64(clamping: seconds) * 1000
        var time = Decision.now
        time.wallMilliseconds += milliseconds
        time.bootMilliseconds += milliseconds
        return time
    }
}

/// The messages of a row, written as heads on the wire.
struct DecisionText: ~Copyable {
    static var limits: HeadLimits { HeadLimits(head: 65_535, fields: FieldTable.capacity) }

    var head: ByteBuffer
    var scheme: Scheme

    func parse(into request: inout RequestHead, _ name: String) throws(Decision.Invalid) {
        var scan = HeadScan()
        let result = request.parse(head.span, limits: Self.limits, scan: &scan)
        guard case .complete = result else {
            throw Decision.Invalid(description: "the \(name) is no valid HTTP: \(result)")
        }
    }

    init(_ request: PolicyDecision.Request) throws(Decision.Invalid) {
        let rest: Substring
        if request.url.hasPrefix("http://") {
            scheme = .http
            rest = request.url.dropFirst(7)
        } else if request.url.hasPrefix("https://") {
            scheme = .https
            rest = request.url.dropFirst(8)
        } else {
            throw Decision.Invalid(
                description: "url must begin with http:// or https://, found '\(request.url)'")
        }
        let end = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
        let target = rest[end...]
        var head = ByteBuffer(capacity: 1024)
        head.append(text: "\(request.method) \(target.hasPrefix("/") ? "" : "/")\(target) HTTP/1.1\r\n")
        if !request.headers.contains(where: { $0.lowercased().hasPrefix("host:") }) {
            head.append(text: "Host: \(rest[..<end])\r\n")
        }
        for line in request.headers { head.append(text: "\(line)\r\n") }
        head.append("\r\n")
        self.head = head
    }

    static func head(of response: PolicyDecision.Response) -> ByteBuffer {
        var head = ByteBuffer(capacity: 1024)
        head.append(text: "HTTP/1.1 \(response.status) \(response.status == 200 ? "OK" : "Status")\r\n")
        for line in response.headers { head.append(text: "\(line)\r\n") }
        let isFramed = response.headers.contains { line in
            let line = line.lowercased()
            return line.hasPrefix("content-length:") || line.hasPrefix("transfer-encoding:")
        }
        switch response.framing {
        case .length: if !isFramed { head.append(text: "Content-Length: \(response.bodyBytes)\r\n") }
        case .chunked: if !isFramed { head.append("Transfer-Encoding: chunked\r\n") }
        case .close: break
        }
        head.append("\r\n")
        return head
    }
}
