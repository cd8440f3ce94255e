/// Other codings of stored bodies, made later and beside the threads, as `Proxy`'s `VariantMaker` does: the
/// original is copied in one step and the variant stored in another, whatever has happened in between. The
/// "coding" is `br` by name, and one byte in front of the body.
import Bytes
import Caching
import SeededRandom
import Store

/// A variant to be made.
struct Job {
    var keyed: Keyed
    var serial: UInt64
    /// nil: the original has not been copied yet.
    var draft: Draft?

    struct Draft {
        var stamp: FetchStamp
        var facts: EntryFacts
        var head: [UInt8]
        var body: [UInt8]
        var vary: [UInt8]
    }

    static let mark = UInt8(ascii: "Z")
}

extension Simulation {
    /// Somebody would have it in another coding.
    func order(_ keyed: Keyed, _ serial: UInt64) {
        guard jobs.count < 8, !jobs.contains(where: { $0.serial == serial }) else { return }
        jobs.append(Job(keyed: keyed, serial: serial))
    }

    /// The next step of some job.
    func work() {
        guard !jobs.isEmpty else { return }
        let index = random.below(jobs.count)
        let seat = random.below(2)
        wake(seat)
        guard let draft = jobs[index].draft else {
            jobs[index].draft = copy(seats[seat].store, jobs[index])
            if jobs[index].draft == nil { jobs.remove(at: index) }
            return
        }
        insert(jobs.remove(at: index), draft, seats[seat])
    }

    private func copy(_ store: borrowing StoreThread, _ job: Job) -> Job.Draft? {
        let stamp = store.stamp(job.keyed.hash)
        guard let view = store.original(key: job.keyed.bytes.span, hash: job.keyed.hash, serial: job.serial)
        else {
            return nil
        }
        return Job.Draft(
            stamp: stamp, facts: EntryFacts(view.facts), head: view.head.copied, body: view.body.copied,
            vary: view.vary.copied)
    }

    private func insert(_ job: Job, _ draft: Job.Draft, _ seat: Seat) {
        var facts = draft.facts
        facts.coding = .br
        let body = [Job.mark] + draft.body
        headOut.removeAll()
        let isDerived = StoredHead.derive(
            from: draft.head.span, coding: .br, bodyCount: body.count, limit: rules.maxHeadBytes,
            into: &headOut)
        guard isDerived else { return }
        let stamp = fault == .stampsLate ? seat.store.stamp(job.keyed.hash) : draft.stamp
        let outcome = lend(headOut) {
            seat.store.insert(
                key: job.keyed.bytes.span, hash: job.keyed.hash,
                variant: .derived(coding: Codings.br.rawValue, from: job.serial),
                facts: facts.record, vary: draft.vary.span, head: $0, body: body.span,
                expires: facts.expirySeconds,
                now: UInt32(clamping: times.wallSeconds), stamp: stamp)
        }
        if outcome == .stored { tally.derived += 1 }
        trace.note(step, .derived, Int(job.serial), outcome == .stored ? 1 : 0)
    }
}
