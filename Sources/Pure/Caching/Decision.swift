/// One row of a policy's decision table (`PolicyDecision`), run through the functions that serve traffic.
///
/// The clock stands at `Decision.now`, 1 January 2026, 00:00:00 GMT, when the request is sent; dates in a row
/// are written relative to that.

internal import Bytes
internal import HTTP
public import Settings

public enum Decision {
    /// Thu, 01 Jan 2026 00:00:00 GMT.
    public static var now: Times {
        Times(wallMilliseconds: 1_767_225_600_000, bootMilliseconds: 1_000_000_000)
    }

    /// A row that is no valid exchange.
    public struct Invalid: Error, Equatable, CustomStringConvertible {
        public var description: String
    }

    /// What the rules of `policy` make of one row.
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
