/// How one upstream's servers are chosen: by the key's hash, in turn, or by who is least busy.
///
/// A value that is never changed. What changes is given: the loads, the servers not to be chosen, and the
/// caller's `turn`, one number that `roundRobin` and `leastRequests` count on. So threads share nothing here,
/// and a test drives every choice as a value.
///
/// No choice allocates; each is linear in the number of servers at most.
public enum Balancer: Sendable {
    case urlHash(BoundedHash)
    case roundRobin(Rotation)
    case leastRequests(LeastRequests)

    /// A server by its place in the upstream.
    public struct Choice: Sendable, Equatable {
        public var server: Int
        /// Not the key's first choice, which had its full share of the load.
        public var isSpill: Bool

        public init(_ server: Int, isSpill: Bool = false) {
            self.server = server
            self.isSpill = isSpill
        }
    }

    /// Must `choose` be told the loads? Where not, nobody need sum them.
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

    /// Where thread `thread` of `threads` begins: threads that all began with the same server would send it
    /// their requests in step.
    public func firstTurn(thread: Int, of threads: Int) -> Int {
        switch self {
        case .urlHash: 0
        case .roundRobin(let rotation): rotation.firstTurn(thread: thread, of: threads)
        case .leastRequests(let least): least.rotation.firstTurn(thread: thread, of: threads)
        }
    }

    /// The server for a request, or nil where all are excluded.
    ///
    /// - Parameters:
    ///   - keyHash: `Rendezvous.hash(_:)` of the routing key.
    ///   - loads: requests in flight, by server; may be empty unless `needsLoads`.
    ///   - excluded: servers not to be chosen, tried already.
    ///   - avoided: servers that take nothing but keys of their own, and other requests only where no other
    ///     is left. They failed a moment ago; being idle for that reason, they would draw every spill.
    ///   - turn: the caller's own, from `firstTurn` on.
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
    /// Whom to leave out: the avoided too, as long as somebody is left.
    func unfit(_ excluded: ServerSet, _ avoided: ServerSet) -> ServerSet {
        let both = excluded.union(avoided)
        return members.isSubset(of: both) ? excluded : both
    }
}
