import Machines
import SeededRandom
import Testing

/// The few connections that are idle longest, found by one walk.
struct LongestIdleTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let capacity: Int
        let offered: [UInt64]
        let expected: [UInt64]
        var testDescription: String { "\(capacity) of \(offered)" }
    }

    static let table: [Case] = [
        Case(capacity: 1, offered: [], expected: []),
        Case(capacity: 1, offered: [5], expected: [5]),
        Case(capacity: 1, offered: [5, 3, 4], expected: [3]),
        Case(capacity: 2, offered: [5, 3, 4], expected: [3, 4]),
        Case(capacity: 3, offered: [1, 2, 3], expected: [1, 2, 3]),
        Case(capacity: 3, offered: [9, 8, 7, 6, 5, 4], expected: [4, 5, 6]),
        Case(capacity: 3, offered: [4, 5, 6, 7, 8, 9], expected: [4, 5, 6]),
        Case(capacity: 4, offered: [7, 7, 7, 1, 7], expected: [1, 7, 7, 7]),
    ]

    private static func drain(_ idle: inout LongestIdle) -> [UInt64] {
        var found: [UInt64] = []
        while let candidate = idle.next() { found.append(candidate.since) }
        return found
    }

    @Test(arguments: table) func theLongestIdleComeFirst(_ row: Case) {
        var idle = LongestIdle(capacity: row.capacity)
        idle.begin()
        for (index, since) in row.offered.enumerated() { idle.offer(since: since, token: UInt64(index)) }
        idle.end()
        #expect(Self.drain(&idle) == row.expected)
    }

    @Test func theOrderOfTheWalkDoesNotMatter() {
        var random = SeededRandom(seed: 6)
        var idle = LongestIdle(capacity: 16)
        for _ in 0..<200 {
            let times = (0..<random.below(100)).map { _ in UInt64(random.below(50)) }
            idle.begin()
            for since in times where idle.wants(since: since) { idle.offer(since: since, token: since) }
            idle.end()
            #expect(Self.drain(&idle) == Array(times.sorted().prefix(16)))
        }
    }

    @Test func aWalkForgetsTheWalkBefore() {
        var idle = LongestIdle(capacity: 4)
        for since in [3, 1] as [UInt64] {
            idle.begin()
            idle.offer(since: since, token: since)
            idle.end()
        }
        #expect(Self.drain(&idle) == [1])
    }
}
