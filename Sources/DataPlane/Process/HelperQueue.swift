/// What waits for the helper threads. A value: `HelperThreads` locks it.
///
/// Variants wait in line, as many as there is room for. That the store is to be swept is no job but a wish:
/// it is never refused, and however often it is said it is one. Steps of a sweep and variants take turns, and
/// one thread sweeps at a time; what is wished for during its step is another step.
struct HelperQueue {
    /// Jobs that may wait; more are refused, and asked for again by a later hit.
    static var limit: Int { 4096 }

    /// Those before `next` are done.
    private var jobs: [VariantJob] = []
    private var next = 0
    var isSweepWanted = false
    /// Notices are to be written.
    var isTellingWanted = false
    private var isSweeping = false
    private var wasSweep = false
    var hasStopped = false

    private var waiting: Int { jobs.count - next }

    /// Is there something to take?
    var hasWork: Bool { waiting > 0 || maySweep || isTellingWanted }

    private var maySweep: Bool { isSweepWanted && !isSweeping }

    /// False: too many wait.
    mutating func put(_ job: VariantJob) -> Bool {
        guard waiting < Self.limit, !hasStopped else { return false }
        jobs.append(job)
        return true
    }

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

    /// The step of a sweep that was taken is done.
    mutating func endSweep(hasMore: Bool) {
        isSweeping = false
        if hasMore { isSweepWanted = true }
    }
}

/// What a helper does next.
enum HelperJob {
    /// Write the notices of shortages.
    case tell
    case variant(VariantJob)
    /// A step of a sweep, to be followed by `endSweep`.
    case sweep
}
