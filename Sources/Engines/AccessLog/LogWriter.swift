import Bytes
import Kernel
import Synchronization
import SystemPackage

/// The writer's thread: opens the destination, collects the lanes' batches, formats, writes. Built by
/// `AccessLog`, moved into the thread.
///
/// Whatever may wait for long (a file system that hangs, a pipe that nobody reads) makes this thread wait and
/// no other. A pipe, a terminal or a socket is polled before each write, so that only a file system can hold
/// the thread where it does not look at what it is told.
///
/// Lines are whole or cut at their end, never joined: what is written after a cut line begins with a line
/// break.
struct LogWriter: ~Copyable, Sendable {
    /// How long records may wait for company, so that a busy worker costs no wake-ups.
    private static let lingerMilliseconds = 20
    /// Text to collect before a write.
    private static let writeBytes = 1 << 16
    /// A pipe that polls writable takes this much without blocking (PIPE_BUF).
    private static let pipeBytes = 4_096
    /// How long to wait for a reader before looking around.
    private static let pollMilliseconds = 200
    /// Waits for a reader that are no news yet.
    private static let quietPolls = 5
    /// How long a stream may still be waited for once the process ends.
    private static let patienceMilliseconds: UInt64 = 800

    private let shared: Shared
    private let notice: @Sendable (String) -> Void
    private let destination: AccessLog.Destination
    /// nil: a pipe without a reader, tried again for each text.
    private var output: Descriptor?
    private var isStream = false
    private var formatter: LogFormatter
    private var spare: Batch
    private var text: ByteBuffer
    /// What was written last ends inside a line.
    private var isInsideLine = false
    /// `text` goes on with that line.
    private var textContinues = false
    private var trouble: LogTrouble
    /// When to stop trying to write to a stream that nobody reads; set once the process ends.
    private var giveUp: UInt64?

    init(
        _ options: AccessLog.Options, _ shared: Shared, _ notice: @escaping @Sendable (String) -> Void
    ) {
        self.shared = shared
        self.notice = notice
        destination = options.destination
        formatter = LogFormatter(options)
        spare = Batch(textCapacity: Self.writeBytes)
        text = ByteBuffer(capacity: 2 * Self.writeBytes)
        trouble = LogTrouble(name: options.destination.name)
    }

