/// How the servers of one upstream are chosen: by the key's hash, in turn, or by the fewest requests.
///
/// The value never changes. Changing inputs are arguments: the loads, the servers to leave out, and the
/// caller's `turn`, a counter for `roundRobin` and `leastRequests`. So threads share nothing here, and a test
/// can drive every choice as a value.
///
/// No choice allocates. Its cost is at most linear in the number of servers.
public enum Balancer: Sendable {
    case urlHash(BoundedHash)
    case roundRobin(Rotation)
    case leastRequests(LeastRequests)

    /// A server, by its position in the upstream.
    public struct Choice: Sendable, Equatable {
        public var server: Int
        /// Is it not the key's first choice, because that has its full share of the load?
        public var isSpill: Bool

        public init(_ server: Int, isSpill: Bool = false) {
            self.server = server
            self.isSpill = isSpill
        }
    }

    /// Does `choose` need the loads? If not, the caller does not have to sum them.
    public var needsLoads: Bool {
        switch self {
        case .urlHash(let hash): hash.needsLoads
        case .roundRobin: false
        case .leastRequests(let least): least.needsLoads
        }
    }

    /// The servers that may be chosen at all: those with a weight.
    public var members: ServerSet {
        switch self {
        case .urlHash(let hash): hash.members
        case .roundRobin(let rotation): rotation.members
        case .leastRequests(let least): least.rotation.members
        }
    }

    /// The first turn of thread `thread` of `threads`. Threads begin at different servers, so that they do
    /// not send their requests to the same server at the same time.
    public func firstTurn(thread: Int, of threads: Int) -> Int {
        switch self {
        case .urlHash: 0
        case .roundRobin(let rotation): rotation.firstTurn(thread: thread, of: threads)
        case .leastRequests(let least): least.rotation.firstTurn(thread: thread, of: threads)
        }
    }

    /// The server for a request, or nil if all are excluded.
    ///
    /// - Parameters:
    ///   - keyHash: `Rendezvous.hash(_:)` of the routing key.
    ///   - loads: requests in flight at each server; may be empty unless `needsLoads`.
    ///   - excluded: servers that must not be chosen, because they were tried already.
    ///   - avoided: servers that failed a moment ago. They are chosen only as the first choice of a key, or
    ///     if no other server is left. Since a failing server is idle, it would otherwise attract every
    ///     spill.
    ///   - turn: the caller's counter, which starts at `firstTurn`.
    public func choose(
        _ keyHash: UInt64, loads: Span<UInt32>, excluding excluded: ServerSet = ServerSet(),
        avoiding avoided: ServerSet = ServerSet(), turn: inout Int
    ) -> Choice? {
        switch self {
        case .urlHash(let hash):
            return hash.choose(keyHash, loads: loads, excluding: excluded, avoiding: avoided)
        case .roundRobin(let rotation):
            let unfit = rotation.unfit(excluded, avoided)
            return rotation.choose(excluding: unfit, turn: &turn).map { Choice($0) }
        case .leastRequests(let least):
            let unfit = least.rotation.unfit(excluded, avoided)
            return least.choose(loads: loads, excluding: unfit, turn: &turn).map { Choice($0) }
        }
    }
}

extension Rotation {
    /// The servers to leave out: the excluded ones, and the avoided ones as long as another member remains.
    func unfit(_ excluded: ServerSet, _ avoided: ServerSet) -> ServerSet {
        let both = excluded.union(avoided)
        return members.isSubset(of: both) ? excluded : both
    }
}
