// `distance` measures how far apart two cores are: the nanoseconds for a cache line from one core to the
// other and back.
//
// Two threads answer each other through one atomic number. The program prints the least of twenty batches.
// Run it on exactly two cores. The host of a virtual machine moves its cores: a round trip takes some 100 ns
// between two cores that share a cache, and four times as much between others. If a server and its load
// generator run on these two cores, each request pays for the distance.

import Kernel
import Synchronization
import SystemPackage

/// Odd numbers go in one direction, even numbers come back.
final class Ball: Sendable {
    let number = Atomic<Int>(0)

    func answer(until last: Int) {
        for turn in stride(from: 1, to: last, by: 2) {
            while number.load(ordering: .acquiring) < turn {}
            number.store(turn + 1, ordering: .releasing)
        }
    }

    /// The microseconds for that many round trips.
    func play(from first: Int, trips: Int) -> UInt64 {
        let start = Clock.monotonicMicroseconds()
        for turn in stride(from: first + 1, to: first + 2 * trips, by: 2) {
            number.store(turn, ordering: .releasing)
            while number.load(ordering: .acquiring) <= turn {}
        }
        return Clock.monotonicMicroseconds() - start
    }
}

@main
enum Distance {
    static let batches = 20
    static let trips = 5_000

    static func main() throws {
        let ball = Ball()
        let other = try Thread.spawn(name: "distance", seed: ball) { ball in
            ball.answer(until: 2 * batches * trips)
        }
        var least = UInt64.max
        for batch in 0..<batches {
            least = min(least, ball.play(from: batch * 2 * trips, trips: trips))
        }
        other.join()
        try FileDescriptor.standardOutput.writeAll("\(least * 1_000 / UInt64(trips))\n".utf8)
    }
}
