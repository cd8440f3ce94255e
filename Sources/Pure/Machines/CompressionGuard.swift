/// How much work a loop may put into compression: a value fed once a turn with how long the turn was busy and
/// how long it waited for events.
///
/// Two smoothed figures, both over about `window`, tell whether a loop falls behind:
///
/// - *utilisation*: the busy share of time. Near 1, requests queue in the kernel.
/// - *lag*: the mean turn in which an event finds the loop busy. It waits about that long to be heard at all.
///
///                lag, or utilisation                 lag, while there is little idle time
///     full ───────────────────────────────▶ low ───────────────────────────────▶ off
///          ◀─────────────────────────────── low ◀───────────────────────────────
///                     calm, well below the same bounds, for `patience`
///
/// A step down is taken at once, but the next only when the first has had a window's time to show. A step up
/// that has to be taken back doubles the patience, so that a loop which is overloaded whenever it compresses
/// does not swing: from one second up to sixteen.

public struct CompressionGuard: Sendable {
    public enum Verdict: UInt8, Sendable, Comparable, BitwiseCopyable {
        /// Nothing new is compressed; streams that have begun go on at their lowest level.
        case off
        /// `Effort.streamLow`.
        case low
        /// `Effort.stream`.
        case full

        public static func < (a: Verdict, b: Verdict) -> Bool { a.rawValue < b.rawValue }
    }

    public private(set) var verdict = Verdict.full

    static var window: Double { 100_000 }
    static var shortestPatience: Double { 1_000_000 }
    static var longestPatience: Double { 16_000_000 }

    /// Of 1.
    private(set) var utilisation = 0.0
    /// In microseconds.
    private(set) var lag = 0.0
    /// How long it has been calm, and since the last step down and up, in microseconds.
    private var calm = 0.0
    private var sinceDown = Double.infinity
    private var sinceUp = Double.infinity
    private var patience = shortestPatience
    /// Turns that are not in the figures yet: their time, the busy part of it, and the sum of each one's
    /// busy part times its time.
    private var passed: UInt64 = 0
    private var busy: UInt64 = 0
    private var busyByPassed: UInt64 = 0

    public init() {}

    /// One turn of the loop. Short ones are put together until they come to a millisecond.
    public mutating func note(busyMicroseconds: UInt64, waitedMicroseconds: UInt64) {
        let turn = busyMicroseconds &+ waitedMicroseconds
        passed &+= turn
        busy &+= busyMicroseconds
        busyByPassed &+= busyMicroseconds &* turn
        guard passed >= 1_000 else { return }
        weigh(passed: Double(passed), busy: Double(busy), busyByPassed: Double(busyByPassed))
        (passed, busy, busyByPassed) = (0, 0, 0)
    }

    private mutating func weigh(passed: Double, busy: Double, busyByPassed: Double) {
        let weight = passed / (Self.window + passed)
        utilisation += (busy / passed - utilisation) * weight
        lag += (busyByPassed / passed - lag) * weight
        sinceDown += passed
        sinceUp += passed

        let wanted = wanted(strictness: 1)
        if wanted < verdict {
            calm = 0
            stepDown()
        } else if verdict < .full, self.wanted(strictness: 0.5) > verdict {
            calm += passed
            if calm >= patience { stepUp() }
        } else {
            calm = 0
            // It has kept what it was given back.
            if verdict == .full, sinceUp > 2 * patience { patience = Self.shortestPatience }
        }
    }

    /// What the figures ask for, against bounds that are lower by `strictness`.
    private func wanted(strictness: Double) -> Verdict {
        // Half the bound of a share near 1 would be no calm but idleness.
        let isBusy = utilisation >= (strictness < 1 ? 0.75 : 0.9)
        let isSaturated = utilisation >= (strictness < 1 ? 0.85 : 0.97)
        if lag >= 20_000 * strictness, isBusy { return .off }
        return lag >= 5_000 * strictness && isBusy || isSaturated ? .low : .full
    }

    private mutating func stepDown() {
        guard sinceDown >= Self.window else { return }
        if sinceUp <= 2 * patience { patience = min(patience * 2, Self.longestPatience) }
        verdict = verdict == .full ? .low : .off
        sinceDown = 0
        sinceUp = .infinity
    }

    private mutating func stepUp() {
        verdict = verdict == .off ? .low : .full
        calm = 0
        sinceUp = 0
    }
}