    mutating func run() {
        do throws(Errno) {
            try open()
            shared.tell(.open)
        } catch {
            return shared.tell(.failed(error))
        }
        while true {
            if shared.mustReopen.exchange(false, ordering: .acquiring) { reopen() }
            // Read before the lanes: what was flushed before `stop` is seen.
            let isLast = shared.mustStop.load(ordering: .acquiring)
            let found = collect()
            if isLast { break }
            tellTrouble()
            if found {
                shared.counter.wait(timeoutMilliseconds: Self.lingerMilliseconds)
            } else {
                shared.isIdle.store(true, ordering: .relaxed)
                if isEmpty() {
                    // A notice that is not due yet is given even if no record follows.
                    let limit = trouble.isPending ? Int(LogTrouble.intervalMilliseconds) : nil
                    shared.counter.wait(timeoutMilliseconds: limit)
                }
                shared.isIdle.store(false, ordering: .relaxed)
            }
        }
        tellTrouble(isLast: true)
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
            if spare.dropped > 0 { trouble.note(.slow, lines: Int(clamping: spare.dropped)) }
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

    // MARK: Writing

    /// Writes and empties `text`. What cannot be written is given up: the records after it matter as much.
    private mutating func writeText() {
        var polls = 0
        while !text.isEmpty {
            if let giveUp, Clock.monotonicMilliseconds() >= giveUp { return dropText(.unread) }
            guard hasOutput() else { return dropText(.unread) }
            if isStream, !waitWritable() {
                polls += 1
                waitedForReader(polls)
                continue
            }
            switch writeOnce() {
            case .bytes(let n) where n > 0: polls = 0
            case .failed(let errno): return dropText(.failed(errno))
            case .endOfStream, .bytes: return dropText(.failed(.ioError))
            case .wouldBlock:
                // No room for so much after all: another wrote to it.
                Spin.rest()
                polls += 1
                if polls % 1_000 == 0 { waitedForReader(polls / 1_000) }
            }
        }
    }

    private func waitWritable() -> Bool {
        output?.waitWritable(timeoutMilliseconds: Self.pollMilliseconds) ?? false
    }

    /// One write: of the line break that a cut line lacks, or of the text.
    private mutating func writeOnce() -> IOResult {
        if isInsideLine, !textContinues {
            let lineBreak: InlineArray<1, UInt8> = [0x0a]
            let result = output?.write(lineBreak.span) ?? .wouldBlock
            if result == .bytes(1) { isInsideLine = false }
            return result
        }
        let run = isStream ? min(text.count, Self.pipeBytes) : text.count
        let result = output?.write(text.span.extracting(first: run)) ?? .wouldBlock
        guard case .bytes(let n) = result, n > 0 else { return result }
        isInsideLine = text.span[n - 1] != 0x0a
        text.removeFirst(n)
        textContinues = isInsideLine
        trouble.noteWritten()
        return result
    }

    /// Nobody reads. Meanwhile the lanes fill and drop; a rotation is obeyed, and the end of the process does
    /// not wait for long.
    private mutating func waitedForReader(_ polls: Int) {
        if shared.mustStop.load(ordering: .acquiring) {
            giveUp = giveUp ?? Clock.monotonicMilliseconds() + Self.patienceMilliseconds
        }
        if shared.mustReopen.exchange(false, ordering: .acquiring) { reopen() }
        guard polls >= Self.quietPolls else { return }
        var dropped: UInt64 = 0
        for lane in shared.lanes {
            lane.batch.withLock { batch in
                dropped += batch.dropped
                batch.dropped = 0
            }
        }
        trouble.note(.unread, lines: Int(clamping: dropped))
        tellTrouble()
    }

    private mutating func dropText(_ cause: LogTrouble.Cause) {
        var lines = 0
        for index in 0..<text.count where text.span[index] == 0x0a { lines += 1 }
        text.removeAll()
        textContinues = false
        trouble.note(cause, lines: lines)
        // The other end of a pipe is gone: the next text looks for another.
        if cause == .failed(.brokenPipe), case .file = destination { output = nil }
    }

    // MARK: Opening

    private mutating func open() throws(Errno) {
        switch destination {
        case .none: preconditionFailure("no destination, no writer")
        case .standardOutput: try take(try Descriptor.standardOutput(), isInsideLine: false)
        case .file(let path):
            let isInsideLine = Descriptor.endsInsideLine(path)
            let fresh: Descriptor
            do {
                fresh = try Descriptor.log(at: path)
            } catch {
                guard error == .noSuchAddressOrDevice, Descriptor.isPipe(path) else { throw error }
                output = nil
                return
            }
            try take(fresh, isInsideLine: isInsideLine)
        }
    }

    private mutating func take(_ fresh: consuming Descriptor, isInsideLine: Bool) throws(Errno) {
        let kind = try fresh.status().kind
        // A disk, say: lines would be written over what is on it.
        guard kind == .regular || kind == .stream else { throw .notSupported }
        isStream = kind == .stream
        output = consume fresh
        self.isInsideLine = isInsideLine
    }

    /// Is there something to write to, perhaps only now?
    private mutating func hasOutput() -> Bool {
        if output == nil { try? open() }
        return output != nil
    }

    private mutating func reopen() {
        guard case .file(let path) = destination else { return }
        // The rest of a line that the old file has begun is of no use in the new one.
        if textContinues {
            var end = 0
            while end < text.count, text.span[end] != 0x0a { end += 1 }
            text.removeFirst(min(end + 1, text.count))
            textContinues = false
            trouble.note(.unread, lines: 1)
        }
        do {
            try open()
        } catch {
            notice("cannot reopen the access log \(path): \(error); writing on to the old file")
        }
    }

    private mutating func tellTrouble(isLast: Bool = false) {
        let now = Clock.monotonicMilliseconds()
        if let text = trouble.notice(now: now, isLast: isLast) { notice(text) }
    }
}

extension AccessLog.Destination {
    var name: String {
        switch self {
        case .none: "none"
        case .standardOutput: "stdout"
        case .file(let path): path
        }
    }
}
