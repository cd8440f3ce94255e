/// The simulator's draws.
import SeededRandom

extension SeededRandom {
    /// Of a run: neighbouring seeds give runs that have nothing in common.
    static func ofRun(_ seed: UInt64) -> SeededRandom {
        SeededRandom(seed: seed &* 0x2545_f491_4f6c_dd1d &+ 1)
    }

    mutating func pick<T>(_ choices: [T]) -> T { choices[below(choices.count)] }
}
