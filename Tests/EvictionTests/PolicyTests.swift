/// The single decisions of eviction: admission, promotion, and the objects that a reclaim keeps.

import Eviction
import Testing

@Suite struct PolicyTests {
    @Test func aBatchKeepsItsBestBytesAndNoMoreThanThreeQuarters() {
        // Sizes and frequencies in every mixture: no kept object has a worse score than one that is dropped.
        var state: UInt64 = 1
        func random(_ bound: UInt64) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % bound)
        }
        for round in 0..<200 {
            let queue: Queue = round % 2 == 0 ? .main : .small
            let objects = (0..<100).map { _ in (size: random(4000) + 100, frequency: UInt8(random(4))) }
            let capacity = objects.map(\.size).reduce(0, +)
            var selection = Selection(queue: queue)
            for object in objects {
                selection.consider(size: object.size, frequency: object.frequency, expired: false)
            }
            var cut = selection.cut(capacity: capacity)
            var kept = 0
            var worstKept = UInt8.max
            var bestDropped: UInt8 = 0
            for object in objects {
                let score = Selection.score(size: object.size, frequency: object.frequency, queue: queue)
                if cut.keep(size: object.size, frequency: object.frequency, expired: false) {
                    kept += object.size
                    worstKept = min(worstKept, score)
                } else {
                    bestDropped = max(bestDropped, score)
                }
            }
            #expect(kept <= capacity * 3 / 4)
            #expect(bestDropped <= worstKept)
            if queue == .main { #expect(kept > capacity / 2) }
        }
    }

    @Test func expiredObjectsAreNotKept() {
        var selection = Selection(queue: .main)
        selection.consider(size: 100, frequency: 9, expired: true)
        var cut = selection.cut(capacity: 1000)
        let expired = cut.keep(size: 100, frequency: 9, expired: true)
        let live = cut.keep(size: 100, frequency: 0, expired: false)
        #expect(!expired)
        #expect(live)
    }

    @Test func unhitObjectsLeaveTheSmallQueue() {
        let selection = Selection(queue: .small)
        var cut = selection.cut(capacity: 1000)
        let unhit = cut.keep(size: 1, frequency: 0, expired: false)
        let hit = cut.keep(size: 1, frequency: 1, expired: false)
        #expect(!unhit)
        #expect(hit)
    }

    @Test func scoresRiseWithFrequencyAndFallWithSize() {
        for size in [1, 100, 1000, 65_536, 4 << 20] {
            for frequency in 0..<Eviction.maxFrequency {
                let score = Selection.score(size: size, frequency: frequency, queue: .main)
                #expect(score >= 1)
                #expect(score <= Selection.score(size: size, frequency: frequency + 1, queue: .main))
                #expect(score >= Selection.score(size: size * 2, frequency: frequency, queue: .main))
            }
        }
    }

    @Test func aGhostIsRecalledOnceAndOnlyWithinTheWindow() {
        let ghosts = SegmentedCache.GhostArray(storage: .init(1 << 12))
        let hash: UInt64 = 0x1234_5678_9abc_def0
        Ghosts.remember(hash, clock: 1000, in: ghosts)
        let other = Ghosts.recall(hash ^ 0xff00, clock: 1000, window: 100, in: ghosts)
        let first = Ghosts.recall(hash, clock: 1050, window: 100, in: ghosts)
        let second = Ghosts.recall(hash, clock: 1050, window: 100, in: ghosts)
        Ghosts.remember(hash, clock: 1000, in: ghosts)
        let late = Ghosts.recall(hash, clock: 1300, window: 100, in: ghosts)
        #expect(!other)
        #expect(first)
        #expect(!second)
        #expect(!late)
    }
}
