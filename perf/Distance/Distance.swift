// How far apart the cores are: nanoseconds for a cache line to go from one to another and back.
//
// `distance` has two threads answer each other through one atomic number, and prints the least of twenty
// batches. It wants to run on exactly two cores. A virtual machine's host moves its cores about: between two
// that share a cache a round trip takes some 100 ns, between others four times as much; and a server whose
// load generator runs on the other core pays for that distance with every request.

import Kernel
import Synchronization
import SystemPackage

/// Odd numbers go one way, even ones come back.
final class Ball: Sendable {
    let number = Atomic<Int>(0)

    func answer(until last: Int) {
        for turn in stride(from: 1, to: last, by: 2) {
            while number.load(ordering: .acquiring) < turn {}
            number.store(turn + 1, ordering: .releasing)
        }
    }

    /// Microseconds for so many round trips.
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
