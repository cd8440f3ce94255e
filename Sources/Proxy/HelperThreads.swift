internal import Bytes
internal import Caching
internal import Compression
internal import Kernel
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

/// What a loop has others do.
enum HelperJob: Sendable {
    case variant(VariantJob)
    /// Apply the bans to the records, so that they retire.
    case sweep
}

/// Helper threads of low priority, for work on the store that would stall a loop: they compress stored bodies
/// once, for all later hits, and sweep after bulk purges.
///
/// A worker claims the coding on the record, so that it is asked for once, and goes on with the body as it
/// is. The helper reads the original from the store and puts the variant beside it: each has its own row
/// there, and nobody waits for it. What came out no smaller is not kept, and the claim keeps it from being
/// tried again.
final class HelperThreads: Sendable {
    /// Jobs that may wait; more are refused, and asked for again by a later hit.
    private static var queueLimit: Int { 4096 }

    private struct Queue {
        /// Those before `next` are done.
        var jobs: [HelperJob] = []
        var next = 0
        var hasStopped = false

        var waiting: Int { jobs.count - next }

        mutating func take() -> HelperJob? {
            guard waiting > 0 else { return nil }
            let job = jobs[next]
            next += 1
            if waiting == 0 || next >= 256 {
                jobs.removeFirst(next)
                next = 0
            }
            return job
        }
    }

    private struct Seed: ~Copyable, Sendable {
        let maker: VariantMaker
        let threads: HelperThreads
    }

    private let queue = Locked(Queue())
    private let counter: EventCounter
    private let running = Locked<[JoinBox]>([])

    /// nil: the kernel's.
    private let clock: SteeredClock?

    init(_ clock: SteeredClock?) throws(Errno) {
        counter = try EventCounter()
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
        let box = JoinBox(handle)
        running.withLock { $0.append(box) }
    }

    private static func run(_ seed: consuming Seed) {
        let threads = seed.threads
        var maker = seed.maker
        while let job = threads.nextJob() {
            switch job {
            case .variant(let job): maker.make(job)
            // A step at a time: what was asked for meanwhile goes before the rest.
            case .sweep: if maker.sweep() { _ = threads.request(.sweep) }
            }
        }
    }

    /// From any thread. False: too many wait.
    func request(_ job: HelperJob) -> Bool {
        let isAccepted = queue.withLock { queue in
            guard queue.waiting < Self.queueLimit, !queue.hasStopped else { return false }
            queue.jobs.append(job)
            return true
        }
        if isAccepted { counter.signal() }
        return isAccepted
    }

    /// Ends the threads after the job in their hands; what waits is dropped.
    func stop() {
        queue.withLock { $0.hasStopped = true }
        counter.signal()
        let boxes = running.withLock { list in
            defer { list = [] }
            return list
        }
        for box in boxes { box.join() }
    }

    /// Waits for one; nil: the end.
    private func nextJob() -> HelperJob? {
        while true {
            let (job, goesOn) = queue.withLock { queue -> (HelperJob?, Bool) in
                queue.hasStopped ? (nil, true) : (queue.take(), queue.waiting > 0)
            }
            // The counter wakes one thread: it wakes the next where there is more, an end included.
            if goesOn { counter.signal() }
            if let job { return job }
            if goesOn { return nil }
            counter.wait(timeoutMilliseconds: nil)
        }
    }
}
