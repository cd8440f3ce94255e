/// All reasons against a request and its answer, for the access log: the walks of serving, continued to their
/// end. Serving stops at the first of these reasons. Nothing is allocated, but every rule is evaluated, so
/// this is not for plain hits.

internal import Bytes
public import HTTP

/// Keeps each reason once, in the order of the walk.
struct AllRefusals: Findings {
    var reasons = Reasons()

    static var isExhaustive: Bool { true }

    mutating func record(_ rule: Rule, _ reason: Reason?) -> Bool {
        if let reason { reasons.append(reason) }
        return false
    }

    func skip(_ rule: Rule) {}

    func postpone(_ rule: Rule) {}
}

extension Rules {
    /// The reasons that keep the store from answering this request, or its answer from being stored.
    public func refusals(of request: borrowing RequestHead, _ bytes: Span<UInt8>) -> Reasons {
        walkAll(request, bytes).reasons
    }

    /// The same reasons, and those against storing the answer.
    ///
    /// If the method forbids storing, the answer is not judged: its head could not change that.
    /// - Parameter served: the verdict on the request that serving used.
    public func refusals(
        of response: borrowing ResponseHead, _ bytes: Span<UInt8>, to request: borrowing RequestHead,
        _ requestBytes: Span<UInt8>, served: RequestVerdict, sent: Times, received: Times
    ) -> Reasons {
        var found = AllRefusals()
        var verdict = served
        (found.reasons, verdict) = walkAll(request, requestBytes)
        if let reason = served.reason, !served.mayStore { verdict.bypass(reason) }
        guard verdict.reason != .method else { return found.reasons }
        // A reason in the request is already in the list, or the caller adds it.
        verdict.mayStore = true
        var timing = Timing()
        _ = walk(response, bytes, to: verdict, sent: sent, received: received, &timing, &found)
        return found.reasons
    }

    private func walkAll(
        _ request: borrowing RequestHead, _ bytes: Span<UInt8>
    ) -> (reasons: Reasons, verdict: RequestVerdict) {
        var found = AllRefusals()
        var verdict = RequestVerdict(method: request.method)
        walk(request, bytes, clientCertificate: false, &verdict, &found)
        // The walk does not refuse a range: a stored 200 may answer it.
        if verdict.flags.contains(.range) { found.reasons.append(.range) }
        return (found.reasons, verdict)
    }
}
