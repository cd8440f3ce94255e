/// The two walks through the rules, continued to their end, with the verdict of every rule and the text it
/// read. Not used for serving, so it may allocate.

internal import Bytes
public import HTTP
internal import Settings

/// How the rules judge a request.
public struct RequestExplanation: Sendable {
    /// Serving refuses if and only if one of these findings is a refusal.
    public var findings: [Finding]
    /// As serving has it, except that flags behind a refusal are set, too.
    public var verdict: RequestVerdict
}

/// How the rules judge an answer's head.
public struct AnswerExplanation: Sendable {
    public var findings: [Finding]
    /// Nil if a rule refuses.
    public var facts: EntryFacts?
    public var timing: Timing
}

extension Rules {
    public func explain(
        _ request: borrowing RequestHead, _ bytes: Span<UInt8>, clientCertificate: Bool = false
    ) -> RequestExplanation {
        var verdict = RequestVerdict(method: request.method)
        var recorder = Recorder()
        walk(request, bytes, clientCertificate: clientCertificate, &verdict, &recorder)
        if let reason = recorder.reason { verdict.bypass(reason) }
        for index in recorder.findings.indices {
            recorder.findings[index].value =
                Self.value(
                    recorder.findings[index].rule.subject, request.fields, bytes)
                ?? Self.value(recorder.findings[index].rule.subject, of: request, bytes)
        }
        return RequestExplanation(findings: recorder.findings, verdict: verdict)
    }

    public func explain(
        _ response: borrowing ResponseHead, _ bytes: Span<UInt8>, to request: RequestVerdict, sent: Times,
        received: Times
    ) -> AnswerExplanation {
        var recorder = Recorder()
        var timing = Timing()
        let facts = walk(response, bytes, to: request, sent: sent, received: received, &timing, &recorder)
        for index in recorder.findings.indices {
            let subject = recorder.findings[index].rule.subject
            recorder.findings[index].value =
                Self.value(subject, response.fields, bytes)
                ?? Self.value(subject, of: response, timing, requestMethod: request.method)
        }
        return AnswerExplanation(
            findings: recorder.findings, facts: recorder.reason == nil ? facts : nil, timing: timing)
    }

    /// The field lines that a rule reads, as received; nil if there are none.
    private static func value(
        _ subject: Rule.Subject, _ fields: borrowing FieldTable, _ bytes: Span<UInt8>
    ) -> String? {
        guard case .fields(let names) = subject else { return nil }
        var lines: [String] = []
        for name in names where fields.contains(name) {
            for index in fields.range(of: name) where fields[index].id == name {
                let field = fields[index]
                lines.append("\(bytes.slice(field.name).string): \(bytes.slice(field.value).string)")
            }
        }
        return lines.isEmpty ? nil : lines.joined(separator: " | ")
    }

    private static func value(
        _ subject: Rule.Subject, of request: borrowing RequestHead, _ bytes: Span<UInt8>
    ) -> String? {
        switch subject {
        case .method: bytes.slice(request.methodName).string
        case .target: bytes.slice(request.target).string
        case .path: request.path.isEmpty ? "/" : bytes.slice(request.path).string
        case .framing: text(request.framing)
        default: nil
        }
    }

    private static func value(
        _ subject: Rule.Subject, of response: borrowing ResponseHead, _ timing: Timing, requestMethod: Method
    ) -> String? {
        switch subject {
        case .method: requestMethod == .get ? "GET" : requestMethod == .head ? "HEAD" : nil
        case .status: String(response.status)
        case .framing: text(response.framing)
        case .lifetime: timing.source == .none ? nil : "\(timing.sourceName)"
        case .remaining:
            timing.remaining.map { "\(Timing.seconds($0)) of at least \(Timing.seconds(timing.minimum))" }
        default: nil
        }
    }

    private static func text(_ framing: BodyFraming) -> String {
        switch framing {
        case .none: "no body"
        case .length(let count): "\(count) bytes"
        case .chunked: "chunked"
        case .untilClose: "until the connection closes"
        }
    }
}

