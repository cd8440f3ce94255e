internal import Bytes
internal import Caching
internal import Compression
internal import Kernel
internal import Machines
internal import Store
internal import Synchronization
internal import SystemPackage

/// A coding of a stored body that a client could take and nobody has made yet.
struct VariantJob: Sendable {
    let key: [UInt8]
    let hash: Hash128
    /// Of the original.
    let serial: UInt64
    let coding: ContentCoding
    /// Bytes of the variant's head at most.
    let headLimit: Int
}

/// Helper threads of low priority, for work on the store that would stall a loop: they compress stored bodies
/// once, for all later hits, and sweep after bulk purges.
///
/// A worker claims the coding on the record, so that it is asked for once, and goes on with the body as it
/// is. The helper reads the original from the store and puts the variant beside it: each has its own row
/// there, and nobody waits for it. What came out no smaller is not kept, and the claim keeps it from being
/// tried again.
final class HelperThreads: Sendable {
    private struct Seed: ~Copyable, Sendable {
        let maker: VariantMaker
        let threads: HelperThreads
    }

    private let queue = Locked(HelperQueue())
    private let counter: EventCounter
    private let running = Locked<[RunningThread]>([])

    /// nil: the kernel's.
    private let clock: SteeredClock?

    let shortages: ShortageNotices

    init(_ clock: SteeredClock?, _ shortages: ShortageNotices) throws(Errno) {
        counter = try EventCounter()
        self.shortages = shortages
        self.clock = clock
    }

    /// What loops wake them by.
    var descriptors: [CInt] { [counter.raw] }

    /// Starts a thread with a row of its own in the store.
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

    /// From any thread. False: too many wait.
    func request(_ job: VariantJob) -> Bool {
        let isAccepted = queue.withLock { $0.put(job) }
        if isAccepted { counter.signal() }
        return isAccepted
    }

    /// From any thread: has the bans applied to the records, so that they retire.
    func requestSweep() {
        queue.withLock { $0.isSweepWanted = true }
        counter.signal()
    }

    /// From any thread: notes that something is short, and has it told where it is time for that.
    func note(_ shortage: Shortage, now: UInt64) {
        guard shortages.note(shortage, now: now) else { return }
        queue.withLock { $0.isTellingWanted = true }
        counter.signal()
    }

    private static let stopMilliseconds = 5_000

    /// Ends the threads after the job in their hands; what waits is dropped.
    /// - Returns: false: one has not ended.
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

    /// Waits for one; nil: the end.
    private func nextJob() -> HelperJob? {
        while true {
            let (job, takeRetry) = queue.withLock { queue -> (HelperJob?, Bool) in
                queue.hasStopped ? (nil, true) : (queue.take(), queue.hasWork)
            }
            // The counter wakes one thread: it wakes the next where there is more, an end included.
            if takeRetry { counter.signal() }
            if let job { return job }
            if takeRetry { return nil }
            counter.wait(timeoutMilliseconds: nil)
        }
    }
}
