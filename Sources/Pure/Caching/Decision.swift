/// Evaluates one row of a policy's decision table (`PolicyDecision`) with the functions that serve traffic.
///
/// The request is sent at `Decision.now`, 1 January 2026, 00:00:00 GMT. Dates in a row are written relative
/// to that time.

internal import Bytes
internal import HTTP
public import Settings

public enum Decision {
    /// Thu, 01 Jan 2026 00:00:00 GMT.
    public static var now: Times {
        Times(wallMilliseconds: 1_767_225_600_000, bootMilliseconds: 1_000_000_000)
    }

    /// A row that is not a valid exchange.
    public struct Invalid: Error, Equatable, CustomStringConvertible {
        public var description: String
    }

    /// The outcome of one row under the rules of `policy`.
    public static func evaluate(
        _ row: PolicyDecision, policy: Policy
    ) throws(Invalid) -> PolicyDecision.Outcome {
        var run = DecisionRun(policy: policy)
        var outcome = PolicyDecision.Outcome(stored: false)
        if let reason = try run.exchange(row.request, row.response) {
            outcome.reason = String(describing: reason.code)
        } else {
            outcome.stored = true
        }
        if let then = row.then {
            let seconds = row.response.delaySeconds + max(0, then.afterSeconds)
            outcome.then = try run.answer(then.request, seconds: seconds)
        }
        return outcome
    }
}
