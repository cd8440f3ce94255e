/// A worker without sockets: two threads on one real Store, one table of reservations, their pools, and
/// everything around them (clients, origin, clocks, purges) moved by one seeded schedule.
///
/// The files `Simulation+….swift` compose the machines as `Proxy`'s worker does, function by function; what
/// is sent and received are real heads and bodies. A step is one event; all that follows from it happens in
/// the same step, but for calls from thread to thread, which wait for a step of their own.
import Bytes
import Caching
import Machines
import HTTP
import Settings
import SeededRandom

@testable import Store

/// A rule broken on purpose in the simulated worker, to see that it is noticed.
enum Fault: String, CaseIterable {
    case none
    case servesStale, storesEverything, ignoresVary, storesTruncated, skipsInvalidation, stampsLate
    case ignoresSoftPurges, neverReleases, fetchesTwice, renewsBlindly, shiftsRanges, answersHeadWithBody
    case confusesHosts, answersNotModified, servesAfterErrors, ignoresClients, miscounts, forgetsWaiters,
        forgetsAge
}

/// One thread's own things.
final class Seat {
    var store: StoreThread
    var isOnline = false
    var pool: OriginPool
    var mail: [Call] = []

    init(store: consuming StoreThread) {
        self.store = store
        pool = OriginPool(limit: 4)
    }

    struct Call {
        enum Kind { case look, alone, fetch }
        var fetch: UInt64
        var hash: Hash128
        var kind: Kind
        var scope = RefusalScope.everybody
    }
}

final class Client {
    let id: Int
    let seat: Int
    let want: Want
    let request: ParsedRequest
    let arrivedStep: Int
    /// Of the fetch that it waits for.
    var fetch: UInt64?
    var isDone = false

    init(id: Int, seat: Int, want: Want, step: Int) {
        self.id = id
        self.seat = seat
        self.want = want
        request = ParsedRequest(want)
        arrivedStep = step
    }
}

/// A connection to the origin.
final class Connection {
    let id: UInt64
    let seat: Int
    var fetch: UInt64?
    var isReused = false
    /// The origin has closed it, and nobody has noticed yet.
    var isDead = false
    /// The request, as sent.
    var asked = ByteBuffer(capacity: 256)
    var hasAnswered = false
    /// What the origin has to say still.
    var reply = ByteBuffer(capacity: 1)
    var closes = false
    /// What came and is not used up.
    var inbound = ByteBuffer(capacity: 512)
    var scan = HeadScan()

    init(id: UInt64, seat: Int) {
        self.id = id
        self.seat = seat
    }
}

final class Simulation {
    let seed: UInt64
    let fault: Fault
    var random: SeededRandom
    let store: Store
    let seats: [Seat]
    let rules: Rules
    let hitForMiss = HitForMiss(milliseconds: 5000)
    var reservations: Reservations
    var origin: Origin
    var oracle = Oracle()
    var purges: Purges

    var step = 0
    /// The boot clock, and how far the wall clock is from it.
    var boot = 1_000_000
    var wallOffset = Simulation.era
    var clients: [Client] = []
    var fetches: [UInt64: Fetch] = [:]
    var connections: [UInt64: Connection] = [:]
    /// Connections with a request under way.
    var busy: [UInt64] = []
    /// Those in a pool.
    var idle: [UInt64] = []
    var nextID: UInt64 = 0
    /// Who fetches what under a reservation.
    var holders: [Hash128: UInt64] = [:]
    /// Variants to be made of what is stored.
    var jobs: [Job] = []
    var violation: Violation?
    var trace = Trace()
    var tally = Tally()
    // Buffers of the moment.
    var response = ResponseHead()
    /// The fetch whose head is in `response`; 0: none's.
    var responseOf: UInt64 = 0
    var out = ByteBuffer(capacity: 2048)
    var headOut = ByteBuffer(capacity: 2048)
    var vary = ByteBuffer(capacity: 256)
    var scratch = ByteBuffer(capacity: 2048)

    static let era = 1_767_225_600_000
    static let resourceCount = 480
    /// Those that most requests are for, and that change.
    static let hotCount = 20
    static let memory = 160 << 10

