/// The ghost list: fingerprints of what left the small queue unhit, as many as there are objects in the
/// cache.
///
/// A table of 32-bit words in buckets of one cache line: 16 bits of fingerprint, 16 bits of age (ghosts made,
/// in units of `1 << ageShift`). An entry older than the window doesn't count, so the list follows the number
/// of objects however large the table is. Words are independent hints: racing writers cost a hint, nothing
/// else.
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

    /// 1...0xffff: never 0, which means empty.
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

    /// Whether `hash` left within the last `window` ghosts; forgets it.
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
