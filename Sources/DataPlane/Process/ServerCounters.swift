internal import AccessLog
internal import Balancing
internal import Bytes
internal import Caching
internal import Kernel
internal import Loop

/// The counters of each server. Every thread counts in its own row. The sum over all rows holds for the
/// process.
///
/// Invariant: `inFlight` of a server is the number of exchanges that have this server. An exchange counts
/// from the assignment of the server until the exchange ends or gets another server.
enum ServerCounter: Int, CaseIterable {
    /// Exchanges that have the server now. These columns come first, for all servers side by side, because
    /// they are summed to choose a server.
    case inFlight
    /// How often the server was chosen.
    case requests
    /// Part of `requests`: chosen because the key's first choice had its full share of the load.
    case spills
    /// Part of `requests`: chosen after another server had failed the request.
    case retries
    /// How often the server failed a request: no connection, no answer in time, or a malformed or truncated
    /// answer. A pooled connection that the server had closed does not count.
    case failures

    static func column(_ counter: ServerCounter, _ server: Int, of servers: Int) -> Int {
        counter.rawValue * servers + server
    }

    static func table(servers: Int, threads: Int) -> CounterTable {
        CounterTable(rows: threads, columns: answers(servers) + Reason.codes.count)
    }

    /// The column that counts responses which were stored. After it comes one column for each reason why a
    /// response was not stored.
    static func answers(_ servers: Int) -> Int { allCases.count * servers }
}

/// A thread's view of the servers: its own counters, the loads that a choice is based on, and the servers
/// that failed to connect a moment ago.
struct ServerCounters: ~Copyable {
    /// A server that failed to connect gets no spills for this long. There is nothing to tune: this only
    /// limits how often an idle, dead server is tried for requests that other servers could take.
    static var restMilliseconds: UInt64 { 1_000 }

    private var row: CounterRow
    private let servers: Int
    /// Requests in flight, by server: the sum over all rows when this turn first chose in the upstream, and
    /// this thread's own changes since then.
    private var loads: FixedTable<UInt32>
    /// By upstream: the turn in which `loads` was last summed.
    private var summed: [UInt64]
    private var turn: UInt64 = 1
    /// By server: until when it rests. Almost always all zeros.
    private var restsUntil: [UInt64]
    /// The latest value in `restsUntil`, so that mostly one comparison is enough.
    private var anyRestsUntil: UInt64 = 0
    private let lentInPlace = LentInPlace()

    init(_ row: consuming CounterRow, servers: Int, upstreams: Int) {
        self.row = row
        self.servers = servers
        loads = FixedTable(count: servers) { _ in 0 }
        summed = [UInt64](repeating: 0, count: upstreams)
        restsUntil = [UInt64](repeating: 0, count: servers)
    }

    /// Begins a turn: the counters of other threads are read again.
    mutating func beginTurn() { turn &+= 1 }

    /// Brings the loads of an upstream's servers up to date, once a turn. Costs one load instruction for each
    /// thread and server.
    mutating func sumLoads(_ upstream: Int, _ members: Range<Int>) {
        guard summed[upstream] != turn else { return }
        summed[upstream] = turn
        let columns = column(.inFlight, members.lowerBound)..<column(.inFlight, members.upperBound)
        Self.sum(row, columns, into: &loads, from: members.lowerBound)
    }

    private static func sum(
        _ row: borrowing CounterRow, _ columns: Range<Int>, into loads: inout FixedTable<UInt32>,
        from start: Int
    ) {
        var sums = loads.mutableSpan
        row.sum(columns, into: &sums, from: start)
    }

    /// The loads of an upstream's servers, by their index in the upstream, as `sumLoads` left them.
    @_lifetime(borrow self)
    func loads(_ members: Range<Int>) -> Span<UInt32> { loads.span.extracting(members) }

    /// The servers of an upstream that rest, by their index in the upstream.
    func resting(_ members: Range<Int>, now: UInt64) -> ServerSet {
        var set = ServerSet()
        guard anyRestsUntil > now else { return set }
        for server in members where restsUntil[server] > now { set.insert(server - members.lowerBound) }
        return set
    }

    /// Counts that an exchange gets this server.
    @inline(__always)
    mutating func assign(_ server: Int, _ choice: ServerChoice) {
        row.increment(column(.inFlight, server))
        row.increment(column(.requests, server))
        switch choice {
        case .first: break
        case .spill: row.increment(column(.spills, server))
        case .retry: row.increment(column(.retries, server))
        }
        loads[server] &+= 1
    }

    /// Counts that an exchange gives this server back.
    mutating func release(_ server: Int) {
        row.decrement(column(.inFlight, server))
        loads[server] &-= 1
    }

    /// Counts a response that is complete.
    /// - Parameter reason: why it is not stored; nil if its route has no policy.
    @inline(__always)
    mutating func answered(stored: Bool, _ reason: Reason?) {
        if stored {
            row.increment(ServerCounter.answers(servers))
        } else if let reason {
            row.increment(ServerCounter.answers(servers) &+ Int(reason.rawValue))
        }
    }

    mutating func failed(_ server: Int) { row.increment(column(.failures, server)) }

    mutating func didNotConnect(_ server: Int, now: UInt64) {
        restsUntil[server] = now + Self.restMilliseconds
        anyRestsUntil = now + Self.restMilliseconds
    }

    mutating func didConnect(_ server: Int) { restsUntil[server] = 0 }

    private func column(_ counter: ServerCounter, _ server: Int) -> Int {
        ServerCounter.column(counter, server, of: servers)
    }
}

/// The counters of one server since the start.
public struct ServerFigures: Sendable, Equatable {
    public var upstream: String
    /// The configured name. A `files:` upstream is its own only server.
    public var server: String
    // See `ServerCounter`.
    public var inFlight: Int
    public var requests: Int
    public var spills: Int
    public var retries: Int
    public var failures: Int

    init(upstream: String, server: String, _ table: CounterTable, _ index: Int, of servers: Int) {
        func sum(_ counter: ServerCounter) -> Int {
            Int(clamping: table.sum(ServerCounter.column(counter, index, of: servers)))
        }
        self.upstream = upstream
        self.server = server
        inFlight = sum(.inFlight)
        requests = sum(.requests)
        spills = sum(.spills)
        retries = sum(.retries)
        failures = sum(.failures)
    }
}