    /// What has happened, so that a test can tell that something has.
    struct Tally {
        var requests = 0
        var hits = 0
        var collapsed = 0
        var renewed = 0
        var failed = 0
        var stale = 0
        var forwarded = 0
        var stored = 0
        var partial = 0
        var notModified = 0
        var aborted = 0
        var local = 0
        var derived = 0
        var coded = 0
        /// Waiters that took another place.
        var placedAnew = 0
    }

    init(seed: UInt64, fault: Fault = .none) throws {
        self.seed = seed
        self.fault = fault
        random = SeededRandom.ofRun(seed)
        let bans = BanRules(matches: { PurgeScope.matches(encoded: $0, key: $1, head: $2) })
        store = try Simulation.store(seed: random.next(), bans: bans)
        seats = [Seat(store: store.row()!), Seat(store: store.row()!)]
        rules = Rules(policy: seed % 3 == 0 ? .strictButVarying : .liberal, upstream: "origin")
        reservations = Reservations(hitForMiss: hitForMiss, waiterLimit: 6)
        origin = Origin(count: Simulation.resourceCount, &random)
        origin.liesTersely = seed % 3 == 0
        purges = Purges(count: Simulation.resourceCount)
    }

    /// An empty store whose hashes are the same in every run: it is made with another seed of its own, which
    /// is overwritten before anything is stored.
    private static func store(seed: UInt64, bans: BanRules) throws -> Store {
        let options = StoreOptions(memory: memory, rows: 2, segmentBytes: 8192)
        let made = try Store.create(options, bans: bans)
        made.arena.store(seed, Header.seed)
        return try Store.attach(to: made.descriptor, bans: bans)
    }

    var now: Moment { Moment(wall: boot + wallOffset, boot: boot) }
    var times: Times { Times(wallMilliseconds: UInt64(now.wall), bootMilliseconds: UInt64(boot)) }
    var milliseconds: UInt64 { UInt64(boot) }
    /// The origin's own clock: right, and never stepped.
    var originSeconds: Int64 { Int64((boot + Simulation.era) / 1000) }

    func report(_ invariant: Invariant, _ text: String) {
        if violation == nil { violation = Violation(invariant: invariant, text: text) }
    }

    func expect(_ holds: Bool, _ invariant: Invariant, _ text: @autoclosure () -> String) {
        if !holds { report(invariant, text()) }
    }

    func id() -> UInt64 {
        nextID += 1
        return nextID
    }

    /// Puts a thread into a turn.
    func wake(_ seat: Int) {
        guard !seats[seat].isOnline else { return }
        seats[seat].store.beginTurn()
        seats[seat].isOnline = true
    }

    func sleep(_ seat: Int) {
        guard seats[seat].isOnline else { return }
        seats[seat].store.endTurn()
        seats[seat].isOnline = false
    }
}

extension Policy {
    /// The default policy, but that it lets a language select.
    static var strictButVarying: Policy {
        var policy = Policy(name: "strict")
        policy.store.vary = .list(["accept-encoding", "accept-language"])
        policy.compress.types = []
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
        policy.compress.types = []
        return policy
    }
}

/// The last steps, for a failing seed.
struct Trace {
    enum Kind: String {
        case request, reply, piece, closed, garbage, truncated, leaves, impatient, tick, wallStep, purge, ban,
            sweep
        case poolDies, calls, turnEnds, edit, answered, sent, stored, settled, looksAgain, derived
    }

    struct Entry {
        var step: Int
        var kind: Kind
        var a: Int
        var b: Int
    }

    static let limit = 256
    private var entries: [Entry] = []
    private var next = 0

    mutating func note(_ step: Int, _ kind: Kind, _ a: Int = 0, _ b: Int = 0) {
        let entry = Entry(step: step, kind: kind, a: a, b: b)
        if entries.count < Trace.limit { entries.append(entry) } else { entries[next] = entry }
        next = (next + 1) % Trace.limit
    }

    /// The last `steps` steps, a line each.
    func text(steps: Int) -> String {
        let ordered = entries.count < Trace.limit ? entries[...] : entries[next...] + entries[..<next]
        let first = (ordered.last?.step ?? 0) - steps
        return ordered.filter { $0.step > first }.map { "\($0.step)  \($0.kind) \($0.a) \($0.b)" }.joined(
            separator: "\n")
    }
}

/// Lends a buffer's bytes: a span of a class's own buffer must not outlive the access to it.
func lend<R>(_ buffer: borrowing ByteBuffer, to use: (Span<UInt8>) -> R) -> R { use(buffer.span) }
