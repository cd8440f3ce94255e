/// Keys whose answers could not be stored, remembered for a while as *not worth waiting for*: in a table of
/// bounded size that forgets by overwriting.
///
/// Threads share it without a lock, since each entry is one word. A word that is lost to another thread's, or
/// two keys that are told from each other by neither place nor tag, cost a wait or a second fetch, and never
/// an answer.
///
///      63                        24 23          0
///     |  until, in milliseconds    |  tag        |     in the place that the key's other half names
public import Bytes
internal import Synchronization

public final class HitForMiss: Sendable {
    private static var tagBits: UInt64 { 24 }

    private let words = InlineArray<16_384, Atomic<UInt64>> { _ in Atomic(0) }
    private let milliseconds: UInt64

    /// - Parameter milliseconds: how long a key is remembered.
    public init(milliseconds: UInt64 = 60_000) { self.milliseconds = milliseconds }

    /// - Parameter now: monotonic milliseconds, here and below; 34 years of them at most.
    public func contains(_ key: Hash128, now: UInt64) -> Bool {
        let word = words[place(key)].load(ordering: .relaxed)
        return word >> Self.tagBits > now && (word ^ key.high) & (1 << Self.tagBits - 1) == 0
    }

    /// The key's answers cannot be stored.
    public func insert(_ key: Hash128, now: UInt64) {
        let tag = key.high & (1 << Self.tagBits - 1)
        words[place(key)].store((now + milliseconds) << Self.tagBits | tag, ordering: .relaxed)
    }

    /// The key's answers can be stored after all.
    public func remove(_ key: Hash128) {
        // What is there may be of another key.
        if contains(key, now: 0) { words[place(key)].store(0, ordering: .relaxed) }
    }

    private func place(_ key: Hash128) -> Int { Int(truncatingIfNeeded: key.low >> 8) & (words.count - 1) }
}
