/// Weighted round-robin: a schedule in which each server stands as often as its weight says, as evenly spread
/// as nginx's smooth weighted round-robin makes it, and a turn that walks through it.
///
/// The schedule is made once (its length is the sum of the weights by their greatest common divisor, a byte
/// each), so that a choice is one load, and a thread remembers nothing but its place.
public struct Rotation: Sendable {
    private let schedule: [UInt8]
    public let members: ServerSet

    /// - Parameter weights: by server; at most `ServerSet.capacity`, each from 0 to 256.
    public init(weights: [Int]) {
        precondition(weights.count <= ServerSet.capacity && weights.allSatisfy { (0...256).contains($0) })
        let divisor = max(1, weights.reduce(0, Self.greatestCommonDivisor))
        let reduced = weights.map { $0 / divisor }
        let sum = reduced.reduce(0, +)
        var schedule: [UInt8] = []
        schedule.reserveCapacity(sum)
        // Each gains its weight a step; who has most goes next, and pays the sum.
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

    /// Whose turn it is, or nil where all are excluded. Those excluded are stepped over.
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
