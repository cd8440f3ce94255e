/// What happens to a request after a server failed it.
public enum Remedy: Sendable, Equatable {
    /// It goes to this server.
    case retried(on: Int)
    /// The client gets this status.
    case answered(UInt16)
    /// A stale entry answers.
    case stale
    /// The answer had begun: the client's connection is closed before the end of the answer.
    case cut
    /// No client waits for the answer.
    case dropped
}

/// Counts server failures for notices. For each server and cause, the first failure is reported at once; the
/// following ones are reported as a count for each interval. Pure: the caller provides the time.
public struct FailureTally: Sendable {
    /// Milliseconds between two notices for one server and cause.
    public static var interval: UInt64 { 30_000 }

    /// The content of one notice.
    public struct Notice: Sendable {
        public let server: Int
        public let cause: Cause
        /// Was there no notice for this server and cause in the last interval?
        public var isFirst: Bool
        public var requests = 0
        public var retried = 0
        public var answered = 0
        public var stale = 0
        public var cut = 0
        public var dropped = 0
        /// The status of the last request that was answered, and the server of the last one that was retried.
        public var status: UInt16 = 0
        public var retriedOn = -1
        /// The rule that the first malformed answer broke, and the bytes that broke it.
        public var rule: StaticString?
        public var found: [UInt8] = []
    }

    private struct Cell {
        var notice: Notice
        /// When the next notice is due.
        var due: UInt64
    }

    private var cells: [Cell] = []

    public init() {}

    /// Adds a failure.
    /// - Returns: is there a notice to report at once?
    public mutating func note(
        _ server: Int, _ cause: Cause, _ remedy: Remedy, rule: StaticString? = nil, found: [UInt8] = []
    ) -> Bool {
        if let index = cells.firstIndex(where: { $0.notice.server == server && $0.notice.cause == cause }) {
            Self.add(remedy, rule, found, to: &cells[index].notice)
            return false
        }
        var notice = Notice(server: server, cause: cause, isFirst: true)
        Self.add(remedy, rule, found, to: &notice)
        cells.append(Cell(notice: notice, due: 0))
        return true
    }

    private static func add(
        _ remedy: Remedy, _ rule: StaticString?, _ found: [UInt8], to notice: inout Notice
    ) {
        if notice.requests == 0 { (notice.rule, notice.found) = (rule, found) }
        notice.requests += 1
        switch remedy {
        case .retried(let server):
            notice.retried += 1
            notice.retriedOn = server
        case .answered(let status):
            notice.answered += 1
            notice.status = status
        case .stale: notice.stale += 1
        case .cut: notice.cut += 1
        case .dropped: notice.dropped += 1
        }
    }

    /// Takes the notices that are due, in the order of their first failures. Forgets servers and causes
    /// without a failure in the last interval.
    public mutating func take(now: UInt64) -> [Notice] {
        var notices: [Notice] = []
        for index in cells.indices where cells[index].due <= now && cells[index].notice.requests > 0 {
            notices.append(cells[index].notice)
            let (server, cause) = (cells[index].notice.server, cells[index].notice.cause)
            cells[index] = Cell(
                notice: Notice(server: server, cause: cause, isFirst: false), due: now + Self.interval)
        }
        cells.removeAll { $0.due <= now }
        return notices
    }

    /// Takes all notices, due or not.
    public mutating func takeAll() -> [Notice] {
        defer { cells = [] }
        return cells.map(\.notice).filter { $0.requests > 0 }
    }

    /// When the next notice is due; nil if there is none.
    public var nextDue: UInt64? { cells.map(\.due).min() }
}
