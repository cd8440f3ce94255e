internal import Bytes
internal import HTTP
internal import Kernel
internal import Logging
internal import Machines
internal import Settings
internal import Synchronization
internal import SystemPackage

/// Tells what happens beside requests, on a thread of its own, so that no loop waits for whoever reads the
/// notices: servers that fail, clients that speak as proxies do, and once an hour what became of answers.
///
/// A loop takes the lock to add a failure, never on the way of a request that succeeds.
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

    /// What the loops signal.
    var descriptors: [CInt] { [counter.raw] }

    init(servers names: [String], _ notices: Logger) throws(Errno) {
        counter = try EventCounter()
        self.names = names
        self.notices = notices
    }

    /// Starts the thread.
    /// - Parameter report: is called once an hour, on that thread.
    func start(hourly report: @escaping @Sendable () -> Void) throws(Errno) {
        let handle = try Thread.spawn(name: "notices", seed: self) { $0.run(report) }
        let started = RunningThread(handle)
        thread.withLock { $0 = started }
    }

    /// Tells what is not told yet, and ends the thread.
    func stop() {
        mustStop.store(true, ordering: .releasing)
        counter.signal()
        _ = thread.withLock { $0.take() }?.join(by: Deadline(milliseconds: 1_000))
    }

    /// Adds a failure of a server.
    func note(_ server: Int, _ cause: Cause, _ remedy: Remedy) {
        if tally.withLock({ $0.note(server, cause, remedy) }) { counter.signal() }
    }

    /// As the other, of an answer that broke a rule.
    func note(
        _ server: Int, _ cause: Cause, _ remedy: Remedy, rule: StaticString, found: borrowing ByteBuffer
    ) {
        let bytes = found.span.copied
        let isNew = tally.withLock { $0.note(server, cause, remedy, rule: rule, found: bytes) }
        if isNew { counter.signal() }
    }

    /// Is there room for one more stranger to be told of?
    var wantsStrangers: Bool { !knowsEnoughStrangers.load(ordering: .relaxed) }

    /// Tells of a client that is not trusted and sent a field of proxies, unless it is known.
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
            part(notice.cut, "answer cut off"), part(notice.dropped, "fetch given up, no client waits"),
        ].compactMap { $0 }.joined(separator: ", ")
    }

    private func name(_ server: Int) -> String { names.indices.contains(server) ? names[server] : "none" }

    /// When the server is tried again.
    private static func next(_ cause: Cause) -> String {
        switch cause {
        case .refused, .unreachable, .noSocket, .connectTimeout:
            "For 1 s it gets only the requests that are its own by their URL; then it is tried as before."
        default: "The next request for it tries again."
        }
    }

    /// Bytes of a stranger as printable ASCII.
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
