/// All that refuses, for the access log: the walks of serving gone to their end. The first of the list is
/// what serving stops at. Nothing is allocated, but every rule is asked: not for plain hits.

internal import Bytes
public import HTTP

/// Keeps each reason once, in the order of the walk.
struct AllRefusals: Findings {
    var reasons = Reasons()

    static var isExhaustive: Bool { true }

    mutating func ends(_ rule: Rule, _ reason: Reason?) -> Bool {
        if let reason { reasons.append(reason) }
        return false
    }

    func skips(_ rule: Rule) {}

    func defers(_ rule: Rule) {}
}

extension Rules {
    /// What keeps the store from answering this request, or its answer from being stored.
    public func refusals(of request: borrowing RequestHead, _ bytes: Span<UInt8>) -> Reasons {
        walkAll(request, bytes).reasons
    }

    /// The same, and what refuses the answer to it.
    ///
    /// The answer to a method that is never stored is not judged: nothing that it says would change that.
    /// - Parameter served: the verdict that serving went by.
    public func refusals(
        of response: borrowing ResponseHead, _ bytes: Span<UInt8>, to request: borrowing RequestHead,
        _ requestBytes: Span<UInt8>, served: RequestVerdict, sent: Times, received: Times
    ) -> Reasons {
        var found = AllRefusals()
        var verdict = served
        (found.reasons, verdict) = walkAll(request, requestBytes)
        if let reason = served.reason, !served.mayStore { verdict.bypass(reason) }
        guard verdict.reason != .method else { return found.reasons }
        // A reason of the request's is among those found, or the caller's to add.
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
        // A range is no refusal of the walk: a stored 200 may answer it.
        if verdict.flags.contains(.range) { found.reasons.append(.range) }
        return (found.reasons, verdict)
    }
}
