/// Which queue an object belongs to, and which queue pays when room is needed: S3-FIFO (Yang et al., SOSP
/// '23) over segments. Pure: sizes, counts and frequencies are arguments; the Store and the trace tests run
/// this very code.
///
///     new object ──► small (about a tenth) ──hit──► main ──hit or small for its use──► main again
///                      │ not hit                      │ the rest
///                      ▼                              ▼
///                    ghosts ── asked for again ──► main
public enum Queue: UInt8, Sendable, BitwiseCopyable {
    /// Probation: objects seen once.
    case small = 0
    /// Objects that were hit in `small`, or asked for again soon after leaving it.
    case main = 1
}

public enum Eviction {
    /// Frequencies saturate here.
    @inlinable public static var maxFrequency: UInt8 { 15 }
    /// The most segments that one reclaim takes.
    @inlinable public static var batch: Int { 4 }
    /// The share of its bytes that a reclaim keeps at most, as numerator and denominator.
    @inlinable public static var kept: (Int, Int) { (3, 4) }

    /// Where a new object goes.
    /// - Parameters:
    ///   - remembered: its fingerprint is among the ghosts.
    ///   - replacing: the queue of the record that it replaces, if any.
    @inlinable
    public static func admit(remembered: Bool, replacing: Queue?) -> Queue {
        remembered || replacing == .main ? .main : .small
    }

    /// Whether an object may enter at all: one of more than a twentieth of the cache costs more than it
    /// brings.
    /// - Parameter capacity: bytes of the cache, as `size`.
    @inlinable
    public static func admits(size: Int, capacity: Int) -> Bool { size <= capacity / 20 }

    /// The queue to reclaim from. Amounts in any one unit (bytes or segments).
    @inlinable
    public static func victimQueue(small: Int, main: Int) -> Queue {
        if main <= 0 { return .small }
        if small <= 0 { return .main }
        return small &* 10 > small &+ main ? .small : .main
    }

    /// How many of its oldest segments a reclaim of `queue` takes. Large segments hold enough objects to
    /// compare: one of them is a batch, and a step that a loop can bear.
    @inlinable
    public static func victims(of queue: Queue, available: Int, segmentBytes: Int) -> Int {
        queue == .small ? min(available, 1) : min(available, batch, max(1, (4 << 20) / max(segmentBytes, 1)))
    }

    /// Whether what leaves `queue` becomes a ghost.
    @inlinable
    public static func remembers(evictedFrom queue: Queue) -> Bool { queue == .small }

    /// The frequency that an object keeps when it is appended again.
    @inlinable
    public static func decayed(_ frequency: UInt8) -> UInt8 { frequency > 0 ? frequency - 1 : 0 }
}
