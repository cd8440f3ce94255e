/// Takes one exchange through the steps of a worker (route, request, key, server, fetch, response) and
/// records each step in a report. All verdicts come from the modules that serve traffic.

internal import Balancing
internal import Bytes
internal import Caching
internal import Configuration
internal import DataPlane
internal import HTTP
internal import Kernel
internal import Settings

struct Explainer {
    let settings: Settings
    let clock: ExplainClock
    let timeoutMilliseconds: UInt64

    /// - Throws: the input cannot be explained.
    func explain(_ input: borrowing ExplainInput) throws -> ExplainReport {
        var head = RequestHead()
        var scan = HeadScan()
        let bytes = input.request.span
        let limits = HeadLimits(
            head: settings.limits.requestHeadBytes, fields: settings.limits.requestHeaders)
        let result = head.parse(bytes, limits: limits, scan: &scan)
        guard case .complete = result else {
            throw ExplainRefusal(
                "\(input.requestName) is not valid HTTP/1.1 (\(result.word)): Larder answers "
                    + "\(result.requestStatus).")
        }
        var report = ExplainReport(title: Self.title(head, bytes, input.scheme), time: date(clock.start))
        guard head.form != .asterisk else {
            report.outcome = "Larder itself answers OPTIONS *."
            return report
        }
        let table = settings.routeTable
        guard let index = table.route(host: head.host(in: bytes), path: bytes.slice(head.path)) else {
            report.outcome = "No route takes this request: Larder answers 404."
            return report
        }
        let walk = ExplainedExchange(settings, route: index, scheme: input.scheme)
        try walk.explain(head, bytes, input.response, self, &report)
        return report
    }

    func date(_ times: Times) -> String {
        var text = ByteBuffer(capacity: HTTPDate.length)
        HTTPDate.append(times.wallSeconds, to: &text)
        return text.span.string
    }

    private static func title(
        _ head: borrowing RequestHead, _ bytes: Span<UInt8>, _ scheme: Scheme
    ) -> String {
        let method = bytes.slice(head.methodName).string
        guard head.form != .asterisk else { return "\(method) *" }
        let path = head.path.isEmpty ? "/" : bytes.slice(head.path).string
        let query = head.hasQuery ? "?" + bytes.slice(head.query).string : ""
        return "\(method) \(scheme)://\(bytes.slice(head.authority).string)\(path)\(query)"
    }
}

extension HeadResult {
    /// Why a head is not valid, in a few words.
    var word: String {
        switch self {
        case .complete: "complete"
        case .needMore: "incomplete"
        case .refused(let refusal): refusal.word
        }
    }

    /// The status of Larder's answer to a request with this result.
    var requestStatus: Int {
        if case .refused(let refusal) = self { Int(refusal.status) } else { 408 }
    }
}

extension BrokenRule {
    var word: String {
        switch self {
        case .requestLine: "a malformed start line"
        case .target: "a malformed target"
        case .method: "a malformed method"
        case .version: "another version of HTTP"
        case .fieldLine: "a malformed field line"
        case .fieldValue: "a malformed field value"
        case .host: "no Host, or a malformed one"
        case .framing: "lengths that contradict each other"
        case .headTooLarge: "a head that is too large"
        case .targetTooLong: "a target that is too long"
        case .bareLineBreak: "a bare CR or LF"
        case .chunk: "a malformed chunk"
        case .trailers: "malformed trailers"
        case .bodyTooLarge: "a body that is too large"
        }
    }
}
