/// Weighted round-robin: a schedule that contains each server as often as its weight says, and a turn that
/// walks through it. The servers are spread as evenly as nginx's smooth weighted round-robin spreads them.
///
/// The schedule is made once. Its length is the sum of the weights divided by their greatest common divisor,
/// one byte each. So a choice is one load, and a thread remembers only its place.
public struct Rotation: Sendable {
    private let schedule: [UInt8]
    public let members: ServerSet

    /// - Parameter weights: the weight of each server, from 0 to 256; at most `ServerSet.capacity` servers.
    public init(weights: [Int]) {
        precondition(weights.count <= ServerSet.capacity && weights.allSatisfy { (0...256).contains($0) })
        let divisor = max(1, weights.reduce(0, Self.greatestCommonDivisor))
        let reduced = weights.map { $0 / divisor }
        let sum = reduced.reduce(0, +)
        var schedule: [UInt8] = []
        schedule.reserveCapacity(sum)
        // In each step, every server gains its weight as credit. The server with the most credit is next, and
        // pays the sum.
        var credit = [Int](repeating: 0, count: weights.count)
        for _ in 0..<sum {
            var best = -1
            for server in reduced.indices where reduced[server] > 0 {
                credit[server] += reduced[server]
                if best < 0 || credit[server] > credit[best] { best = server }
            }
            credit[best] -= sum
            schedule.append(UInt8(best))
        }
        self.schedule = schedule
        members = ServerSet(weights.indices.filter { weights[$0] > 0 })
    }

    private static func greatestCommonDivisor(_ a: Int, _ b: Int) -> Int {
        var (a, b) = (a, b)
        while b != 0 { (a, b) = (b, a % b) }
        return a
    }

    func firstTurn(thread: Int, of threads: Int) -> Int { schedule.count * thread / max(1, threads) }

    /// The server whose turn is next, or nil if all are excluded. Excluded servers are skipped.
    func choose(excluding excluded: ServerSet, turn: inout Int) -> Int? {
        guard !members.isSubset(of: excluded) else { return nil }
        while true {
            let server = next(&turn)
            if !excluded.contains(server) { return server }
        }
    }

    /// Takes one step. The schedule must not be empty.
    func next(_ turn: inout Int) -> Int {
        if turn >= schedule.count { turn = 0 }
        let server = Int(schedule[turn])
        turn &+= 1
        return server
    }
}
