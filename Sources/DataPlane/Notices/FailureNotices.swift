internal import Bytes
internal import HTTP
internal import Kernel
internal import Logging
internal import Machines
internal import Settings
internal import Synchronization
internal import SystemPackage

/// Writes notices on its own thread, so that no worker waits for the reader of the notices. It tells of
/// servers that fail, of clients that send fields as proxies do, and once an hour of how many answers were
/// stored.
///
/// A worker takes the lock to add a failure. A request that succeeds never takes it.
final class FailureNotices: Sendable {
    private let tally = Locked(FailureTally())
    private let strangers = Locked(Strangers())
    private let knowsEnoughStrangers = Atomic<Bool>(false)
    private let counter: EventCounter
    private let mustStop = Atomic<Bool>(false)
    private let thread = Locked<RunningThread?>(nil)
    /// Upstream and name, in the order of `Site.servers`.
    private let names: [String]
    private let notices: Logger

    /// The descriptors that a worker needs to wake the thread.
    var descriptors: [CInt] { [counter.raw] }

    init(servers names: [String], _ notices: Logger) throws(Errno) {
        counter = try EventCounter()
        self.names = names
        self.notices = notices
    }

    /// Starts the thread.
    /// - Parameter report: called once an hour, on that thread.
    func start(hourly report: @escaping @Sendable () -> Void) throws(Errno) {
        let handle = try Thread.spawn(name: "notices", seed: self) { $0.run(report) }
        let started = RunningThread(handle)
        thread.withLock { $0 = started }
    }

    /// Writes the notices that wait, and ends the thread.
    func stop() {
        mustStop.store(true, ordering: .releasing)
        counter.signal()
        _ = thread.withLock { $0.take() }?.join(by: Deadline(milliseconds: 1_000))
    }

    /// Adds a failure of a server. From any thread.
    func note(_ server: Int, _ cause: Cause, _ remedy: Remedy) {
        if tally.withLock({ $0.note(server, cause, remedy) }) { counter.signal() }
    }

    /// Adds a failure of a server whose response broke a rule of HTTP. From any thread.
    /// - Parameter found: the bytes that break the rule.
    func note(
        _ server: Int, _ cause: Cause, _ remedy: Remedy, rule: StaticString, found: borrowing ByteBuffer
    ) {
        let bytes = found.span.copied
        let isNew = tally.withLock { $0.note(server, cause, remedy, rule: rule, found: bytes) }
        if isNew { counter.signal() }
    }

    /// Whether one more untrusted client can be noted.
    var wantsStrangers: Bool { !knowsEnoughStrangers.load(ordering: .relaxed) }

    /// Notes a client that is not trusted and sent a field that only proxies send. Does nothing for a client
    /// that is known. From any thread.
    func note(stranger: PeerSet.Peer, field: String) {
        let (isNew, isFull) = strangers.withLock { strangers in
            (strangers.note(stranger, field: field), strangers.isFull)
        }
        if isFull { knowsEnoughStrangers.store(true, ordering: .relaxed) }
        if isNew { counter.signal() }
    }

    private static var hour: UInt64 { 3_600_000 }

    private func run(_ report: @Sendable () -> Void) {
        var nextReport = Clock.bootMilliseconds() + Self.hour
        while !mustStop.load(ordering: .acquiring) {
            let now = Clock.bootMilliseconds()
            for notice in tally.withLock({ $0.take(now: now) }) { tell(notice) }
            for stranger in strangers.withLock({ $0.take() }) { notices.warning("\(stranger.notice)") }
            if now >= nextReport {
                report()
                nextReport = now + Self.hour
            }
            let due = min(tally.withLock { $0.nextDue } ?? nextReport, nextReport)
            counter.wait(timeoutMilliseconds: Int(due - min(due, now)))
        }
        for notice in tally.withLock({ $0.takeAll() }) { tell(notice) }
    }

    private func tell(_ notice: FailureTally.Notice) {
        var metadata: Logger.Metadata = [
            "server": "\(name(notice.server))", "cause": "\(notice.cause.code)",
            "requests": "\(notice.requests)", "remedy": "\(remedy(notice))",
        ]
        if let rule = notice.rule { metadata["rule"] = "\(rule)" }
        if !notice.found.isEmpty { metadata["found"] = "\(Self.printable(notice.found))" }
        if notice.isFirst {
            notices.warning("\(notice.cause.explanation) \(Self.next(notice.cause))", metadata: metadata)
        } else {
            notices.warning(
                "\(notice.cause.explanation) \(notice.requests) more since the last notice.",
                metadata: metadata)
        }
    }

    /// What Larder did for these requests.
    private func remedy(_ notice: FailureTally.Notice) -> String {
        func part(_ count: Int, _ text: String) -> String? {
            count == 0 ? nil : notice.requests == 1 ? text : "\(count) \(text)"
        }
        return [
            part(notice.retried, "retried on \(name(notice.retriedOn))"),
            part(notice.answered, "answered \(notice.status)"), part(notice.stale, "answered stale"),
            part(notice.cut, "answer truncated"), part(notice.dropped, "fetch ended, no client waits"),
        ].compactMap { $0 }.joined(separator: ", ")
    }

    private func name(_ server: Int) -> String { names.indices.contains(server) ? names[server] : "none" }

    /// Says when the server is tried again.
    private static func next(_ cause: Cause) -> String {
        switch cause {
        case .refused, .unreachable, .noSocket, .connectTimeout:
            "For 1 s the server gets only the requests whose URL hashes to it. Then it is used as before."
        default: "The next request for this server tries again."
        }
    }

    /// Bytes that somebody sent, as printable ASCII.
    private static func printable(_ bytes: [UInt8]) -> String {
        var text = ""
        for byte in bytes {
            switch byte {
            case 0x0a: text += "\\n"
            case 0x0d: text += "\\r"
            case 0x09: text += "\\t"
            case 0x5c: text += "\\\\"
            case 0x20..<0x7f: text.unicodeScalars.append(Unicode.Scalar(byte))
            default: text += "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
            }
        }
        return text
    }
}
