/// Random schedules: in whatever order things happen, every answer is one that the origin gave for that very
/// key, fresh by the origin's own rules; what is private stays so; every request is answered; and nothing is
/// left behind.
///
/// A failing run prints its seed and its last steps. `Simulation(seed:).run(steps:)` repeats it exactly.
import Bytes
import Testing

@testable import Store

@Suite struct SimulationTests {
    static let runs = 40
    #if DEBUG
        /// Of each run; a million of all together in release.
        static let steps = 5_000
    #else
        static let steps = 25_000
    #endif

    @Test(arguments: 0..<runs)
    func everyAnswerIsOneThatTheOriginGave(run: Int) throws {
        let simulation = try Simulation(seed: UInt64(run) &* 7919 &+ 1)
        if let violation = simulation.run(steps: Self.steps) {
            Issue.record("\(simulation.report(violation))")
        }
        // The schedule has gone everywhere.
        let tally = simulation.tally
        let seen = [
            tally.hits, tally.collapsed, tally.renewed, tally.forwarded, tally.partial, tally.notModified,
            tally.local, tally.uploads, tally.reused,
        ]
        #expect(seen.allSatisfy { $0 > 0 }, "\(tally)")
    }

    @Test func aSeedRepeatsItself() throws {
        let traces = try (0..<2).map { _ in
            let simulation = try Simulation(seed: 4)
            let violation = simulation.run(steps: 3000)
            #expect(violation == nil)
            return simulation.trace.text(steps: 200)
        }
        #expect(traces[0] == traces[1] && traces[0].count > 1000)
    }

    #if DEBUG
        /// What each planted fault breaks.
        static let plants: [(PlantedFault, Set<Invariant>)] = [
            (.servesStale, [.fresh]), (.servesAfterErrors, [.fresh]), (.ignoresSoftPurges, [.fresh]),
            (.ignoresClients, [.asked, .fresh]), (.ignoresVary, [.variant, .shared]), (.forgetsAge, [.age]),
            (.answersNotModified, [.condition]), (.answersHeadWithBody, [.framed]),
            (.shiftsRanges, [.whole]),
            (.confusesHosts, [.variant, .framed]), (.storesEverything, [.shared]),
            (.storesTruncated, [.whole, .condition]),
            (.stampsLate, [.purged, .fresh]), (.skipsInvalidation, [.purged]),
            (.renewsBlindly, [.age, .fresh, .whole]),
            (.fetchesTwice, [.alone]), (.neverReleases, [.answered, .alone]),
            (.forgetsWaiters, [.answered, .alone]), (.wakesOne, [.answered]),
            (.remembersRefusals, [.alone]), (.keepsHitForMiss, [.alone]),
            (.endsCutAnswers, [.whole]),
            (.keepsUnasked, [.shared, .variant, .whole]),
            (.resendsUploads, [.once]), (.readsUploads, [.asked, .framed, .answered]),
            (.tellsOldClients, [.framed]), (.chunksForOldClients, [.framed]),
            (.forgetsPipelined, [.answered]),
            (.miscounts, [.statistics]), (.miscountsBodies, [.released]),
        ]

        @Test(arguments: plants)
        func itNoticesAPlantedFault(fault: PlantedFault, breaks: Set<Invariant>) throws {
            var found: Violation?
            try PlantedFault.$planted.withValue(fault) {
                for seed in 1...8 where found == nil {
                    found = try Simulation(seed: UInt64(seed)).run(steps: 20_000)
                }
            }
            let violation = try #require(found, "nobody noticed")
            #expect(breaks.contains(violation.invariant), "\(violation)")
        }

        @Test func everyFaultIsPlanted() {
            #expect(Set(Self.plants.map(\.0)) == Set(PlantedFault.allCases))
        }
    #endif
}
