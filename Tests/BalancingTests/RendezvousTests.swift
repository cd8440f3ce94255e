@testable import Balancing
import Bytes
import Glibc
import Testing

/// 100 000 different routing hashes, the same in every run.
private let keys: [UInt64] = (0..<100_000).map {
    Rendezvous.hash(Array("static.example.com/assets/\($0).js".utf8).span)
}

private func equal(_ count: Int) -> [(identity: String, weight: Int)] {
    (0..<count).map { ("10.0.0.\($0):8080", 1) }
}

private func set(_ members: Int...) -> ServerSet {
    var set = ServerSet()
    for member in members { set.insert(member) }
    return set
}

private func shares(_ servers: [(identity: String, weight: Int)]) -> [Int] {
    let ring = Rendezvous(servers: servers)
    var counts = [Int](repeating: 0, count: servers.count)
    for key in keys { counts[ring.choose(key)!] += 1 }
    return counts
}

@Test(arguments: [
    [1, 1], [1, 1, 1, 1, 1, 1, 1, 1], [1, 2], [1, 2, 3, 4], [10, 1], [256, 1, 256, 1], [7, 7, 7],
    [65_535, 1],
    [Int](repeating: 1, count: 64), [Int](repeating: 3, count: 256),
])
func sharesAreProportionalToWeights(weights: [Int]) {
    let counts = shares(weights.enumerated().map { ("server-\($0.offset)", $0.element) })
    let sum = Double(weights.reduce(0, +))
    for (count, weight) in zip(counts, weights) {
        let p = Double(weight) / sum
        // Four and a half standard deviations of the binomial distribution: one false alarm in 150 000, and
        // the keys are fixed.
        let bound = 4.5 * sqrt(Double(keys.count) * p * (1 - p)) + 1
        #expect(abs(Double(count) - p * Double(keys.count)) <= bound, "weight \(weight) of \(sum): \(count)")
    }
}

@Test func removalMovesOnlyTheRemovedServersKeys() {
    let servers = equal(9).enumerated().map { (identity: $0.element.identity, weight: 1 + $0.offset % 3) }
    let before = Rendezvous(servers: servers)
    for removed in 0..<servers.count {
        var rest = servers
        rest.remove(at: removed)
        let after = Rendezvous(servers: rest)
        for key in keys.prefix(20_000) {
            let old = before.choose(key)!
            let new = after.choose(key)!
            let asOld = new >= removed ? new + 1 : new
            if old != removed { #expect(asOld == old) }
            // Excluding a server gives the same choice as removing it: the next choice is stable.
            let next = before.choose(key, excluding: set(removed))
            #expect(next == asOld)
        }
    }
}

@Test func aChangedWeightMovesKeysOnlyToOrFromThatServer() {
    var servers = equal(6)
    let before = Rendezvous(servers: servers)
    servers[2].weight = 3
    let heavier = Rendezvous(servers: servers)
    var moved = 0
    for key in keys {
        let old = before.choose(key)!
        let new = heavier.choose(key)!
        if old == 2 { #expect(new == 2) }
        if old != new {
            #expect(new == 2)
            moved += 1
        }
    }
    // From 1/6 to 3/8 of all keys.
    #expect(abs(Double(moved) / Double(keys.count) - (3.0 / 8 - 1.0 / 6)) < 0.01)
}

@Test func aServersPositionDoesNotMatter() {
    let servers = (0..<12).map { (identity: "s\($0)", weight: 1 + $0 % 4) }
    let forward = Rendezvous(servers: servers)
    let backward = Rendezvous(servers: servers.reversed())
    for key in keys { #expect(forward.choose(key)! == 11 - backward.choose(key)!) }
}

@Test func exclusionFollowsTheKeysOwnOrder() {
    let ring = Rendezvous(servers: equal(5))
    for key in keys.prefix(2_000) {
        var excluded = ServerSet()
        var order: [Int] = []
        while let next = ring.choose(key, excluding: excluded) {
            #expect(!excluded.contains(next))
            order.append(next)
            excluded.insert(next)
        }
        #expect(order.sorted() == [0, 1, 2, 3, 4])
    }
    // The spills of one server's keys spread evenly over the others.
    var spill = [Int](repeating: 0, count: 5)
    for key in keys where ring.choose(key) == 0 { spill[ring.choose(key, excluding: set(0))!] += 1 }
    for count in spill.dropFirst() { #expect(abs(count - 5_000) < 400) }
}

@Test func noServerGivesNoChoice() {
    #expect(Rendezvous(servers: []).choose(1) == nil)
    #expect(Rendezvous(servers: [("a", 0)]).choose(1) == nil)
    #expect(Rendezvous(servers: equal(2)).choose(1, excluding: set(0, 1)) == nil)
    #expect(Rendezvous(servers: [("a", 0), ("b", 1)]).choose(1) == 1)
}

@Test func serversWithOneIdentityTieByPosition() {
    let ring = Rendezvous(servers: [("a", 1), ("twin", 2), ("twin", 2), ("b", 1)])
    for key in keys.prefix(5_000) {
        #expect(ring.choose(key) != 2)
        if ring.choose(key) == 1 { #expect(ring.choose(key, excluding: set(1)) == 2) }
    }
}

/// Other versions and other machines must make these choices too.
@Test func choicesAreTheSameInEveryVersion() {
    let ring = Rendezvous(servers: [
        ("10.0.0.1:80", 1), ("10.0.0.2:80", 2), ("big", 5), ("10.0.0.4:80", 1), ("e", 3),
    ])
    let chosen = (0..<24).map { ring.choose(Rendezvous.hash(Array("example.com/\($0)".utf8).span))! }
    #expect(chosen == [1, 2, 4, 2, 0, 2, 4, 3, 3, 4, 1, 2, 2, 2, 4, 2, 4, 4, 1, 2, 1, 2, 4, 2])
}

@Test func theCostIsTheLogarithm() {
    var worst = 0.0
    var samples: [UInt64] = [
        0, 1, 2, .max, .max - 1, 1 << 63, (1 << 63) - 1, 3 << 62, (3 << 62) - 1, 1 << 32,
    ]
    samples += keys
    samples += keys.map { ~($0 >> 20) }  // near 1, the range of the winners
    for hash in samples {
        let cost = Exponential.cost(hash)
        // log1p keeps its precision where u is near 1.
        let exact =
            hash >= 1 << 63 ? -log1p(-Double(~hash) / 0x1p64) / log(2.0) : 64 - log2(Double(max(hash, 1)))
        worst = max(worst, abs(Double(cost) / 0x1p32 - exact))
        #expect(Exponential.lowerBound(hash) <= cost)
    }
    #expect(worst < 0x1p-28)
    #expect(Exponential.cost(.max) == 0 && Exponential.cost(0) == 64 << 32)
}

@Test func theCostNeverFallsAsTheHashFalls() {
    for key in keys.prefix(20_000) {
        #expect(Exponential.cost(key | 1 << 34) <= Exponential.cost((key | 1 << 34) - 1 << 34))
    }
}

@Test func aServerSetHoldsItsMembers() {
    var set = ServerSet()
    #expect(set.isEmpty)
    for member in [0, 63, 64, 255] { set.insert(member) }
    #expect(set.count == 4 && set.contains(255) && !set.contains(254) && !set.isEmpty)
    var other = set
    other.remove(64)
    #expect(set != other && !other.contains(64) && other.count == 3)
    other.removeAll()
    #expect(other == ServerSet())
}