extension Timing {
    /// The directive or field that states the lifetime.
    public var sourceName: String {
        switch source {
        case .none: "nothing"
        case .sharedMaxAge: "s-maxage (\(field.text))"
        case .maxAge: "max-age (\(field.text))"
        case .expires: "Expires − Date"
        case .heuristic: "a share of Date − Last-Modified"
        }
    }

    /// Milliseconds as text in seconds: `59 s`, `0.25 s`.
    public static func seconds(_ milliseconds: Int64) -> String {
        let sign = milliseconds < 0 ? "−" : ""
        let magnitude = milliseconds.magnitude
        guard magnitude % 1000 != 0 else { return "\(sign)\(magnitude / 1000) s" }
        var digits = String(magnitude % 1000)
        digits = String(repeating: "0", count: 3 - digits.count) + digits
        while digits.hasSuffix("0") { digits.removeLast() }
        return "\(sign)\(magnitude / 1000).\(digits) s"
    }
}

/// How the body of an answer ended.
public struct BodyOutcome: Sendable, Equatable {
    public var count: Int
    /// Did the end of the body arrive, as the framing states it?
    public var isComplete: Bool
    public var sawTrailers: Bool

    public init(count: Int, isComplete: Bool, sawTrailers: Bool = false) {
        self.count = count
        self.isComplete = isComplete
        self.sawTrailers = sawTrailers
    }
}

extension Rules {
    /// The verdicts of the rules that need more than the head: on the entry as it would be written, and on
    /// the body.
    /// - Parameters:
    ///   - request: the answered request.
    ///   - facts: the facts of the entry; nil if a rule refused the answer.
    ///   - body: nil if nothing is known about it.
    public func explainStoring(
        _ response: borrowing ResponseHead, _ bytes: Span<UInt8>, request: borrowing RequestHead,
        _ requestBytes: Span<UInt8>, facts: EntryFacts?, body: BodyOutcome?, receivedSeconds: Int64
    ) -> [Finding] {
        func finding(_ rule: Rule, _ reason: Reason?, _ value: String?) -> Finding {
            Finding(rule, reason.map { .refused($0) } ?? .satisfied, value: value)
        }
        var stored = ByteBuffer(capacity: 1024)
        let head = StoredHead.write(
            response, bytes, bodyCount: body?.count ?? 0, receivedSeconds: receivedSeconds, limit: .max,
            transform: facts.map(Self.variesByCoding) == true ? .varies : .none, into: &stored)
        let isTooLarge = head != nil || stored.count > maxHeadBytes
        var findings = [
            finding(
                .headSize, isTooLarge ? .headTooLarge : nil,
                "\(stored.count) bytes of at most \(maxHeadBytes)")
        ]
        var blob = ByteBuffer(capacity: 64)
        let vary = writeVary(response, bytes, request: request.fields, requestBytes, into: &blob)
        findings.append(
            response.fields.contains(.vary)
                ? finding(.varySize, vary, "\(blob.count) bytes of at most \(Variance.blobLimit)")
                : Finding(.varySize, .notApplicable))
        guard let body else {
            let rules: [Rule] = [.bodySize, .complete, .trailers, .invalidated, .pressure]
            return findings + rules.map { Finding($0, .notApplicable) }
        }
        findings.append(
            finding(
                .bodySize, body.count > maxBodyBytes ? .tooLarge : nil,
                "\(body.count) bytes of at most \(maxBodyBytes)"))
        // Beyond the limit, the body is not read to its end.
        findings.append(
            body.count > maxBodyBytes
                ? Finding(.complete, .notApplicable)
                : finding(.complete, body.isComplete ? nil : .incomplete, "\(body.count) bytes came"))
        findings.append(finding(.trailers, body.sawTrailers ? .trailers : nil, nil))
        // Only a running store can tell.
        return findings + [Finding(.invalidated, .notApplicable), Finding(.pressure, .notApplicable)]
    }
}
