/// Selects which objects of a batch of segments are kept: the best by (frequency + ¼) ÷ size, up to ¾ of the
/// batch's bytes.
///
/// Two passes, no sorting: `Selection` counts bytes for each score, and `Cut` is the threshold computed from
/// that. A cut is two words, so it can be kept in shared memory, and any thread can continue the batch.
public struct Selection {
    // Bytes for each score. An InlineArray needs no allocation.
    @usableFromInline var bytes = InlineArray<256, UInt64>(repeating: 0)
    @usableFromInline var total: UInt64 = 0
    @usableFromInline let queue: Queue

    /// A batch of segments of `queue`.
    @inlinable
    public init(queue: Queue) { self.queue = queue }

    /// The benefit of keeping an object, per byte, on a logarithmic scale: eight steps for each doubling of
    /// (4 × frequency + 1) ÷ size. 0 means: do not keep.
    @inlinable
    public static func score(size: Int, frequency: UInt8, queue: Queue) -> UInt8 {
        // An object without a hit in the small queue leaves.
        if queue == .small && frequency == 0 { return 0 }
        let value = ((UInt64(frequency) &* 4 &+ 1) << 34) / UInt64(max(size, 1))
        if value < 256 { return 1 }
        let octave = 63 &- value.leadingZeroBitCount
        let step = Int(truncatingIfNeeded: value >> UInt64(octave &- 3)) & 7
        return UInt8(min(max((octave &- 8) &* 8 &+ step, 1), 255))
    }

    /// Counts one live object of the batch. An expired object counts for the total only.
    @inlinable
    public mutating func consider(size: Int, frequency: UInt8, expired: Bool) {
        total &+= UInt64(size)
        if expired { return }
        let score = Selection.score(size: size, frequency: frequency, queue: queue)
        bytes[Int(score)] &+= UInt64(size)
    }

    /// The threshold for the batch. `capacity` is the size of its segments together, in bytes.
    @inlinable
    public func cut(capacity: Int) -> Cut {
        var budget = UInt64(capacity) / UInt64(Eviction.kept.1) &* UInt64(Eviction.kept.0)
        var score = 255
        while score >= 1 {
            if bytes[score] > budget { break }
            budget &-= bytes[score]
            score &-= 1
        }
        // Objects with the boundary score are kept while the remaining budget lasts.
        return Cut(queue: queue, threshold: UInt8(score), budget: budget)
    }
}

/// The decision for a batch: objects above the threshold stay; objects at the threshold stay while the budget
/// lasts.
public struct Cut: BitwiseCopyable, Sendable {
    public let queue: Queue
    public let threshold: UInt8
    /// Bytes left for objects at the threshold.
    public var budget: UInt64

    @inlinable
    public init(queue: Queue, threshold: UInt8, budget: UInt64) {
        self.queue = queue
        self.threshold = threshold
        self.budget = budget
    }

    /// Decides whether an object is kept (appended again). If so, subtracts its bytes from the budget.
    @inlinable
    public mutating func keep(size: Int, frequency: UInt8, expired: Bool) -> Bool {
        if expired { return false }
        let score = Selection.score(size: size, frequency: frequency, queue: queue)
        if score == 0 || score < threshold { return false }
        if score > threshold { return true }
        if UInt64(size) > budget { return false }
        budget &-= UInt64(size)
        return true
    }
}
