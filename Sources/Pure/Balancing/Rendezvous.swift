public import Bytes

/// Weighted rendezvous hashing: every proxy that is given the same servers sends a key to the same one,
/// whatever the order in its configuration. Taking a server away moves only that server's keys, adding one
/// moves only the keys it gets, and a key's next choice is the server that would have it if its first did not
/// exist.
///
/// A server's score for a key is −w / ln(u), u uniform from a hash of key and server (Thaler and Ravishankar
/// 1998; weights after Schindelhauer and Schomaker 2005); the greatest wins. Compared here as the least cost
/// −log₂(u) / w, exactly, by cross-multiplication of whole numbers (`Exponential`).
///
/// Invariants: `rows` is ordered by what the servers are called, never by position, so that ties fall the
/// same way everywhere; servers of weight 0 have no row.
public struct Rendezvous: Sendable {
    /// Public and fixed: several proxies agree on it, and changing it moves every key.
    public static var routingSeed: UInt64 { 0x4c61_7264_6572_2031 }
    /// The greatest weight; with it every product below fits 64 bits.
    public static var maximumWeight: Int { 65_535 }

    private struct Row {
        var seed: UInt64
        var weight: UInt64
        var index: Int
    }

    private let rows: [Row]

    /// - Parameters:
    ///   - servers: at most `ServerSet.capacity`. `identity`: the configured name, or else the address; equal
    ///     ones score alike, and the earlier is taken first. `weight`: 0 (gets nothing) to `maximumWeight`.
    public init(servers: [(identity: String, weight: Int)]) {
        precondition(servers.count <= ServerSet.capacity)
        var named: [(row: Row, identity: String)] = []
        for (index, server) in servers.enumerated() where server.weight != 0 {
            precondition(server.weight > 0 && server.weight <= Self.maximumWeight)
            let seed = XXH3.hash64(Array(server.identity.utf8).span, seed: Self.routingSeed)
            named.append((Row(seed: seed, weight: UInt64(server.weight), index: index), server.identity))
        }
        named.sort { a, b in
            if a.row.seed != b.row.seed { return a.row.seed < b.row.seed }
            if a.identity != b.identity { return a.identity.utf8.lexicographicallyPrecedes(b.identity.utf8) }
            return a.row.index < b.row.index
        }
        rows = named.map(\.row)
    }

    /// The hash of a routing key: host, path and keyed query.
    @inlinable
    public static func hash(_ key: borrowing Span<UInt8>) -> UInt64 { XXH3.hash64(key, seed: routingSeed) }

    /// The server for a key, or nil where all are excluded. Allocates nothing; about 5 ns a server.
    ///
    /// - Parameters:
    ///   - keyHash: `hash(_:)` of the routing key.
    ///   - excluded: servers not to be chosen, by their position in `init(servers:)`.
    /// - Returns: the position of the server in `init(servers:)`.
    public func choose(_ keyHash: UInt64, excluding excluded: ServerSet = ServerSet()) -> Int? {
        choose(keyHash, excluding: excluded) { _ in true }?.first
    }

    /// The first server of the key's order, and the first one for which `hasRoom` holds; in one pass, which
    /// asks `hasRoom` only of servers that would be better than the best with room so far.
    @inline(__always)
    func choose(
        _ keyHash: UInt64, excluding excluded: ServerSet, where hasRoom: (Int) -> Bool
    ) -> (first: Int, withRoom: Int?)? {
        let rows = self.rows.span
        var (first, firstCost, firstWeight) = (-1, UInt64.max, UInt64(0))
        var (best, bestCost, bestWeight) = (-1, UInt64.max, UInt64(0))
        for position in 0..<rows.count {
            let row = rows[position]
            let mixed = Self.mix(keyHash ^ row.seed)
            // Most servers stop here: the cheap bound already loses. Costs have 39 bits, weights 16.
            let bound = Exponential.lowerBound(mixed)
            if best >= 0, bound &* bestWeight >= bestCost &* row.weight { continue }
            if excluded.contains(row.index) { continue }
            let isRoomy = hasRoom(row.index)
            if !isRoomy, first >= 0, bound &* firstWeight >= firstCost &* row.weight { continue }
            let cost = Exponential.cost(mixed)
            if first < 0 || cost &* firstWeight < firstCost &* row.weight {
                (first, firstCost, firstWeight) = (row.index, cost, row.weight)
            }
            if isRoomy, best < 0 || cost &* bestWeight < bestCost &* row.weight {
                (best, bestCost, bestWeight) = (row.index, cost, row.weight)
            }
        }
        return first < 0 ? nil : (first, best < 0 ? nil : best)
    }

    /// A bijection with full avalanche (the finaliser of SplitMix64): keys that differ from a server's seed
    /// in one bit land independently. It stands in for hashing key and name together, at a fraction of the
    /// cost.
    @inline(__always)
    private static func mix(_ value: UInt64) -> UInt64 {
        var x = value
        x = (x ^ (x >> 30)) &* 0xbf58_476d_1ce4_e5b9
        x = (x ^ (x >> 27)) &* 0x94d0_49bb_1331_11eb
        return x ^ (x >> 31)
    }
}
