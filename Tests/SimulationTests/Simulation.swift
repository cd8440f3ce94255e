/// The worker that ships, over sockets that the simulator controls. Two real `Worker`s on one Store and one
/// FetchBoard take turns on the test's own thread. Clients, origins, clocks, purges and helper threads are
/// moved by one seeded schedule. A step is one event: a turn of a worker, some bytes of some peer, a tick.
///
/// Unix sockets hand over bytes at once, and both clocks stand still until they are moved: a seed repeats a
/// run exactly. What clients get is judged by an oracle that knows only the RFC.
import Bytes
import Caching
import DataPlane
import HTTP
import Kernel
import SeededRandom
import Settings

final class Simulation {
    let seed: UInt64
    var random: SeededRandom
    let stage: Stage
    let clock: SteeredClock
    var origin: Origin
    var oracle = Oracle()
    var requests = RequestReader()
    var purges: Purges
    /// Of the simulator's ends of all connections.
    var poller: Poller

    var step = 0
    /// The boot clock, and how far the wall clock is from it.
    var boot = 1_000_000
    var wallOffset = Simulation.era
    var clients: [Int: ClientLink] = [:]
    var origins: [Int: OriginLink] = [:]
    /// Keys of `clients` and of `origins`, in the order of their beginning.
    var clientOrder: [Int] = []
    var originOrder: [Int] = []
    var nextID = 0
    var requestCount = 0
    /// By seat: serials of answers whose head the worker reads in its next turn.
    var unread: [[Int]] = [[], []]
    /// Requests that may not be sent twice, and were sent.
    var posted: Set<Int> = []
    var collapsing = Collapsing()
    /// Some client's answer waited for its socket when the turn began: an answer that begins in this turn was
    /// perhaps composed in an earlier one.
    var hadBacklog = false
    var violation: Violation?
    var trace = Trace()
    var tally = Tally()
    var response = ResponseHead()

    static let era = 1_767_225_600_000
    static let resourceCount = 480
    /// Those that most requests are for, and that change.
    let hotCount: Int

    /// What has happened, so that a test can tell that something has.
    struct Tally {
        var requests = 0
        var hits = 0
        var collapsed = 0
        var renewed = 0
        var failed = 0
        var stale = 0
        var forwarded = 0
        var partial = 0
        var notModified = 0
        var cut = 0
        var local = 0
        var coded = 0
        var undone = 0
        var uploads = 0
        var interim = 0
        var reused = 0
    }

    init(seed: UInt64) throws {
        self.seed = seed
        // In some runs all meet at a few.
        hotCount = seed % 4 == 1 ? 4 : 20
        random = SeededRandom.ofRun(seed)
        clock = SteeredClock(
            wallMilliseconds: UInt64(boot + wallOffset), bootMilliseconds: UInt64(boot), steersTimeouts: true)
        stage = try Stage(
            seed % 3 == 0 ? .strictButVarying : .liberal, storeSeed: random.next(), clock: clock)
        poller = try Poller()
        origin = Origin(count: Simulation.resourceCount, &random)
        origin.liesTersely = seed % 3 == 0
        purges = Purges(count: Simulation.resourceCount)
    }

    var now: Moment { Moment(wall: boot + wallOffset, boot: boot) }
    var instant: Instant { Instant(step: step, moment: now) }
    /// The origin's own clock: right, and never stepped.
    var originSeconds: Int64 { Int64((boot + Simulation.era) / 1000) }

    func report(_ invariant: Invariant, _ text: String) {
        if violation == nil { violation = Violation(invariant: invariant, text: text) }
    }

    func expect(_ holds: Bool, _ invariant: Invariant, _ text: @autoclosure () -> String) {
        if !holds { report(invariant, text()) }
    }

    func id() -> Int {
        nextID += 1
        return nextID
    }

    func report(_ violation: Violation) -> String {
        "seed \(seed), step \(step): \(violation)\n\(trace.text(steps: 250))"
    }
}

extension Policy {
    /// The default policy, but that it lets a language select.
    static var strictButVarying: Policy {
        var policy = Policy(name: "strict")
        policy.store.vary = .list(["accept-encoding", "accept-language"])
        policy.compress.codings = [.gzip]
        policy.compress.minBodyBytes = 64
        return policy
    }

    /// What the shipped `rfc9111` loosens, heuristics left out: of them the oracle knows nothing.
    static var liberal: Policy {
        var policy = Policy(name: "liberal")
        policy.store.statuses = .any
        policy.store.reading = .rfc
        policy.store.authorization = .explicit
        policy.store.vary = .any
        policy.store.noCache = .revalidate
        policy.store.maxAgeSeconds = 1 << 31
        policy.serve.stale = .rfc
        policy.compress.codings = [.gzip]
        policy.compress.minBodyBytes = 64
        return policy
    }
}
