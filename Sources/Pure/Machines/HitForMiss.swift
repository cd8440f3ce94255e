/// The hit-for-miss table: keys whose answers could not be stored. Requests do not wait for the fetch of such
/// a key. The table has a fixed size, and overwriting makes it forget.
///
/// Threads share it without a lock, because each entry is one word. A word may be overwritten by another
/// thread, and two keys may have the same place and tag. Either costs a wait or a second fetch, but never a
/// wrong answer.
///
///      63                        24 23          0
///     |  until, in milliseconds    |  tag        |     in the place that the other half of the key's hash
///     gives
public import Bytes
internal import Synchronization

public final class HitForMiss: Sendable {
    private static var tagBits: UInt64 { 24 }

    private let words = InlineArray<16_384, Atomic<UInt64>> { _ in Atomic(0) }
    private let milliseconds: UInt64

    /// - Parameter milliseconds: how long a key is remembered.
    public init(milliseconds: UInt64 = 60_000) { self.milliseconds = milliseconds }

    /// - Parameter now: monotonic milliseconds, as in all methods; the table can represent 34 years.
    public func contains(_ key: Hash128, now: UInt64) -> Bool {
        let word = words[place(key)].load(ordering: .relaxed)
        return word >> Self.tagBits > now && (word ^ key.high) & (1 << Self.tagBits - 1) == 0
    }

    /// Records that the key's answers cannot be stored.
    public func insert(_ key: Hash128, now: UInt64) {
        let tag = key.high & (1 << Self.tagBits - 1)
        words[place(key)].store((now + milliseconds) << Self.tagBits | tag, ordering: .relaxed)
    }

    /// Records that the key's answers can be stored after all.
    public func remove(_ key: Hash128) {
        // The word may belong to another key.
        if contains(key, now: 0) { words[place(key)].store(0, ordering: .relaxed) }
    }

    private func place(_ key: Hash128) -> Int { Int(truncatingIfNeeded: key.low >> 8) & (words.count - 1) }
}
