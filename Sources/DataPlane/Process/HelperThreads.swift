internal import Bytes
internal import Caching
internal import Compression
internal import Kernel
internal import Machines
internal import Store
internal import Synchronization
internal import SystemPackage

/// The job to make one coding of a stored body: a client accepts it, and the store does not have it yet.
struct VariantJob: Sendable {
    let key: [UInt8]
    let hash: Hash128
    /// The original's serial.
    let serial: UInt64
    let coding: ContentCoding
    /// The most bytes of the variant's head.
    let headLimit: Int
}

/// Threads of low priority for work on the store that would stall a worker's loop. They compress stored
/// bodies once, for all later hits. They sweep the store after bulk purges.
///
/// A worker claims the coding on the record, so that only one job is made for it, and answers with the body
/// as it is. The helper thread reads the original from the store and stores the variant beside it. Each
/// helper thread has its own row in the store, and no worker waits for it. A variant that is not smaller is
/// not stored. Its claim stays, so nobody tries again.
final class HelperThreads: Sendable {
    private struct Seed: ~Copyable, Sendable {
        let maker: VariantMaker
        let threads: HelperThreads
    }

    private let queue = Locked(HelperQueue())
    private let counter: EventCounter
    private let running = Locked<[RunningThread]>([])

    /// nil for the kernel's clocks.
    private let clock: SteeredClock?

    let shortages: ShortageNotices

    init(_ clock: SteeredClock?, _ shortages: ShortageNotices) throws(Errno) {
        counter = try EventCounter()
        self.shortages = shortages
        self.clock = clock
    }

    /// The descriptors that a worker needs to wake the helper threads.
    var descriptors: [CInt] { [counter.raw] }

    /// Starts a thread that uses this row of the store.
    func start(_ row: consuming StoreThread) throws(Errno) {
        let seed = Seed(maker: VariantMaker(row, clock), threads: self)
        let handle = try Thread.spawn(name: "larder-helper", seed: seed) { seed in
            Thread.yieldToOthers()
            Self.run(seed)
        }
        let thread = RunningThread(handle)
        running.withLock { $0.append(thread) }
    }

    private static func run(_ seed: consuming Seed) {
        let threads = seed.threads
        var maker = seed.maker
        while let job = threads.nextJob() { threads.perform(job, with: &maker) }
    }

    /// Performs one job that waits, on the calling thread, where no helper thread is started.
    /// - Returns: false: none waits.
    func performNext(with maker: inout VariantMaker) -> Bool {
        guard let job = queue.withLock({ $0.take() }) else { return false }
        perform(job, with: &maker)
        return true
    }

    private func perform(_ job: HelperJob, with maker: inout VariantMaker) {
        switch job {
        case .tell: shortages.tell()
        case .variant(let job): maker.make(job)
        case .sweep:
            let hasMore = maker.sweep()
            queue.withLock { $0.endSweep(hasMore: hasMore) }
        }
    }

    /// Asks for a variant. From any thread.
    /// - Returns: false if too many wait.
    func request(_ job: VariantJob) -> Bool {
        let isAccepted = queue.withLock { $0.put(job) }
        if isAccepted { counter.signal() }
        return isAccepted
    }

    /// Asks for a sweep: it applies the bans to all records, so that the bans can be dropped. From any
    /// thread.
    func requestSweep() {
        queue.withLock { $0.isSweepWanted = true }
        counter.signal()
    }

    /// Counts a shortage, and asks for a notice if one is due. From any thread.
    func note(_ shortage: Shortage, now: UInt64) {
        guard shortages.note(shortage, now: now) else { return }
        queue.withLock { $0.isTellingWanted = true }
        counter.signal()
    }

    private static let stopMilliseconds = 5_000

    /// Ends each thread after its present job. Jobs that wait are dropped.
    /// - Returns: false if a thread has not ended in time.
    func stop() -> Bool {
        queue.withLock { $0.hasStopped = true }
        counter.signal()
        let threads = running.withLock { list in
            defer { list = [] }
            return list
        }
        let deadline = Deadline(milliseconds: Self.stopMilliseconds)
        return threads.reduce(true) { $1.join(by: deadline) && $0 }
    }

    /// Waits for a job; nil when the threads end.
    private func nextJob() -> HelperJob? {
        while true {
            let (job, hasStopped, hasMore) = queue.withLock { queue -> (HelperJob?, Bool, Bool) in
                queue.hasStopped ? (nil, true, false) : (queue.take(), false, queue.hasWork)
            }
            // The counter wakes one thread. That thread wakes the next one if there is more work, or to end
            // it.
            if hasMore || hasStopped { counter.signal() }
            if let job { return job }
            if hasStopped { return nil }
            counter.wait(timeoutMilliseconds: nil)
        }
    }
}
