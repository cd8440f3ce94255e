internal import Bytes
public import Kernel
internal import Synchronization
internal import SystemPackage

/// The access log of one worker process: threads hand over records, one writer thread formats and writes
/// them.
///
///     worker thread                                  writer thread
///     AccessLogThread.write → own batch
///     AccessLogThread.flush → lane (lock, append) ─▶ swap with an empty batch (lock) → format → write
///
/// A worker never waits for the disk or for whoever reads the pipe: a lane that is full drops, and counts
/// what it dropped. The writer is woken only when it sleeps, or when a lane is half full; else it looks every
/// 20 ms.
///
/// Invariant: a lane's lock is held for a copy of one turn's records or a swap, never for formatting or I/O.
public final class AccessLog: Sendable {
    public enum Destination: Sendable, Equatable {
        case none
        case standardOutput
        /// Appended to; opened anew by `reopen`.
        case file(String)
    }

    public struct Options: Sendable {
        public var destination: Destination
        public var format: LogFormat
        /// The names behind `AccessRecord.route` and `.server`.
        public var routes: [String]
        public var servers: [String]
        /// The codes behind the numbers of `AccessRecord.reasons`; number 0 is not used.
        public var reasons: [String]
        /// Bytes that may wait for the writer, per thread.
        public var bytesPerThread = 1 << 20

        public init(
            destination: Destination, format: LogFormat = .json, routes: [String] = [],
            servers: [String] = [], reasons: [String] = []
        ) {
            self.destination = destination
            self.format = format
            self.routes = routes
            self.servers = servers
            self.reasons = reasons
        }
    }

    /// How long the start waits for a destination that does not open.
    private static let openingMilliseconds = 3_000
    /// How long `stop` waits for a writer that does not come back from writing.
    private static let stoppingMilliseconds = 3_000

    private let shared: Shared
    private let hasWriter: Bool
    /// nil where nothing is logged.
    private let writer: RunningThread?

    /// Starts the writer, which opens the destination. Where that takes longer than three seconds (a file
    /// system that hangs) Larder starts without it, and what it has to write waits.
    ///
    /// - Parameters:
    ///   - threads: how many worker threads there are; `thread(_:)` serves each of them once.
    ///   - notice: told, on the writer's thread, of lines that were dropped, why, and when that is over (at
    ///     most one notice in 10 s).
    /// SIGPIPE and SIGXFSZ must be ignored.
    public init(
        _ options: Options, threads: Int, notice: @escaping @Sendable (String) -> Void
    ) throws(AccessLogFailure) {
        hasWriter = options.destination != .none
        do throws(Errno) {
            shared = Shared(
                counter: try EventCounter(), told: try EventCounter(), lanes: threads,
                limit: options.bytesPerThread)
            guard hasWriter else {
                writer = nil
                return
            }
            let seed = LogWriter(options, shared, notice)
            writer = RunningThread(
                try Thread.spawn(name: "access-log", seed: seed) { seed in
                    var writer = seed
                    writer.run()
                })
        } catch {
            throw AccessLogFailure("cannot start the access log's writer: \(error)")
        }
        switch shared.opening(withinMilliseconds: Self.openingMilliseconds) {
        case .open: break
        case .failed(let error):
            throw AccessLogFailure(opening: options.destination.name, error)
        case .pending:
            notice(
                "the access log \(options.destination.name) does not open (a file system that hangs?); "
                    + "lines wait, and are dropped when they are too many")
        }
    }

    /// The end of thread `index`: to be taken once, by that thread.
    public func thread(_ index: Int) -> AccessLogThread {
        AccessLogThread(shared: shared, lane: shared.lanes[index], isEnabled: hasWriter)
    }

    /// Opens the file anew, under the same path (after a rotation). Done by the writer soon after. From any
    /// thread.
    public func reopen() {
        shared.mustReopen.store(true, ordering: .releasing)
        shared.counter.signal()
    }

    /// Writes what was flushed before, and ends the writer: within a second where nobody reads.
    /// - Returns: false where the writer does not end, because the file system does not answer it.
    @discardableResult
    public func stop() -> Bool {
        shared.mustStop.store(true, ordering: .releasing)
        shared.counter.signal()
        return writer?.join(by: Deadline(milliseconds: Self.stoppingMilliseconds)) ?? true
    }
}

