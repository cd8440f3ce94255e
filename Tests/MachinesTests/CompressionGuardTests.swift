/// The compression guard, tested by stories: phases of equal turns, and the verdict at the end of each.
import Machines
import Testing

@Suite struct CompressionGuardTests {
    /// For `milliseconds`: turns that are busy and wait for these times (in microseconds each).
    struct Phase: Sendable {
        let milliseconds: Int
        let busy: UInt64
        let waited: UInt64
        let verdict: CompressionGuard.Verdict

        init(_ milliseconds: Int, busy: UInt64, waited: UInt64, _ verdict: CompressionGuard.Verdict) {
            self.milliseconds = milliseconds
            self.busy = busy
            self.waited = waited
            self.verdict = verdict
        }
    }

    struct Story: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let phases: [Phase]

        init(_ name: String, _ phases: [Phase]) {
            testDescription = name
            self.phases = phases
        }
    }

    static let stories: [Story] = [
        Story("an idle loop", [Phase(5_000, busy: 50, waited: 100_000, .full)]),
        Story("half busy, in short turns", [Phase(5_000, busy: 200, waited: 200, .full)]),
        Story(
            "half busy, in long turns: there is time between them",
            [Phase(5_000, busy: 30_000, waited: 30_000, .full)]),
        Story("nine tenths busy, in short turns", [Phase(5_000, busy: 800, waited: 150, .full)]),
        Story("saturated, in short turns: cheaper, not off", [Phase(10_000, busy: 1_000, waited: 0, .low)]),
        Story("saturated, in turns of 8 ms", [Phase(10_000, busy: 8_000, waited: 0, .low)]),
        Story(
            "saturated, in turns of 40 ms",
            [Phase(600, busy: 40_000, waited: 0, .off), Phase(10_000, busy: 40_000, waited: 0, .off)]),
        Story(
            "one slow turn in calm",
            [
                Phase(1_000, busy: 50, waited: 1_000, .full), Phase(15, busy: 15_000, waited: 0, .full),
                Phase(1_000, busy: 50, waited: 1_000, .full),
            ]),
        Story(
            "down step by step, up step by step",
            [
                Phase(1_000, busy: 100, waited: 900, .full), Phase(1_000, busy: 10_000, waited: 100, .low),
                Phase(1_000, busy: 50_000, waited: 100, .off), Phase(700, busy: 100, waited: 900, .off),
                Phase(700, busy: 100, waited: 900, .low), Phase(2_000, busy: 100, waited: 900, .full),
            ]),
        Story(
            "between the bounds nothing changes",
            [
                Phase(1_000, busy: 8_000, waited: 100, .low), Phase(30_000, busy: 4_000, waited: 600, .low),
                Phase(2_000, busy: 2_000, waited: 2_000, .full),
                Phase(30_000, busy: 4_000, waited: 600, .full),
            ]),
        Story(
            "each relapse doubles the patience",
            [
                Phase(500, busy: 8_000, waited: 0, .low), Phase(1_300, busy: 100, waited: 900, .full),
                Phase(500, busy: 8_000, waited: 0, .low), Phase(1_300, busy: 100, waited: 900, .low),
                Phase(1_000, busy: 100, waited: 900, .full), Phase(500, busy: 8_000, waited: 0, .low),
                Phase(3_500, busy: 100, waited: 900, .low), Phase(1_000, busy: 100, waited: 900, .full),
                // After a long calm, the patience is short again.
                Phase(40_000, busy: 100, waited: 900, .full), Phase(500, busy: 8_000, waited: 0, .low),
                Phase(1_300, busy: 100, waited: 900, .full),
            ]),
        Story("a turn of no length", [Phase(0, busy: 0, waited: 0, .full)]),
    ]

    @Test(arguments: stories)
    func eachPhaseEndsWithItsVerdict(_ story: Story) {
        var it = CompressionGuard()
        for (index, phase) in story.phases.enumerated() {
            let turn = max(phase.busy + phase.waited, 1)
            for _ in 0..<max(UInt64(phase.milliseconds) * 1_000 / turn, 1) {
                it.note(busyMicroseconds: phase.busy, waitedMicroseconds: phase.waited)
            }
            #expect(it.verdict == phase.verdict, "phase \(index)")
        }
    }

    /// An overloaded loop whose load falls when it stops compressing must not oscillate: in a minute it tries
    /// again a few times, not hundreds of times.
    @Test func theGuardDoesNotOscillate() {
        var it = CompressionGuard()
        var changes = 0
        var time = 0 as UInt64
        while time < 60_000_000 {
            let before = it.verdict
            let (busy, waited): (UInt64, UInt64) =
                switch it.verdict {
                case .full: (60_000, 0)
                case .low: (30_000, 0)
                case .off: (500, 500)
                }
            it.note(busyMicroseconds: busy, waitedMicroseconds: waited)
            time += busy + waited
            if it.verdict != before { changes += 1 }
        }
        #expect((3...20).contains(changes), "\(changes) changes")
    }
}
