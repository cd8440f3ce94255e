internal import AccessLog
internal import Balancing
internal import Caching
internal import Kernel
internal import Loop
internal import Synchronization

/// What is counted of each server: by every thread in its own row, of the whole process in sums.
///
/// Invariant: `inFlight` of a server is the number of exchanges that have it: an exchange counts from the
/// assignment of a server to the exchange's end, or to its next server.
enum ServerCounter: Int, CaseIterable {
    /// First, and of all servers side by side: these are summed to choose a server.
    case inFlight
    /// Times it was chosen.
    case requests
    /// Of these: not by the key's first choice, but because that one had its share of the load.
    case spills
    /// Of these: after another server had failed the request.
    case retries
    /// Times it failed one: no connection, no answer in time, a bad or broken-off answer. An idle connection
    /// that had closed is none.
    case failures

    static func column(_ counter: ServerCounter, _ server: Int, of servers: Int) -> Int {
        counter.rawValue * servers + server
    }

    static func table(servers: Int, threads: Int) -> CounterTable {
        CounterTable(rows: threads, columns: answers(servers) + Reason.codes.count)
    }

    /// Answers of origins that were stored; behind it one column for each reason that others were not.
    static func answers(_ servers: Int) -> Int { allCases.count * servers }
}

/// A thread's view of the servers: its own counts, the loads that a choice goes by, and which servers failed
/// to connect a moment ago.
struct ServerCounters: ~Copyable {
    /// A server that did not connect draws no spills for so long. (Nothing to tune: it only bounds how often
    /// an idle, dead server is tried for requests that others could take.)
    static var restMilliseconds: UInt64 { 1_000 }

    private var row: CounterRow
    private let servers: Int
    /// Requests in flight, by server: sums over all rows as of this turn's first choice in the upstream, this
    /// thread's own changes included.
    private var loads: FixedTable<UInt32>
    /// By upstream: the turn in which its loads were summed.
    private var summed: [UInt64]
    private var turn: UInt64 = 1
    /// By server: until when it rests. Rarely anything but zeros, so the latest of them is looked at first.
    private var restsUntil: [UInt64]
    private var anyRestsUntil: UInt64 = 0
    // Has it lent by address, where it would else be copied (see `FieldTable`).
    private let anchor = Atomic<Bool>(false)

    init(_ row: consuming CounterRow, servers: Int, upstreams: Int) {
        self.row = row
        self.servers = servers
        loads = FixedTable(count: servers) { _ in 0 }
        summed = [UInt64](repeating: 0, count: upstreams)
        restsUntil = [UInt64](repeating: 0, count: servers)
    }

    /// What other threads count is read anew in each turn.
    mutating func beginTurn() { turn &+= 1 }

    /// Brings the loads of an upstream's servers up to date. Costs a load a thread and server, once a turn.
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

    /// The loads of an upstream's servers, by their place in it, as `sumLoads` left them.
    @_lifetime(borrow self)
    func loads(_ members: Range<Int>) -> Span<UInt32> { loads.span.extracting(members) }

    /// Which of an upstream's servers rest, by their place in it.
    func resting(_ members: Range<Int>, now: UInt64) -> ServerSet {
        var set = ServerSet()
        guard anyRestsUntil > now else { return set }
        for server in members where restsUntil[server] > now { set.insert(server - members.lowerBound) }
        return set
    }

    /// An exchange is given this server.
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

    /// An exchange has this server no longer.
    mutating func release(_ server: Int) {
        row.decrement(column(.inFlight, server))
        loads[server] &-= 1
    }

    /// An answer of an origin is complete.
    /// - Parameter reason: why it is not stored; nil: its route has no policy.
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

/// What came to one server since the start.
public struct ServerFigures: Sendable, Equatable {
    public var upstream: String
    /// As configured; of `files:`, the upstream's own.
    public var server: String
    /// Exchanges that have it now.
    public var inFlight: Int
    /// Times it was chosen.
    public var requests: Int
    /// Of these: for keys whose first choice had its share of the load.
    public var spills: Int
    /// Of these: after another server had failed the request.
    public var retries: Int
    /// Times it failed one.
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
