/// A small seeded generator (SplitMix64): the same schedule from the same seed, everywhere.
struct Random: RandomNumberGenerator {
    var state: UInt64

    init(seed: UInt64) { state = seed &* 0x2545_f491_4f6c_dd1d &+ 1 }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }

    /// True in `chance` of a hundred.
    mutating func picks(_ chance: Int) -> Bool { below(100) < chance }

    mutating func pick<T>(_ choices: [T]) -> T { choices[below(choices.count)] }
}
