/// Limits how much a loop compresses. After each turn it is told how long the turn was busy and how long it
/// waited for events.
///
/// Two figures, smoothed over about `window`, show whether the loop falls behind:
///
/// - *utilisation*: the busy share of time. Near 1, requests queue in the kernel.
/// - *lag*: the mean duration of the turn that a new event finds running. An event waits about that long
///   before it is handled.
///
///                lag, or utilisation                 lag, while there is little idle time
///     full ───────────────────────────────▶ low ───────────────────────────────▶ off
///          ◀─────────────────────────────── low ◀───────────────────────────────
///                     calm, well below the same bounds, for `patience`
///
/// A step down is taken at once. The next step down waits until the first one has had a window's time to take
/// effect. If a step up has to be reverted, the patience doubles, from one second up to sixteen. So a loop
/// that is overloaded whenever it compresses does not oscillate.

public struct CompressionGuard: Sendable {
    public enum Verdict: UInt8, Sendable, Comparable, BitwiseCopyable {
        /// No new stream is compressed. Streams that have begun continue at their lowest level.
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

    /// From 0 to 1.
    private(set) var utilisation = 0.0
    /// In microseconds.
    private(set) var lag = 0.0
    /// Microseconds of calm so far; microseconds since the last step down, and since the last step up.
    private var calm = 0.0
    private var sinceDown = Double.infinity
    private var sinceUp = Double.infinity
    private var patience = shortestPatience
    /// Turns that the figures do not include yet: their total time, their busy time, and the sum of busy time
    /// times total time of each turn.
    private var passed: UInt64 = 0
    private var busy: UInt64 = 0
    private var busyByPassed: UInt64 = 0

    public init() {}

    /// Adds one turn of the loop. Short turns are collected until they add up to a millisecond.
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
            // The step up has proved stable.
            if verdict == .full, sinceUp > 2 * patience { patience = Self.shortestPatience }
        }
    }

    /// The verdict that the figures ask for. A `strictness` below 1 lowers the bounds.
    private func wanted(strictness: Double) -> Verdict {
        // Half of a bound near 1 would not mean calm but idle, so these bounds have their own lower values.
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
