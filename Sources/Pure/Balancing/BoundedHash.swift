/// Rendezvous hashing with bounded loads (after Mirrokni, Thorup and Zadimoghaddam 2018): a key goes to the
/// first server of its own order that has room. No server takes more than a given multiple of its share of
/// the requests in flight, so a hot key or a slow server does not pile them up.
///
/// What spills goes to the key's own next choices. They differ from key to key, so one server's surplus
/// spreads over all others instead of running over its neighbour, and a key that spills again finds the
/// server that was warmed before.
public struct BoundedHash: Sendable {
    private let ring: Rendezvous
    /// By server; 0: not a member.
    private let weights: [UInt64]
    /// Percent of the mean load; nil: no bound.
    private let percent: UInt64?
    private let allWeights: UInt64
    public let members: ServerSet
    public let needsLoads: Bool

    /// - Parameters:
    ///   - servers: as `Rendezvous.init(servers:)` takes them.
    ///   - boundPercent: above 100, at most 10 000; nil: no bound.
    public init(servers: [(identity: String, weight: Int)], boundPercent: Int?) {
        precondition(boundPercent.map { $0 > 100 && $0 <= 10_000 } ?? true)
        ring = Rendezvous(servers: servers)
        weights = servers.map { UInt64($0.weight) }
        allWeights = servers.reduce(0) { $0 + UInt64($1.weight) }
        percent = boundPercent.map { UInt64($0) }
        members = ServerSet(servers.indices.filter { servers[$0].weight > 0 })
        needsLoads = percent != nil && members.count > 1
    }

    /// As `Balancer.choose`. A server has room while it is below
    /// ceil((total + 1) · its share of the weights · percent / 100), total and shares counted over the
    /// servers that take spills. Where none has room the first choice takes it.
    ///
    /// Loads are bounded by the kernel's 2³⁰ descriptors, so that no product here exceeds 2⁶¹.
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
        // load < ceil(x) and load < x say the same of whole loads: no division.
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
