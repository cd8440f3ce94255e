/// The schedule: which event comes next is the seed's choice, and nothing else's.
import Bytes
import SeededRandom

@testable import DataPlane

extension Simulation {
    /// Runs so many steps, with pauses in which all comes to rest, and drains at the end.
    /// - Returns: the first promise that was broken.
    func run(steps: Int, pause: Int = 4000) -> Violation? {
        for count in 1...steps where violation == nil {
            advance()
            if count % pause == 0, violation == nil { rest() }
        }
        if violation == nil { drain() }
        return violation
    }

    private func advance() {
        step += 1
        switch random.below(1000) {
        case 0..<230: arrive()
        case 230..<590: turn(random.below(Stage.threads))
        case 590..<820: speakSomewhere()
        case 820..<860: goOn()
        case 860..<880: compress()
        case 880..<926: tick()
        case 926..<928: stepWall()
        case 928..<945: misbehave()
        case 945..<955: disturbIdle()
        case 955..<960: unstall()
        case 960..<967: purge()
        case 967: ban()
        case 968..<975: edit()
        case 975..<979: toggleServer()
        default: arrive()
        }
    }

    /// A helper performs its next job.
    private func compress() {
        let isDone = stage.helpers.performNext(with: &stage.maker)
        if isDone { trace.note(step, .job) }
    }

    private func edit() {
        let resource = random.below(hotCount)
        if random.picks(60) {
            origin.resources[resource].change(&random)
        } else if random.picks(50) {
            origin.failures = origin.failures == Origin.usualFailures ? 60 : Origin.usualFailures
        } else {
            let isPersonal = origin.resources[resource].style.isPersonal
            let directives = Directives.random(&random, isPersonal: isPersonal)
            // What a 304 leaves out stays as it was: only what it says can change.
            if directives.maxAge != nil, !isPersonal, !origin.resources[resource].isSteady {
                origin.resources[resource].style.directives = directives
            }
        }
        trace.note(step, .edit, resource, origin.resources[resource].version)
    }

    // MARK: Time

    private func tick() {
        advance(milliseconds: random.picks(90) ? random.below(300) : random.below(4000))
        trace.note(step, .tick, boot)
    }

    func advance(milliseconds: Int) {
        boot += milliseconds
        clock.advance(milliseconds: UInt64(milliseconds))
    }

    private func stepWall() {
        // Mostly it is set right again: while it is ahead, all that comes is old already.
        let most = random.pick([1, 1, 1, 2000, 20_000, 3_600_000])
        wallOffset = Simulation.era + random.below(2 * most) - most
        clock.setWall(milliseconds: UInt64(boot + wallOffset))
        collapsing.forget(journal: origin.journal.count)
        trace.note(step, .wallStep, wallOffset - Simulation.era)
    }

    // MARK: Purges

    private func purge() {
        let resource = random.below(hotCount)
        let isSoft = random.picks(50)
        notePurge([resource], isSoft: isSoft)
        purge(.url("http://" + Want.host(resource) + Want.target(resource)), isSoft: isSoft)
        trace.note(step, .purge, resource, isSoft ? 1 : 0)
    }

    private func ban() {
        let isSoft = random.picks(50)
        let resource = random.below(hotCount)
        let host = Want.host(resource)
        let all = Array(0..<Simulation.resourceCount)
        let taken: [Int]
        let what: Purge
        switch random.below(20) {
        case 0: (what, taken) = (.everything, all)
        case 1..<5: (what, taken) = (.host(host), all.filter { Want.host($0) == host })
        case 5..<12: (what, taken) = (.key("s\(resource % 3)"), all.filter { $0 % 3 == resource % 3 })
        default:
            let prefix = host + Want.target(resource)
            what = .prefix("http://" + prefix)
            taken = all.filter { (Want.host($0) + Want.target($0)).hasPrefix(prefix) }
        }
        notePurge(taken, isSoft: isSoft)
        purge(what, isSoft: isSoft)
        trace.note(step, .ban, taken.count, isSoft ? 1 : 0)
    }

    private func purge(_ purge: Purge, isSoft: Bool) {
        do {
            if try stage.purger.purge(purge, soft: isSoft) { stage.helpers.requestSweep() }
        } catch {
            report(.purged, "\(error)")
        }
    }

    /// Mostly somebody purges because something has changed.
    private func notePurge(_ resources: [Int], isSoft: Bool) {
        for resource in resources {
            if random.picks(60) { origin.resources[resource].change(&random) }
            if isSoft {
                purges.soft[resource] = step
            } else {
                purges.hard[resource] = step
                purges.version[resource] = origin.resources[resource].version
            }
        }
    }
}
