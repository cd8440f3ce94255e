/// Random schedules: whatever comes in whatever order, every answer is one that the origin gave for that
/// very key, fresh by the origin's own rules, and what is private stays so.
///
/// A failing run prints its seed and its last steps; `Simulation(seed:).run(steps:)` repeats it exactly.
import Store
import Testing

@Suite struct SimulationTests {
    static let runs = 40
    #if DEBUG
        /// Of each run; a million of all together in release.
        static let steps = 10_000
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
            tally.hits, tally.collapsed, tally.renewed, tally.stale, tally.forwarded, tally.stored,
            tally.partial,
            tally.notModified, tally.aborted, tally.local, tally.derived, tally.coded, tally.placedAnew,
            Int(simulation.store.statistics.invalidated),
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

    /// What each planted fault breaks.
    static let plants: [(Fault, Set<Invariant>)] = [
        (.servesStale, [.fresh]), (.storesEverything, [.shared]), (.ignoresVary, [.variant, .shared]),
        (.storesTruncated, [.whole]), (.skipsInvalidation, [.purged]), (.stampsLate, [.purged, .fresh]),
        (.ignoresSoftPurges, [.fresh]), (.neverReleases, [.answered]), (.fetchesTwice, [.alone]),
        (.renewsBlindly, [.age, .fresh, .whole]), (.shiftsRanges, [.whole]),
        (.answersHeadWithBody, [.condition]),
        (.confusesHosts, [.variant]), (.answersNotModified, [.condition]), (.servesAfterErrors, [.fresh]),
        (.ignoresClients, [.asked, .fresh]), (.miscounts, [.statistics]), (.forgetsWaiters, [.answered]),
        (.forgetsAge, [.age]),
    ]

    @Test(arguments: plants)
    func itNoticesAPlantedFault(fault: Fault, breaks: Set<Invariant>) throws {
        var found: Violation?
        for seed in 1...8 where found == nil {
            found = try Simulation(seed: UInt64(seed), fault: fault).run(steps: 10_000)
        }
        let violation = try #require(found, "nobody noticed")
        #expect(breaks.contains(violation.invariant), "\(violation)")
    }

    @Test func everyFaultIsPlanted() {
        let planted = Self.plants.map(\.0) + [.none]
        #expect(
            planted.sorted { $0.rawValue < $1.rawValue }
                == Fault.allCases.sorted { $0.rawValue < $1.rawValue })
    }
}

extension Simulation {
    func report(_ violation: Violation) -> String {
        "seed \(seed), step \(step): \(violation)\n\(trace.text(steps: 40))"
    }
}
