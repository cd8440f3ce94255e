public import Bytes

/// Weighted rendezvous hashing: every proxy with the same servers sends a key to the same server, in whatever
/// order its configuration lists them. Removing a server moves only the keys of that server. Adding a server
/// moves only the keys that it gets. A key's second choice is the server that would get the key if its first
/// choice did not exist.
///
/// A server's score for a key is −w / ln(u), with u uniform from a hash of key and server (Thaler and
/// Ravishankar 1998; weights after Schindelhauer and Schomaker 2005); the highest score wins. The code
/// compares costs −log₂(u) / w, exactly, by cross-multiplication of integers (`Exponential`); the lowest cost
/// wins.
///
/// Invariants: `rows` is sorted by the servers' names, never by position, so that ties have the same result
/// everywhere. A server of weight 0 has no row.
public struct Rendezvous: Sendable {
    /// Fixed and public: several proxies must agree on it, and a change moves every key.
    public static var routingSeed: UInt64 { 0x4c61_7264_6572_2031 }
    /// The greatest weight, such that every product below fits 64 bits.
    public static var maximumWeight: Int { 65_535 }

    private struct Row {
        var seed: UInt64
        var weight: UInt64
        var index: Int
    }

    private let rows: [Row]

    /// - Parameters:
    ///   - servers: at most `ServerSet.capacity`. `identity` is the configured name, or the address if there
    ///     is none. Servers with equal identity have equal scores, and the first of them wins. `weight` is 0
    ///     (gets nothing) to `maximumWeight`.
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

    /// The server for a key, or nil if all are excluded. Does not allocate; takes about 5 ns for each server.
    ///
    /// - Parameters:
    ///   - keyHash: `hash(_:)` of the routing key.
    ///   - excluded: servers that must not be chosen, by their position in `init(servers:)`.
    /// - Returns: the position of the server in `init(servers:)`.
    public func choose(_ keyHash: UInt64, excluding excluded: ServerSet = ServerSet()) -> Int? {
        choose(keyHash, excluding: excluded) { _ in true }?.first
    }

    /// The first server in the key's order, and the first one for which `hasRoom` is true. One pass; it calls
    /// `hasRoom` only for servers that would be better than the best server with room so far.
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
            // Most servers stop here: their cheap lower bound already loses. Costs have 39 bits, weights 16.
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

    /// A bijection with full avalanche (the finaliser of SplitMix64): keys whose hashes differ in one bit get
    /// independent results. It replaces hashing the key together with the server's name, at a fraction of the
    /// cost.
    @inline(__always)
    private static func mix(_ value: UInt64) -> UInt64 {
        var x = value
        x = (x ^ (x >> 30)) &* 0xbf58_476d_1ce4_e5b9
        x = (x ^ (x >> 27)) &* 0x94d0_49bb_1331_11eb
        return x ^ (x >> 31)
    }
}
