import Bytes
import Kernel
import Synchronization
import SystemPackage

/// The writer's thread: collects the lanes' batches, formats, writes. Built by `AccessLog`, moved into the
/// thread.
struct LogWriter: ~Copyable, Sendable {
    /// How long records may wait for company, so that a busy worker costs no wake-ups.
    private static let lingerMilliseconds = 20
    /// Text to collect before a write.
    private static let writeBytes = 1 << 16
    /// A pipe that polls writable takes this much without blocking (PIPE_BUF).
    private static let pipeBytes = 4_096
    private static let noticeIntervalMilliseconds: UInt64 = 10_000

    private let shared: Shared
    private let notice: @Sendable (String) -> Void
    private let destination: AccessLog.Destination
    private var output: Descriptor
    private var isStream: Bool
    private var formatter: LogFormatter
    private var spare: Batch
    private var text: ByteBuffer
    private var dropped: UInt64 = 0
    /// When to stop trying to write to a stream that nobody reads; set once the process ends.
    private var giveUp: UInt64?
    private var droppedNoticeDue: UInt64 = 0
    private var errorNoticeDue: UInt64 = 0

    init(
        _ options: AccessLog.Options, _ shared: Shared, _ notice: @escaping @Sendable (String) -> Void
    ) throws(Errno) {
        let output = try Self.open(options.destination)
        let isStream = try output.status().kind != .regular
        self.shared = shared
        self.notice = notice
        destination = options.destination
        self.output = output
        self.isStream = isStream
        formatter = LogFormatter(options)
        spare = Batch(textCapacity: Self.writeBytes)
        text = ByteBuffer(capacity: 2 * Self.writeBytes)
    }

    private static func open(_ destination: AccessLog.Destination) throws(Errno) -> Descriptor {
        switch destination {
        case .none: preconditionFailure("no destination, no writer")
        case .standardOutput: try Descriptor.standardOutput()
        case .file(let path): try Descriptor.appending(to: path)
        }
    }

    mutating func run() {
        while true {
            if shared.mustReopen.exchange(false, ordering: .acquiring) { reopen() }
            // Read before the lanes: what was flushed before `stop` is seen.
            let isLast = shared.mustStop.load(ordering: .acquiring)
            let found = collect()
            if isLast { break }
            tellOfDrops(isLast: false)
            if found {
                shared.counter.wait(timeoutMilliseconds: Self.lingerMilliseconds)
            } else {
                shared.isIdle.store(true, ordering: .relaxed)
                if isEmpty() {
                    // A notice that is not due yet is given even if no record follows.
                    let limit = dropped > 0 ? Int(Self.noticeIntervalMilliseconds) : nil
                    shared.counter.wait(timeoutMilliseconds: limit)
                }
                shared.isIdle.store(false, ordering: .relaxed)
            }
        }
        tellOfDrops(isLast: true)
    }

    private func isEmpty() -> Bool {
        for lane in shared.lanes where !lane.batch.withLock({ $0.isEmpty }) { return false }
        return true
    }

    /// Writes what the lanes hold; false if they held nothing.
    private mutating func collect() -> Bool {
        var found = false
        for lane in shared.lanes {
            swapBatch(lane)
            if spare.isEmpty { continue }
            found = true
            dropped += spare.dropped
            for index in spare.entries.indices {
                formatter.append(spare, index, to: &text)
                if text.count >= Self.writeBytes { writeText() }
            }
            spare.removeAll()
        }
        if !text.isEmpty { writeText() }
        return found
    }

    private mutating func swapBatch(_ lane: Shared.Lane) {
        lane.batch.withLock { batch in swap(&batch, &spare) }
    }

    /// Writes and empties `text`. What cannot be written is given up: the records after it matter as much.
    private mutating func writeText() {
        defer { text.removeAll() }
        while !text.isEmpty {
            if let giveUp, Clock.monotonicMilliseconds() >= giveUp { return }
            if isStream, !output.waitWritable(timeoutMilliseconds: 200) {
                // Nobody reads. Meanwhile the lanes fill and drop; the end of the process does not wait for
                // long.
                guard shared.mustStop.load(ordering: .acquiring) else { continue }
                giveUp = giveUp ?? Clock.monotonicMilliseconds() + 800
                continue
            }
            let run = isStream ? min(text.count, Self.pipeBytes) : text.count
            switch output.write(text.span.extracting(first: run)) {
            case .bytes(let n): text.removeFirst(n)
            case .wouldBlock: continue
            case .endOfStream: return
            case .failed(let errno):
                tellOfError("cannot write the access log: \(errno)")
                return
            }
        }
    }

    private mutating func reopen() {
        guard case .file(let path) = destination else { return }
        do {
            let fresh = try Self.open(destination)
            isStream = try fresh.status().kind != .regular
            output = fresh
        } catch {
            notice("cannot reopen the access log \(path): \(error); writing on to the old file")
        }
    }

    // MARK: Notices

    private mutating func tellOfDrops(isLast: Bool) {
        guard dropped > 0 else { return }
        let now = Clock.monotonicMilliseconds()
        guard isLast || now >= droppedNoticeDue else { return }
        droppedNoticeDue = now + Self.noticeIntervalMilliseconds
        notice("access log: \(dropped) records dropped, the writer could not keep up")
        dropped = 0
    }

    private mutating func tellOfError(_ text: String) {
        let now = Clock.monotonicMilliseconds()
        guard now >= errorNoticeDue else { return }
        errorNoticeDue = now + Self.noticeIntervalMilliseconds
        notice(text)
    }
}
