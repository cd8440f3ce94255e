/// Rendezvous hashing with bounded loads (after Mirrokni, Thorup and Zadimoghaddam 2018): a key goes to the
/// first server in the key's own order that has room. No server gets more than a given multiple of its share
/// of the requests in flight, so a hot key or a slow server does not pile up requests.
///
/// Requests that spill go to the key's next choices. These differ from key to key. So the surplus of one
/// server spreads over all others, not onto one neighbour, and a key that spills again finds the server that
/// it has already warmed.
public struct BoundedHash: Sendable {
    private let ring: Rendezvous
    /// The weight of each server; 0 if it is not a member.
    private let weights: [UInt64]
    /// Percent of the mean load; nil if there is no bound.
    private let percent: UInt64?
    private let allWeights: UInt64
    public let members: ServerSet
    public let needsLoads: Bool

    /// - Parameters:
    ///   - servers: as in `Rendezvous.init(servers:)`.
    ///   - boundPercent: above 100, at most 10 000; nil for no bound.
    public init(servers: [(identity: String, weight: Int)], boundPercent: Int?) {
        precondition(boundPercent.map { $0 > 100 && $0 <= 10_000 } ?? true)
        ring = Rendezvous(servers: servers)
        weights = servers.map { UInt64($0.weight) }
        allWeights = servers.reduce(0) { $0 + UInt64($1.weight) }
        percent = boundPercent.map { UInt64($0) }
        members = ServerSet(servers.indices.filter { servers[$0].weight > 0 })
        needsLoads = percent != nil && members.count > 1
    }

    /// As `Balancer.choose`. A server has room while its load is below ceil((total + 1) · its share of the
    /// weights · percent / 100). The total and the shares are counted over the servers that accept spills. If
    /// no server has room, the key's first choice is chosen.
    ///
    /// The kernel allows at most 2³⁰ descriptors, so loads are bounded and no product here exceeds 2⁶¹.
    func choose(
        _ keyHash: UInt64, loads: Span<UInt32>, excluding excluded: ServerSet, avoiding avoided: ServerSet
    ) -> Balancer.Choice? {
        guard let percent, needsLoads else {
            return ring.choose(keyHash, excluding: excluded).map { Balancer.Choice($0) }
        }
        let weights = self.weights.span
        let unfit = excluded.union(avoided)
        var total: UInt64 = 1
        var sharing = allWeights
        if unfit.isEmpty {
            for server in 0..<loads.count { total &+= UInt64(loads[server]) }
        } else {
            for server in 0..<weights.count {
                if unfit.contains(server) {
                    sharing &-= weights[server]
                } else {
                    total &+= UInt64(loads[server])
                }
            }
        }
        // For integer loads, load < ceil(x) is equivalent to load < x, so no division is needed.
        let scale = sharing &* 100
        let room = total &* percent
        let isCalm = avoided.isEmpty
        let found = ring.choose(keyHash, excluding: excluded) { server in
            UInt64(loads[server]) &* scale < room &* weights[server] && (isCalm || !avoided.contains(server))
        }
        guard let found else { return nil }
        guard let server = found.withRoom, server != found.first, isCalm || !avoided.contains(found.first)
        else { return Balancer.Choice(found.first) }
        return Balancer.Choice(server, isSpill: true)
    }
}
