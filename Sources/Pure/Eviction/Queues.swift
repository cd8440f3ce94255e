/// Which queue an object belongs to, and which queue is reclaimed when room is needed: S3-FIFO (Yang et al.,
/// SOSP '23) over segments. Pure: sizes, counts and frequencies are arguments. The Store and the trace tests
/// run the same code.
///
///     new object ──► small (about a tenth) ──hit──► main ──hit, or small for its use──► main again
///                      │ not hit                      │ the rest
///                      ▼                              ▼
///                    ghosts ── asked for again ──► main
public enum Queue: UInt8, Sendable, BitwiseCopyable {
    /// Probation: objects seen once.
    case small = 0
    /// Objects that were hit in `small`, or were requested again soon after they left it.
    case main = 1
}

public enum Eviction {
    /// The highest frequency that is counted.
    @inlinable public static var maxFrequency: UInt8 { 15 }
    /// Maximum number of segments that one reclaim takes.
    @inlinable public static var batch: Int { 4 }
    /// The share of its bytes that a reclaim keeps at most, as (numerator, denominator).
    @inlinable public static var kept: (Int, Int) { (3, 4) }

    /// The queue for a new object.
    /// - Parameters:
    ///   - remembered: is its fingerprint among the ghosts?
    ///   - replacing: the queue of the record that it replaces, if any.
    @inlinable
    public static func admit(remembered: Bool, replacing: Queue?) -> Queue {
        remembered || replacing == .main ? .main : .small
    }

    /// May an object enter the cache? An object larger than a twentieth of the cache costs more than it
    /// saves.
    /// - Parameter capacity: size of the cache in bytes, like `size`.
    @inlinable
    public static func admits(size: Int, capacity: Int) -> Bool { size <= capacity / 20 }

    /// The queue to reclaim from. Both amounts are in the same unit (bytes or segments).
    @inlinable
    public static func victimQueue(small: Int, main: Int) -> Queue {
        if main <= 0 { return .small }
        if small <= 0 { return .main }
        return small &* 10 > small &+ main ? .small : .main
    }

    /// How many of the oldest segments one reclaim of `queue` takes. A large segment holds enough objects to
    /// compare, so one of them is a batch; more would delay the loop too long.
    @inlinable
    public static func victims(of queue: Queue, available: Int, segmentBytes: Int) -> Int {
        queue == .small ? min(available, 1) : min(available, batch, max(1, (4 << 20) / max(segmentBytes, 1)))
    }

    /// Does an object that leaves `queue` become a ghost?
    @inlinable
    public static func remembers(evictedFrom queue: Queue) -> Bool { queue == .small }

    /// The frequency of an object after it is appended again.
    @inlinable
    public static func decayed(_ frequency: UInt8) -> UInt8 { frequency > 0 ? frequency - 1 : 0 }
}
