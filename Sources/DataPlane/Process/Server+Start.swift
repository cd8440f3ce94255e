internal import AccessLog
internal import Bytes
internal import Caching
internal import Files
internal import Kernel
internal import Logging
internal import Loop
internal import Settings
internal import Store
internal import Synchronization
internal import SystemPackage

/// A listening socket that an array can hold. (`Listener` is noncopyable.)
final class ListenerSlot: Sendable {
    let listener: Listener

    init(_ listener: consuming Listener) { self.listener = listener }
}

/// A bound address and its sockets.
struct Bound: Sendable {
    var address: SocketAddress
    var slots: [ListenerSlot] = []

    /// The sockets that thread `index` of `count` watches: its own share, or all if there are fewer sockets
    /// than threads.
    func share(thread index: Int, of count: Int) -> [CInt] {
        slots.indices.filter { slots.count < count || $0 % count == index }.map { slots[$0].listener.raw }
    }
}

/// What a worker has to do.
enum WorkerCommand: UInt8, Sendable { case run, drain, stop }

/// Carries commands from another thread to one worker, and tells that thread when the worker has started and
/// ended.
final class WorkerBell: Sendable {
    let counter: EventCounter
    private let started: EventCounter
    private let start = Locked<Result<Void, Errno>?>(nil)
    private let word = Atomic<UInt8>(WorkerCommand.run.rawValue)
    private let ended = Atomic<Bool>(false)

    init() throws(Errno) {
        counter = try EventCounter()
        started = try EventCounter()
    }

    var descriptors: [CInt] { [counter.raw, started.raw] }

    /// Called by the worker: it has all that it takes from other threads (`success`), or could not get it.
    func tellStart(_ result: Result<Void, Errno>) {
        start.withLock { $0 = result }
        started.signal()
    }

    /// Waits for `tellStart`.
    /// - Throws: what the kernel refused to the worker.
    func waitForStart() throws(Errno) {
        while true {
            if let result = start.withLock({ $0 }) { return try result.get() }
            started.wait(timeoutMilliseconds: nil)
        }
    }

    var command: WorkerCommand { WorkerCommand(rawValue: word.load(ordering: .acquiring)) ?? .stop }

    /// Whether the worker's loop has ended.
    var hasEnded: Bool { ended.load(ordering: .acquiring) }

    func end() { ended.store(true, ordering: .releasing) }

    func ring(_ command: WorkerCommand) {
        word.store(command.rawValue, ordering: .releasing)
        counter.signal()
    }
}

/// What a worker is built from. The worker is built inside its thread.
struct WorkerSeed: ~Copyable, Sendable {
    let site: Site
    /// Open until the worker has started. Then the worker has its own copies.
    let listeners: [CInt]
    let bell: WorkerBell
    let board: FetchBoard
    let connections: ConnectionCount
    let store: StoreThread
    let log: AccessLogThread
    let counters: CounterRow
    /// The number of this thread, from 0, and how many threads there are.
    let index: Int
    let threads: Int
    let helpers: HelperThreads
    let failures: FailureNotices
    /// nil for the kernel's clocks.
    let clock: SteeredClock?
    /// The thread belongs to the worker, which may give it its own table of descriptors.
    var ownsThread = true

    /// Gives the calling thread its own table of descriptors, if the thread is the worker's and the kernel
    /// allows that, and takes over the listeners.
    func takeDescriptors() throws(Errno) -> [ListenerSlot] {
        let isSeparate =
            ownsThread
            && DescriptorTable.separate(
                keeping: listeners + bell.descriptors + board.descriptors + helpers.descriptors
                    + log.descriptors + failures.descriptors)
        var taken: [ListenerSlot] = []
        for raw in listeners {
            taken.append(
                ListenerSlot(
                    isSeparate ? Listener(owning: Descriptor(owning: raw)) : try Listener.duplicate(raw)))
        }
        return taken
    }
}

