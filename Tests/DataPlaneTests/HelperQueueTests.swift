// The queue of jobs for the helper threads: a sweep is never lost and never blocks the jobs.

import Bytes
import Compression
import Testing

@testable import DataPlane

struct HelperQueueTests {
    private static func job(_ number: Int) -> VariantJob {
        VariantJob(
            key: [], hash: Hash128(low: 1, high: 2), serial: UInt64(number), coding: .gzip, headLimit: 1)
    }

    /// Takes one job: the serial of a job, 0 for a step of a sweep, nil for an empty queue.
    private static func take(_ queue: inout HelperQueue) -> UInt64? {
        switch queue.take() {
        case nil: nil
        case .sweep: 0
        case .variant(let job): job.serial
        case .tell: .max
        }
    }

    @Test func noticesComeFirstAndOnce() {
        var queue = HelperQueue()
        let isTaken = queue.put(Self.job(1))
        #expect(isTaken)
        queue.isSweepWanted = true
        queue.isTellingWanted = true
        let first = Self.take(&queue)
        #expect(first == .max)
        let others = [Self.take(&queue), Self.take(&queue), Self.take(&queue)]
        #expect(others == [0, 1, nil])
    }

    @Test func aSweepIsNotLostWhenJobsAreRefused() {
        var queue = HelperQueue()
        for number in 1...HelperQueue.limit {
            let isTaken = queue.put(Self.job(number))
            #expect(isTaken)
        }
        let isRefused = !queue.put(Self.job(0))
        #expect(isRefused)
        queue.isSweepWanted = true
        var found: [UInt64] = []
        while let next = Self.take(&queue) { found.append(next) }
        #expect(found.sorted() == (0...UInt64(HelperQueue.limit)).map { $0 })
        #expect(!queue.hasWork)
    }

    @Test func stepsAndJobsTakeTurns() {
        var queue = HelperQueue()
        for number in 1...3 { _ = queue.put(Self.job(number)) }
        queue.isSweepWanted = true
        var found: [UInt64] = []
        for _ in 0..<8 {
            guard let next = Self.take(&queue) else { break }
            found.append(next)
            if next == 0 { queue.endSweep(hasMore: true) }
        }
        #expect(found == [0, 1, 0, 2, 0, 3, 0, 0])
    }

    /// One thread sweeps at a time. A request for a sweep that comes during a step asks for another step.
    @Test func aRequestDuringASweepStepCausesAnotherStep() {
        var queue = HelperQueue()
        queue.isSweepWanted = true
        let first = Self.take(&queue)
        queue.isSweepWanted = true
        let second = Self.take(&queue)
        #expect(first == 0 && second == nil && !queue.hasWork)
        queue.endSweep(hasMore: false)
        let third = Self.take(&queue)
        queue.endSweep(hasMore: false)
        let fourth = Self.take(&queue)
        #expect(third == 0 && fourth == nil)
    }
}
