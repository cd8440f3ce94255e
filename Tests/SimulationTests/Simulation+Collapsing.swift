/// One fetch a key, as the origin sees it: where answers may be stored, plain requests for one resource are
/// with the origin one at a time, because the others wait.
///
/// What the worker may remember of a resource is not known in general. It is for the steady ones: once a
/// client got an answer out of the store, no mark of an earlier answer may keep the next requests from
/// waiting.
import HTTP
import Store

struct Collapsing {
    /// By number less one: all requests that were ever composed.
    var asked: [Ask] = []
    /// By resource: since which step its requests must wait for each other; nil: they need not.
    private(set) var since: [Int: Int] = [:]
    /// By resource: the last serial that may have left a mark.
    private var marked: [Int: Int] = [:]
    /// Of answers before this one nothing is known.
    private var horizon = 0
    var pressure: UInt64 = 0

    mutating func mark(_ resource: Int, serial: Int) {
        since[resource] = nil
        marked[resource] = serial
    }

    mutating func settle(_ resource: Int, serial: Int, step: Int) {
        guard since[resource] == nil, serial >= horizon, serial > marked[resource] ?? -1 else { return }
        since[resource] = step
    }

    /// The clocks were set: answers may be too old to be stored.
    mutating func forget(journal: Int) {
        since = [:]
        horizon = journal
    }

    /// Must this request wait for another's fetch?
    func isPlain(_ number: Int, now: Moment) -> Bool {
        guard number > 0 else { return false }
        let ask = asked[number - 1]
        let want = ask.want
        // Waiting has a limit of four seconds.
        return want.method == .get && want.user == nil && want.bearer == nil && want.range == nil
            && !want.isNoStore && want.coding != .gzipOnly && now.boot - ask.arrived.moment.boot < 3_900
    }
}

extension Simulation {
    /// The origin gives this answer.
    func noteAnswer(_ given: Given) {
        let resource = given.representation.resource
        guard Resource.isSteady(resource), given.style.directives.flags.contains(.noStore) else { return }
        collapsing.mark(resource, serial: given.serial)
    }

    /// The head of an answer has come. One that took long may be too old to be stored.
    func noteDelay(_ given: Given) {
        let resource = given.representation.resource
        guard Resource.isSteady(resource), now.since(given.sent) > 1500 else { return }
        collapsing.mark(resource, serial: given.serial)
    }

    /// An answer out of the store: no mark is left of what came before it.
    func noteStored(_ verdict: Oracle.Verdict) {
        guard case .store = verdict.source, verdict.serial >= 0 else { return }
        let resource = origin.journal[verdict.serial].representation.resource
        guard Resource.isSteady(resource), abs(wallOffset - Simulation.era) < 2, !isMarkUnderWay(resource)
        else { return }
        collapsing.settle(resource, serial: verdict.serial, step: step)
    }

    /// Is an answer that leaves a mark on its way to a worker?
    private func isMarkUnderWay(_ resource: Int) -> Bool {
        let serials = origins.values.map(\.serial) + unread.joined()
        return serials.contains {
            $0 >= 0 && origin.journal[$0].representation.resource == resource
                && origin.journal[$0].style.directives.flags.contains(.noStore)
        }
    }

    func checkCollapsing() {
        var fetching: [Int: Int] = [:]
        for id in originOrder {
            guard let link = origins[id], link.isBusy, let asked = link.asked, let begun = link.begun,
                let since = collapsing.since[asked.resource], begun.step > since,
                collapsing.isPlain(asked.number, now: now)
            else { continue }
            guard let other = fetching.updateValue(asked.number, forKey: asked.resource) else { continue }
            // Where the store has no room, nobody waits for it.
            let pressure = stage.store.statistics.refusedForPressure
            if pressure != collapsing.pressure {
                collapsing.pressure = pressure
                collapsing.forget(journal: origin.journal.count)
            } else {
                let given = origin.journal.filter { $0.representation.resource == asked.resource }.suffix(6)
                report(
                    .alone,
                    """
                    \(asked.number) is fetched beside \(other), which brings the same
                    \(collapsing.asked[asked.number - 1])
                    \(collapsing.asked[other - 1])
                    since \(collapsing.since[asked.resource] ?? 0): \(Array(given))
                    """)
            }
        }
    }
}