extension Server {
    /// Binds every address. A TCP address gets one socket for each thread. They share the port
    /// (SO_REUSEPORT), so the kernel spreads connections and the threads share no queue. A unix address gets
    /// one socket, which all threads share.
    static func bind(_ binds: [BindAddress], perBind count: Int) throws(StartFailure) -> [Bound] {
        var all: [Bound] = []
        for bind in binds {
            guard let address = SocketAddress(bind) else { throw StartFailure("\(bind): no address to bind") }
            do {
                all.append(try Self.bind(address, sockets: address.isUnix ? 1 : count))
            } catch {
                throw StartFailure("cannot listen on \(bind): \(Self.explain(error, bind))")
            }
        }
        return all
    }

    /// Starts the thread that writes notices: about servers that fail and, once an hour, about how many
    /// answers were stored.
    static func startNotices(
        _ failures: FailureNotices, _ counters: CounterTable, servers: Int, _ notices: Logger
    ) throws(StartFailure) {
        let told = Locked(storedShare(counters, servers: servers))
        do {
            try failures.start {
                let share = storedShare(counters, servers: servers)
                let before = told.withLock { told in
                    defer { told = share }
                    return told
                }
                if let text = share.since(before).text { notices.info("in the last hour: \(text)") }
            }
        } catch {
            throw StartFailure("cannot start a thread: \(error)")
        }
    }

    /// How many responses of origins were stored since the start, and why others were not.
    static func storedShare(_ counters: CounterTable, servers: Int) -> StoredShare {
        let first = ServerCounter.answers(servers)
        let refused = Reason.codes.indices.map { $0 == 0 ? 0 : counters.sum(first + $0) }
        return StoredShare(stored: counters.sum(first), refused: refused)
    }

    private static func bind(_ address: SocketAddress, sockets: Int) throws(Errno) -> Bound {
        // The first socket is bound without SO_REUSEPORT. So this fails if another program has the port, for
        // example a second Larder, which would take a part of the clients.
        let first = try Listener.bind(address)
        // If the kernel chose the port, the other sockets use the same one.
        var bound = Bound(address: first.localAddress ?? address)
        first.deferUntilBytes()
        if sockets > 1 { try first.sharePort() }
        bound.slots.append(ListenerSlot(first))
        for _ in 1..<max(1, sockets) {
            let listener = try Listener.bind(bound.address, reusePort: true)
            listener.deferUntilBytes()
            bound.slots.append(ListenerSlot(listener))
        }
        return bound
    }

    /// Plans how many clients there are descriptors for. Writes a notice if they are fewer than the
    /// configuration asks for.
    static func planDescriptors(
        _ settings: Settings, threads: Int, listeners: Int, _ notices: Logger
    ) -> DescriptorPlan {
        let limit = DescriptorLimit.current
        let plan = DescriptorPlan(
            limit: limit, threads: threads, tablesAreSeparate: DescriptorTable.isSeparable(),
            connections: settings.limits.connections, listeners: listeners)
        if plan.clients < settings.limits.connections {
            notices.warning(
                """
                the limit of open files is \(limit): Larder accepts \(plan.clients) client connections at a \
                time, not \(settings.limits.connections) (limits.connections). When there are more, it \
                closes those that are idle longest. \
                Raise the hard limit to \(plan.wanted): ulimit -n \(plan.wanted) \
                before the start, systemd's LimitNOFILE=\(plan.wanted), docker's --ulimit \
                nofile=\(plan.wanted)
                """)
        }
        return plan
    }

    /// Says why an address cannot be bound, and what helps.
    private static func explain(_ error: Errno, _ bind: BindAddress) -> String {
        switch (error, bind) {
        case (.addressInUse, .tcp):
            "the address is in use: another program, perhaps another Larder, listens on it or on the same "
                + "port of all addresses; stop that program, or choose another address"
        case (.addressInUse, .unix):
            "the address is in use: another program, perhaps another Larder, listens on it; stop that "
                + "program, or choose another path"
        case (.fileExists, _): "the path names a file that is not a socket; Larder does not replace it"
        case (.addressNotAvailable, _): "this machine does not have this address"
        case (.permissionDenied, .tcp(_, port: ..<1024)):
            "permission denied: ports below 1024 need root, CAP_NET_BIND_SERVICE, or a lower "
                + "net.ipv4.ip_unprivileged_port_start"
        default: "\(error)"
        }
    }

