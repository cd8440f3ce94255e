import Loop
import SeededRandom
import Testing

/// All timers of `wheel` that have expired at `now`.
private func expired(_ wheel: inout TimerWheel, now: UInt64) -> [Int] {
    var ids: [Int] = []
    while let id = wheel.popExpired(now: now) { ids.append(id) }
    return ids
}

@Suite struct TimerWheelTests {
    @Test func anEmptyWheelNeverWakes() {
        var wheel = TimerWheel(now: 123_456)
        let timeout = wheel.timeout(now: 123_456)
        #expect(timeout == nil)
        #expect(expired(&wheel, now: 1 << 50).isEmpty)
        let deadline = wheel.deadline(of: 5)
        #expect(deadline == nil)
        wheel.cancel(5)
    }

    @Test(arguments: [
        1, 7, 8, 9, 63, 504, 511, 512, 513, 4095, 4096, 32_767, 32_768, 60_000, 2_097_152, 3_600_000,
        86_400_000, 134_217_728, 31_536_000_000,
    ] as [UInt64])
    func aTimerIsNeverEarlyAndAtMostOneTickLate(delay: UInt64) {
        for start in [0, 1, 8, 511, 512, 1_000_003, 1 << 32, 1 << 40] as [UInt64] {
            var wheel = TimerWheel(now: start)
            wheel.set(id: 3, deadline: start + delay)
            // As a loop does: sleep until the next wake, look, repeat.
            var now = start
            var wakes = 0
            var ids: [Int] = []
            while ids.isEmpty, let timeout = wheel.timeout(now: now) {
                now += UInt64(timeout)
                wakes += 1
                ids = expired(&wheel, now: now)
                if wakes > 20 { break }
            }
            #expect(ids == [3])
            #expect(now >= start + delay && now < start + delay + 8)
            // At most one wake for each level.
            #expect(wakes <= 7)
            let after = wheel.timeout(now: now)
            #expect(after == nil)
        }
    }

    @Test func oneLongSleepPassesEveryLevelAtOnce() {
        var wheel = TimerWheel(now: 77)
        for id in 0..<200 { wheel.set(id: id, deadline: 77 + UInt64(id) * UInt64(id) * 5000) }
        let ids = expired(&wheel, now: 77 + 1_000_000_000)
        #expect(ids.sorted() == Array(0..<200))
    }

    @Test func aPastDeadlineExpiresAtOnce() {
        var wheel = TimerWheel(now: 10_000)
        wheel.set(id: 0, deadline: 0)
        wheel.set(id: 1, deadline: 9_999)
        let timeout = wheel.timeout(now: 10_000)
        #expect(timeout == 0)
        #expect(expired(&wheel, now: 10_000).sorted() == [0, 1])
        wheel.set(id: 0, deadline: 10_000)
        #expect(expired(&wheel, now: 10_000) == [0])
    }

    @Test func aDeadlineMayBeMovedLaterEarlierOrAway() {
        var wheel = TimerWheel(now: 0)
        wheel.set(id: 0, deadline: 1000)
        wheel.set(id: 1, deadline: 1000)
        wheel.set(id: 2, deadline: 1000)
        wheel.set(id: 0, deadline: 5000)
        wheel.set(id: 1, deadline: 100)
        wheel.cancel(2)
        #expect(expired(&wheel, now: 99).isEmpty)
        #expect(expired(&wheel, now: 104) == [1])
        #expect(expired(&wheel, now: 4999).isEmpty)
        let deadlines = [wheel.deadline(of: 0), wheel.deadline(of: 1), wheel.deadline(of: 2)]
        #expect(deadlines == [5000, nil, nil])
        #expect(expired(&wheel, now: 5000) == [0])
    }

    @Test func aCancelledIdCanBeSetAgain() {
        var wheel = TimerWheel(now: 0)
        wheel.set(id: 0, deadline: 10_000)
        wheel.cancel(0)
        wheel.set(id: 0, deadline: 50)
        wheel.cancel(0)
        wheel.set(id: 0, deadline: 20_000)
        #expect(expired(&wheel, now: 19_999).isEmpty)
        #expect(expired(&wheel, now: 20_007) == [0])
    }

    @Test func aDeadlineFarInTheFutureIsKept() {
        var wheel = TimerWheel(now: 1 << 41)
        wheel.set(id: 0, deadline: .max)
        wheel.set(id: 1, deadline: .max - 1)
        #expect(expired(&wheel, now: 1 << 44).isEmpty)
        let timeout = wheel.timeout(now: 1 << 44)
        #expect(timeout != nil)
    }

    @Test func aClockThatGoesBackChangesNothing() {
        var wheel = TimerWheel(now: 100_000)
        wheel.set(id: 0, deadline: 100_100)
        #expect(expired(&wheel, now: 5).isEmpty)
        #expect(expired(&wheel, now: 100_104) == [0])
    }

    @Test(arguments: 1...40 as ClosedRange<UInt64>)
    func theWheelBehavesLikeATableOfDeadlines(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        var now = UInt64.random(in: 0..<(1 << 36), using: &random)
        var wheel = TimerWheel(now: now)
        var model: [Int: UInt64] = [:]
        let spans: [UInt64] = [10, 600, 40_000, 3_000_000, 200_000_000]
        for _ in 0..<3000 {
            let id = Int.random(in: 0..<300, using: &random)
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<5:
                let span = spans.randomElement(using: &random) ?? 10
                let deadline = now + UInt64.random(in: 0..<span, using: &random)
                wheel.set(id: id, deadline: deadline)
                model[id] = deadline
            case 5:
                wheel.cancel(id)
                model[id] = nil
            default:
                if Bool.random(using: &random), let timeout = wheel.timeout(now: now) {
                    now += UInt64(timeout)
                } else {
                    let span = spans.randomElement(using: &random) ?? 10
                    now += UInt64.random(in: 0..<span, using: &random)
                }
                for id in expired(&wheel, now: now) {
                    let known = model.removeValue(forKey: id)
                    let deadline = try #require(known, "expired twice or after cancel")
                    try #require(deadline <= now, "early")
                }
                let overdue = model.values.filter { $0 + 8 <= now }
                try #require(overdue.isEmpty, "late")
                // The loop is told to return in time.
                if let first = model.values.min() {
                    let told = wheel.timeout(now: now)
                    let timeout = try #require(told)
                    try #require(now + UInt64(timeout) < first + 8)
                }
            }
            let kept = wheel.deadline(of: id)
            try #require(kept == model[id])
        }
    }
}
