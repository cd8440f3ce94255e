/// The ghost list: fingerprints of objects that left the small queue without a hit. It remembers as many as
/// there are objects in the cache.
///
/// It is a table of 32-bit words in buckets of one cache line. A word is 16 bits of fingerprint and 16 bits
/// of age (the number of ghosts made, in units of `1 << ageShift`). An entry older than the window does not
/// count, so the list follows the number of objects, however large the table is. Words are independent hints:
/// a race between writers can lose a hint, and does no other harm.
public protocol GhostMemory {
    /// A multiple of 16.
    var ghostWords: Int { get }
    func ghost(at index: Int) -> UInt32
    func setGhost(_ word: UInt32, at index: Int)
}

public enum Ghosts {
    @inlinable static var ways: Int { 16 }
    @inlinable static var ageShift: UInt64 { 6 }

    @inlinable
    static func bucket(_ hash: UInt64, _ words: Int) -> Int {
        Int(hash.multipliedFullWidth(by: UInt64(words / ways)).high) &* ways
    }

    /// 1...0xffff; never 0, because a word of 0 is an empty entry.
    @inlinable
    static func fingerprint(_ hash: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: hash & 0xffff) | 1 }

    @inlinable
    static func age(_ word: UInt32, _ clock: UInt64) -> UInt32 {
        (UInt32(truncatingIfNeeded: clock >> ageShift) &- word) & 0xffff
    }

    /// Remembers `hash`. `clock` is the number of ghosts made so far.
    @inlinable
    public static func remember(_ hash: UInt64, clock: UInt64, in memory: borrowing some GhostMemory) {
        let start = bucket(hash, memory.ghostWords)
        var victim = start
        var oldest: UInt32 = 0
        for index in start..<start &+ ways {
            let word = memory.ghost(at: index)
            if word == 0 || word >> 16 == fingerprint(hash) {
                victim = index
                break
            }
            let age = age(word, clock)
            if age >= oldest {
                oldest = age
                victim = index
            }
        }
        let stamp = UInt32(truncatingIfNeeded: clock >> ageShift) & 0xffff
        memory.setGhost(fingerprint(hash) << 16 | stamp, at: victim)
    }

    /// Was `hash` among the last `window` ghosts? Removes it from the list.
    @inlinable
    public static func recall(
        _ hash: UInt64, clock: UInt64, window: Int, in memory: borrowing some GhostMemory
    ) -> Bool {
        let start = bucket(hash, memory.ghostWords)
        for index in start..<start &+ ways {
            let word = memory.ghost(at: index)
            guard word != 0, word >> 16 == fingerprint(hash) else { continue }
            memory.setGhost(0, at: index)
            return UInt64(age(word, clock)) << ageShift <= UInt64(max(window, 0))
        }
        return false
    }
}