    /// Waits until every worker has all that it needs. If one worker does not get it, all workers are
    /// stopped.
    static func waitForStart(_ bells: [WorkerBell], _ running: [RunningThread]) throws(StartFailure) {
        do {
            for bell in bells { try bell.waitForStart() }
        } catch {
            for bell in bells { bell.ring(.stop) }
            let deadline = Deadline(milliseconds: 1_000)
            for thread in running { _ = thread.join(by: deadline) }
            throw StartFailure("a thread cannot watch its connections: \(error)")
        }
    }

    /// Starts the helper threads: one for four workers, at least one.
    static func startHelpers(
        _ store: Store, threads: Int, _ clock: SteeredClock?, _ notices: Logger
    ) throws(StartFailure) -> HelperThreads {
        do {
            let helpers = try HelperThreads(clock, ShortageNotices(notices))
            for _ in 0..<max(1, threads / 4) {
                guard let row = store.row() else {
                    throw StartFailure("the store has no row for one more thread")
                }
                try helpers.start(row)
            }
            return helpers
        } catch let failure as StartFailure {
            throw failure
        } catch {
            throw StartFailure("cannot start a thread: \(error)")
        }
    }

    /// Looks up the addresses of every server, once.
    /// - Returns: the addresses by upstream and server.
    static func resolve(_ upstreams: [Upstream]) throws(StartFailure) -> [[[SocketAddress]]] {
        var all: [[[SocketAddress]]] = []
        for upstream in upstreams {
            var servers: [[SocketAddress]] = []
            guard case .servers(let list) = upstream.origin else {
                all.append([])
                continue
            }
            for server in list { servers.append(try resolve(server, of: upstream)) }
            all.append(servers)
        }
        return all
    }

    private static func resolve(
        _ server: Upstream.Server, of upstream: Upstream
    ) throws(StartFailure) -> [SocketAddress] {
        switch server.address {
        case .host(let host, let port):
            do {
                return try Resolution.resolve(host: host, port: port)
            } catch {
                throw StartFailure("upstreams.\(upstream.name): server \(server.name): \(error)")
            }
        case .unix(let path):
            guard let address = SocketAddress.unix(path: path) else {
                throw StartFailure(
                    "upstreams.\(upstream.name): the path of a unix socket is too long: \(path)")
            }
            return [address]
        case .dns, .srv:
            throw StartFailure("upstreams.\(upstream.name): servers from DNS are not built yet")
        }
    }

    static func openFiles(_ upstreams: [Upstream]) throws(StartFailure) -> [FilesOrigin?] {
        var all: [FilesOrigin?] = []
        for upstream in upstreams {
            guard case .files(let files) = upstream.origin else {
                all.append(nil)
                continue
            }
            do throws(StartFailure) {
                all.append(try FilesOrigin(files))
            } catch {
                throw StartFailure("upstreams.\(upstream.name).\(error)")
            }
        }
        return all
    }
}

extension SocketAddress {
    init?(_ bind: BindAddress) {
        switch bind {
        case .tcp(let address, let port): self = .ip(address, port: port)
        case .unix(let path):
            guard let unix = SocketAddress.unix(path: path) else { return nil }
            self = unix
        }
    }

    private static func ip(_ address: IPAddress, port: UInt16) -> SocketAddress {
        address.isIPv4
            ? .ipv4(UInt32(truncatingIfNeeded: address.low), port: port)
            : .ipv6(high: address.high, low: address.low, port: port)
    }
}

extension Upstream {
    /// The names of its servers, in the order of `Site.servers`. A `files:` upstream is its own only server.
    var serversByUpstream: [(upstream: String, server: String)] {
        switch origin {
        case .servers(let servers): servers.map { (name, $0.name) }
        case .files: [(name, name)]
        }
    }

    var serverNames: [String] {
        switch origin {
        case .servers(let servers): servers.map { "\(name)/\($0.name)" }
        case .files: [name]
        }
    }
}