/// What the worker threads and the writer share.
final class Shared: Sendable {
    let counter: EventCounter
    let lanes: [Lane]
    /// Bytes that a lane may hold.
    let limit: Int
    /// The writer sleeps without end, and found all lanes empty after it had said so.
    let isIdle = Atomic<Bool>(false)
    let mustReopen = Atomic<Bool>(false)
    let mustStop = Atomic<Bool>(false)
    private let told: EventCounter
    private let state = Locked(Opening.pending)

    /// What opening the destination came to.
    enum Opening: Sendable {
        case pending, open
        case failed(Errno)
    }

    init(counter: consuming EventCounter, told: consuming EventCounter, lanes count: Int, limit: Int) {
        self.counter = counter
        self.told = told
        self.limit = limit
        lanes = (0..<count).map { _ in Lane() }
    }

    /// By the writer.
    func tell(_ opening: Opening) {
        state.withLock { $0 = opening }
        told.signal()
    }

    /// Waits for the writer to tell, for so long at most.
    func opening(withinMilliseconds limit: Int) -> Opening {
        let deadline = Deadline(milliseconds: limit)
        while true {
            let opening = state.withLock { $0 }
            let remaining = deadline.remainingMilliseconds
            guard case .pending = opening, remaining > 0 else { return opening }
            told.wait(timeoutMilliseconds: remaining)
        }
    }

    final class Lane: Sendable {
        let batch = Locked(Batch(textCapacity: 1 << 16))
    }
}

/// A worker thread's end of the log. Confined to its thread.
public struct AccessLogThread: ~Copyable, Sendable {
    /// Bytes after which records are handed over without waiting for the turn's end.
    static var turnBytes: Int { 1 << 15 }

    private let shared: Shared
    private let lane: Shared.Lane
    /// Is there anyone to write to? If not, `write` does nothing.
    public let isEnabled: Bool
    private var pending: Batch

    init(shared: Shared, lane: Shared.Lane, isEnabled: Bool) {
        self.shared = shared
        self.lane = lane
        self.isEnabled = isEnabled
        pending = Batch(textCapacity: isEnabled ? 2 * Self.turnBytes : 0)
    }

    /// What the writer is woken by.
    public var descriptors: [CInt] { [shared.counter.raw] }

    /// Notes one request. Copies, takes no lock, and does not allocate once the buffers have grown.
    /// - Parameter peer: the connection's other end.
    public mutating func write(
        _ record: AccessRecord, peer: borrowing SocketAddress, _ texts: borrowing AccessTexts
    ) {
        guard isEnabled else { return }
        pending.add(record, peer: peer, texts)
        if pending.size >= Self.turnBytes { flush() }
    }

    /// Copies what `write` would note, for a request whose answer is still being sent. Allocates.
    public func hold(
        _ record: AccessRecord, peer: borrowing SocketAddress, _ texts: borrowing AccessTexts
    ) -> HeldRecord {
        var text = ByteBuffer(capacity: 256)
        let lengths = Batch.append(peer, texts, to: &text)
        return HeldRecord(record: record, texts: text.span.copied, lengths: lengths)
    }

    /// Notes a request that was held.
    public mutating func write(_ held: HeldRecord) {
        guard isEnabled else { return }
        pending.add(held)
        if pending.size >= Self.turnBytes { flush() }
    }

    /// Hands the turn's records over: to be called once per turn, before the loop waits.
    public mutating func flush() {
        guard !pending.isEmpty else { return }
        let limit = shared.limit
        let (before, after) = lane.batch.withLock { batch in
            let before = batch.size
            if before > 0, before + pending.size > limit {
                batch.dropped += UInt64(pending.entries.count)
            } else {
                batch.append(pending)
            }
            return (before, batch.size)
        }
        pending.removeAll()
        // The writer says that it is idle before it looks at the lanes for the last time, and both sides take
        // the lane's lock: either it saw these records, or this sees the flag.
        if shared.isIdle.load(ordering: .relaxed), shared.isIdle.exchange(false, ordering: .relaxed) {
            shared.counter.signal()
        } else if before < limit / 2, after >= limit / 2 {
            shared.counter.signal()
        }
    }
}
