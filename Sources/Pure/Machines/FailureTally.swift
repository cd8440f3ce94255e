/// What becomes of a request that a server failed.
public enum Remedy: Sendable, Equatable {
    /// It goes to this server.
    case retried(on: Int)
    /// The client gets this status.
    case answered(UInt16)
    /// A stale entry answers.
    case stale
    /// The answer had begun: the client's connection ends before the answer's end.
    case cut
    /// No client waits for it.
    case dropped
}

/// Failures of servers, added up for notices: of each server and cause the first is told at once, those that
/// follow as a count for each interval. Pure: the caller has the clock.
public struct FailureTally: Sendable {
    /// Milliseconds between two notices of one server and cause.
    public static var interval: UInt64 { 30_000 }

    /// What one notice says.
    public struct Notice: Sendable {
        public let server: Int
        public let cause: Cause
        /// Nothing was told of this server and cause in the interval before.
        public var isFirst: Bool
        public var requests = 0
        public var retried = 0
        public var answered = 0
        public var stale = 0
        public var cut = 0
        public var dropped = 0
        /// Of the last request that was answered, or went to another server.
        public var status: UInt16 = 0
        public var retriedOn = -1
        /// What the first of these answers broke, and the bytes.
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
    /// - Returns: is there something to tell at once?
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

    /// Takes the notices that are due, in the order of their first failures. A server and cause without a
    /// failure in the last interval is forgotten.
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

    /// When something is due next; nil: never, as things are.
    public var nextDue: UInt64? { cells.map(\.due).min() }
}
