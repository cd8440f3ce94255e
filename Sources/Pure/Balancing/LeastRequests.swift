/// Chooses the server with the fewest requests in flight relative to its weight. Servers with equal load take
/// turns by weight, so on an idle upstream this is weighted round-robin.
public struct LeastRequests: Sendable {
    let rotation: Rotation
    private let weights: [UInt64]

    /// - Parameter weights: as `Rotation.init(weights:)` takes them.
    public init(weights: [Int]) {
        rotation = Rotation(weights: weights)
        self.weights = weights.map { UInt64($0) }
    }

    public var needsLoads: Bool { rotation.members.count > 1 }

    /// As `Balancer.choose`. Loads are compared by cross-multiplication, so servers with the same load for
    /// their weight tie exactly.
    func choose(loads: Span<UInt32>, excluding excluded: ServerSet, turn: inout Int) -> Int? {
        guard needsLoads else { return rotation.choose(excluding: excluded, turn: &turn) }
        let weights = self.weights.span
        let isWhole = excluded.isEmpty
        var (leastLoad, leastWeight) = (UInt64(0), UInt64(0))
        for server in 0..<weights.count {
            let (load, weight) = (UInt64(loads[server]), weights[server])
            guard leastWeight == 0 || load &* leastWeight < leastLoad &* weight else { continue }
            if weight > 0, isWhole || !excluded.contains(server) { (leastLoad, leastWeight) = (load, weight) }
        }
        guard leastWeight > 0 else { return nil }
        // Take the next turn of a least busy server. Skip the turns of other servers: giving them to a
        // neighbour would make the neighbour the busiest. Each server has a turn in one round, so the loop
        // ends.
        while true {
            let server = rotation.next(&turn)
            if UInt64(loads[server]) &* leastWeight == leastLoad &* weights[server],
                isWhole || !excluded.contains(server)
            {
                return server
            }
        }
    }
}
