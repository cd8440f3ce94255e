/// Two workers of the data plane on the test's own thread: built as `Server` builds them, but turned by the
/// simulator, one turn at a time, on clocks that the simulator moves.
import AccessLog
import Bytes
import Caching
import Glibc
import Logging
import Loop
import Machines
import Settings
import Synchronization
import SystemPackage

@testable import DataPlane
@testable import Kernel
@testable import Store

/// One worker and what rings it.
final class Seat {
    var worker: Worker
    let bell: WorkerBell
    let address: SocketAddress

    init(_ worker: consuming Worker, _ bell: WorkerBell, _ address: SocketAddress) {
        self.worker = worker
        self.bell = bell
        self.address = address
    }
}

/// Where an origin's server listens; nil while it is down.
final class ServerPlace {
    let address: SocketAddress
    var listener: Listener?

    init(_ address: SocketAddress) throws {
        self.address = address
        listener = try Listener.bind(address)
    }
}

/// The workers and what they share, and what stands beside them: a purger and a helper's row.
final class Stage {
    static let memory = 384 << 10
    static let threads = 2

    let store: Store
    let clock: SteeredClock
    let board: FetchBoard
    let helpers: HelperThreads
    let servers: [ServerPlace]
    let paths: SocketPaths
    var seats: [Seat] = []
    var purger: Purger
    var maker: VariantMaker

    init(_ policy: Policy, storeSeed: UInt64, clock: SteeredClock) throws {
        let paths = SocketPaths(2 + Stage.threads)
        let addresses = try (0..<(2 + Stage.threads)).map { try paths.address($0) }
        self.paths = paths
        store = try Stage.store(seed: storeSeed)
        self.clock = clock
        servers = try (0..<2).map { try ServerPlace(addresses[$0]) }
        let settings = Stage.settings(policy, servers.map { $0.address.unixPath ?? "" })
        let notices = Logger(label: "simulation") { _ in SwiftLogNoOpLogHandler() }
        helpers = try HelperThreads(clock, ShortageNotices(notices))
        board = try FetchBoard(threads: Stage.threads, hitForMiss: HitForMiss(milliseconds: 5000))
        purger = Purger(store.row()!, settings)
        maker = VariantMaker(store.row()!, clock)
        let log = try AccessLog(AccessLog.Options(destination: .none), threads: Stage.threads) { _ in }
        let failures = try FailureNotices(servers: ["a", "b"], notices)
        let counters = ServerCounter.table(servers: 2, threads: Stage.threads)
        let plan = DescriptorPlan(
            limit: 4096, threads: Stage.threads, tablesAreSeparate: false,
            connections: settings.limits.connections, listeners: Stage.threads)
        let connections = ConnectionCount(
            limit: plan.clients, doorbells: board.mailboxes.map(\.doorbell))
        for index in 0..<Stage.threads {
            let bell = try WorkerBell()
            let address = addresses[2 + index]
            // The worker duplicates it.
            let listener = try Listener.bind(address)
            let site = Site(
                settings, plan, threads: Stage.threads, addresses: [servers.map { [$0.address] }],
                files: [nil], cdnID: "simulated")
            let seed = WorkerSeed(
                site: site, listeners: [listener.raw], bell: bell, board: board, connections: connections,
                store: store.row()!, log: log.thread(index), counters: counters.row(index), index: index,
                threads: Stage.threads, helpers: helpers, failures: failures, clock: clock,
                ownsThread: false)
            var worker = try Worker(seed)
            try worker.watchListeners()
            seats.append(Seat(worker, bell, address))
        }
    }

    private static func settings(_ policy: Policy, _ paths: [String]) -> Settings {
        var settings = Settings()
        settings.policies = [policy]
        settings.routes = [Route(name: "all", policy: 0, upstream: 0)]
        let servers = zip(paths, ["a", "b"]).map { path, name in
            // The hash of a key is made over the name: paths differ from run to run.
            var server = Upstream.Server(.unix(path: path))
            server.name = name
            return server
        }
        var upstream = Upstream(name: "origin", origin: .servers(servers))
        upstream.retries = 1
        upstream.connections.idle = 4
        upstream.timeouts.responseMilliseconds = 4_000
        upstream.timeouts.idleMilliseconds = 3_000
        settings.upstreams = [upstream]
        settings.limits.connections = 60
        settings.limits.headTimeoutMilliseconds = 5_000
        settings.limits.keepAliveMilliseconds = 8_000
        settings.log.access = .none
        return settings
    }

    /// An empty store whose hashes are the same in every run: it is made with another seed of its own, which
    /// is overwritten before anything is stored.
    private static func store(seed: UInt64) throws -> Store {
        let options = StoreOptions(memory: memory, rows: threads + 2, segmentBytes: 24 << 10)
        let made = try Store.create(options, bans: .purgeScopes)
        made.arena.store(seed, Header.seed)
        return try Store.attach(to: made.descriptor, bans: .purgeScopes)
    }

    /// Does the worker keep bytes that some client's socket did not take?
    func hasBacklog(_ seat: Int) -> Bool {
        var position = 0
        while let h = seats[seat].worker.clients.next(from: &position) {
            if !seats[seat].worker.clients[h].channel.isFlushed { return true }
        }
        return false
    }

    /// Makes a worker's side of one connection take little at once.
    func narrow(seat: Int, at position: Int) {
        var next = position
        guard let h = seats[seat].worker.clients.next(from: &next) else { return }
        let raw = seats[seat].worker.clients[h].channel.transport.descriptor
        // The kernel takes its least value, and reads ours during the call.
        _ = unsafe withUnsafeBytes(of: CInt(1)) { bytes in
            unsafe setsockopt(raw, SOL_SOCKET, SO_SNDBUF, bytes.baseAddress, socklen_t(bytes.count))
        }
    }
}

/// Paths for unix sockets, as long in every run, removed by `deinit`.
struct SocketPaths: ~Copyable {
    private static let made = Atomic(0)
    let paths: [String]

    init(_ count: Int) {
        let number = 100_000 + Self.made.wrappingAdd(1, ordering: .relaxed).oldValue
        let name = "/tmp/larder-simulation-\(10_000_000 + Int(getpid()))-\(number)"
        paths = (0..<count).map { "\(name)-\($0)" }
    }

    func address(_ index: Int) throws -> SocketAddress {
        guard let address = SocketAddress.unix(path: paths[index]) else { throw Errno.invalidArgument }
        return address
    }

    // The string is read during the call.
    deinit { for path in paths { _ = unsafe unlink(path) } }
}
