/// The work that waits for the helper threads. `HelperThreads` keeps it under a lock.
///
/// Variants wait in a queue of limited length. A sweep and the writing of notices are flags: asking for them
/// is never refused, and asking again changes nothing. Steps of a sweep and variants alternate. One thread
/// sweeps at a time. A sweep that is asked for during a step means one more step.
struct HelperQueue {
    /// The most variants that may wait. Beyond that they are refused, and a later hit asks again.
    static var limit: Int { 4096 }

    /// The jobs before index `next` are taken.
    private var jobs: [VariantJob] = []
    private var next = 0
    var isSweepWanted = false
    /// Notices of shortages have to be written.
    var isTellingWanted = false
    /// A thread is at a step of the sweep.
    private var isSweeping = false
    /// The last job taken was a step of the sweep.
    private var wasSweep = false
    var hasStopped = false

    private var waiting: Int { jobs.count - next }

    /// Whether `take` returns a job.
    var hasWork: Bool { waiting > 0 || maySweep || isTellingWanted }

    private var maySweep: Bool { isSweepWanted && !isSweeping }

    /// Adds a variant.
    /// - Returns: false if too many wait, or the threads end.
    mutating func put(_ job: VariantJob) -> Bool {
        guard waiting < Self.limit, !hasStopped else { return false }
        jobs.append(job)
        return true
    }

    /// Removes the next job; nil if there is none.
    mutating func take() -> HelperJob? {
        if isTellingWanted {
            isTellingWanted = false
            return .tell
        }
        if maySweep, !wasSweep || waiting == 0 {
            isSweepWanted = false
            isSweeping = true
            wasSweep = true
            return .sweep
        }
        guard waiting > 0 else { return nil }
        wasSweep = false
        let job = jobs[next]
        next += 1
        if waiting == 0 || next >= 256 {
            jobs.removeFirst(next)
            next = 0
        }
        return .variant(job)
    }

    /// Notes that the step of the sweep which was taken is done.
    /// - Parameter hasMore: the sweep is not complete.
    mutating func endSweep(hasMore: Bool) {
        isSweeping = false
        if hasMore { isSweepWanted = true }
    }
}

/// One job of a helper thread.
enum HelperJob {
    /// Write the notices of shortages.
    case tell
    case variant(VariantJob)
    /// Do one step of a sweep, then call `endSweep`.
    case sweep
}
