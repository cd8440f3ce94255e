/// The clock of an explanation: the clock of the machine, or a clock that `--at` sets and that then runs on.

internal import Bytes
internal import Caching
internal import Kernel

struct ExplainClock {
    private let startWall: UInt64
    private let startMonotonic: UInt64

    /// - Parameter at: the present time in Unix seconds; nil: the time of the machine.
    init(at seconds: Int64?) {
        startWall = seconds.map { UInt64(clamping: $0) * 1000 } ?? Clock.wallMilliseconds()
        startMonotonic = Clock.monotonicMilliseconds()
    }

    var now: Times {
        let elapsed = Clock.monotonicMilliseconds() - startMonotonic
        return Times(
            wallMilliseconds: startWall + elapsed, bootMilliseconds: startMonotonic + elapsed)
    }

    /// The time at which the clock was started.
    var start: Times { Times(wallMilliseconds: startWall, bootMilliseconds: startMonotonic) }

    /// Reads seconds since 1970 or an HTTP date. nil: neither, or a time that an HTTP date cannot express.
    static func parse(_ text: String) -> Int64? {
        let bytes = Array(text.utf8)
        if let seconds = Int64(text) {
            return seconds >= 0 && HTTPDate.range.contains(seconds) ? seconds : nil
        }
        let now = Int64(Clock.wallMilliseconds() / 1000)
        guard let seconds = HTTPDate.parse(bytes.span, now: now), seconds >= 0 else { return nil }
        return seconds
    }
}
