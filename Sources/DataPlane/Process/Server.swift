internal import AccessLog
internal import Balancing
internal import Bytes
internal import Caching
internal import Files
public import Kernel
public import Logging
internal import Loop
public import Settings
public import Store
internal import SystemPackage

/// Why the server could not start. The description names what failed, for the user.
public struct StartFailure: Error, CustomStringConvertible, Sendable {
    public let description: String

    init(_ description: String) { self.description = description }
}

/// The data plane of one process: the listeners, the threads that serve them, and the access log's writer.
///
/// It gets all it needs as values: the settings, and a store that outlives it.
public final class Server: Sendable {
    /// The bound addresses, in the order of `settings.listeners`, with the ports that the kernel chose.
    public let addresses: [SocketAddress]
    private let bells: [WorkerBell]
    private let threads: Locked<[RunningThread]>
    private let accessLog: AccessLog
    private let counters: CounterTable
    /// Upstream and name, in the order of `Site.servers`.
    private let names: [(upstream: String, server: String)]
    private let notices: Logger
    private let helpers: HelperThreads
    private let failures: FailureNotices
    /// Each worker has copies in its own table of descriptors. These stay in the process's table, where tools
    /// like `ss` look.
    private let listeners: Locked<[Bound]>
    // Kept here so that their descriptors are closed in this thread's table, not in the last worker's.
    private let board: FetchBoard
    private let files: [FilesOrigin?]
    private let purger: Locked<Purger>

    /// Binds the listeners, resolves the servers' names and starts the threads.
    /// - Parameters:
    ///   - threads: how many workers run. Each needs a row in the store. So do the helper threads and purges.
    ///   - installation: a text that differs on every machine or container (see `CDNIdentity`).
    ///   - clock: the clock that ages are counted on; nil for the kernel's clocks.
    ///   - notices: gets everything that Larder tells outside of answers and the access log.
    public init(
        _ settings: Settings, threads count: Int, store: Store, installation: String = "",
        clock: SteeredClock? = nil, notices: Logger
    ) throws(StartFailure) {
        let bound = try Self.bind(settings.listeners.map(\.bind), perBind: count)
        addresses = bound.map(\.address)
        let log: AccessLog
        do {
            log = try AccessLog(try AccessLog.Options(settings), threads: count) { notices.warning("\($0)") }
        } catch {
            throw StartFailure("\(error)")
        }
        accessLog = log
        names = settings.upstreams.flatMap(\.serversByUpstream)
        counters = ServerCounter.table(servers: names.count, threads: count)
        self.notices = notices
        let origins = try Self.resolve(settings.upstreams)
        files = try Self.openFiles(settings.upstreams)
        helpers = try Self.startHelpers(store, threads: count, clock, notices)
        guard let row = store.row() else { throw StartFailure("the store has no row for purges") }
        purger = Locked(Purger(row, settings))
        do {
            failures = try FailureNotices(servers: names.map { "\($0.upstream)/\($0.server)" }, notices)
            board = try FetchBoard(threads: count)
        } catch {
            throw StartFailure("cannot make a doorbell: \(error)")
        }
        let cdnID = settings.cdnID ?? CDNIdentity.derived(installation: installation, listeners: addresses)
        let plan = Self.planDescriptors(
            settings, threads: count, listeners: bound.reduce(0) { $0 + $1.slots.count }, notices)
        let connections = ConnectionCount(
            limit: plan.clients, doorbells: board.mailboxes.map(\.doorbell))
        var bells: [WorkerBell] = []
        var running: [RunningThread] = []
        for index in 0..<count {
            let bell: WorkerBell
            let handle: Thread.JoinHandle
            do {
                bell = try WorkerBell()
                guard let row = store.row() else {
                    throw StartFailure("the store has no row for one more thread")
                }
                let seed = WorkerSeed(
                    site: Site(
                        settings, plan, threads: count, addresses: origins, files: files, cdnID: cdnID),
                    listeners: bound.flatMap { $0.share(thread: index, of: count) }, bell: bell,
                    board: board, connections: connections, store: row,
                    log: log.thread(index), counters: counters.row(index), index: index, threads: count,
                    helpers: helpers, failures: failures, clock: clock)
                handle = try Thread.spawn(name: "larder-\(index)", seed: seed) { seed in
                    let bell = seed.bell
                    do throws(Errno) {
                        var worker = try Worker(seed)
                        try worker.watchListeners()
                        bell.tellStart(.success(()))
                        worker.run()
                    } catch {
                        bell.tellStart(.failure(error))
                    }
                    bell.end()
                }
            } catch let failure as StartFailure {
                throw failure
            } catch {
                throw StartFailure("cannot start a thread: \(error)")
            }
            bells.append(bell)
            running.append(RunningThread(handle))
        }
        try Self.waitForStart(bells, running)
        listeners = Locked(bound)
        self.bells = bells
        threads = Locked(running)
        try Self.startNotices(failures, counters, servers: names.count, notices)
        for (address, listener) in zip(addresses, settings.listeners) {
            notices.info("listening", metadata: ["bind": "\(listener.bind)", "address": "\(address)"])
        }
    }

    /// Accepts no more connections. Lets requests under way end, for `limits.drain` at most.
    public func drain() { ring(.drain) }

    /// Ends all threads at once.
    public func stop() { ring(.stop) }

    /// Whether all workers have ended.
    public var hasEnded: Bool { bells.allSatisfy(\.hasEnded) }

    /// Removes entries from the cache. Also refuses every response whose request was sent before the purge.
    /// Takes constant time, except for single URLs. A soft purge makes entries as if they had just expired.
    public func purge(_ purge: Purge, soft: Bool = false) throws(PurgeFailure) {
        let isBulk = try purger.withLock { (purger) throws(PurgeFailure) in
            try purger.purge(purge, soft: soft)
        }
        if isBulk { helpers.requestSweep() }
    }

    /// Opens the access log's file again, after a rotation.
    public func reopenLogs() { accessLog.reopen() }

    /// The counters of each server since the start, in the order of the configuration.
    public var figures: [ServerFigures] {
        names.enumerated().map { index, name in
            ServerFigures(
                upstream: name.upstream, server: name.server, counters, index, of: names.count)
        }
    }

    /// Waits until every thread has ended, for a limited time. Then writes the rest of the log and a notice
    /// with the counters of each server. To be called after `drain` or `stop`.
    ///
    /// - Returns: false if a thread has not ended: the caller ends the process without waiting for it.
    @discardableResult
    public func join(withinMilliseconds limit: Int = 60_000) -> Bool {
        let running = threads.withLock { list in
            defer { list = [] }
            return list
        }
        guard !running.isEmpty else { return true }
        let deadline = Deadline(milliseconds: limit)
        var left: [String] = []
        for (index, thread) in running.enumerated() where !thread.join(by: deadline) {
            left.append("larder-\(index)")
        }
        if !helpers.stop() { left.append("larder-helper") }
        helpers.shortages.tell()
        if !accessLog.stop() { left.append("access-log") }
        failures.stop()
        for origin in files {
            if let origin, !origin.stop() { left.append("files") }
        }
        if !left.isEmpty {
            notices.error(
                "some threads do not end, and Larder does not wait for them: perhaps a file system hangs",
                metadata: ["threads": "\(left.joined(separator: " "))"])
        }
        for server in figures {
            notices.info(
                "server",
                metadata: [
                    "server": "\(server.upstream)/\(server.server)", "requests": "\(server.requests)",
                    "spills": "\(server.spills)", "retries": "\(server.retries)",
                    "failures": "\(server.failures)", "unfinished": "\(server.inFlight)",
                ])
        }
        if let text = Self.storedShare(counters, servers: names.count).text { notices.info("\(text)") }
        return left.isEmpty
    }

    private func ring(_ command: WorkerCommand) {
        for bell in bells { bell.ring(command) }
        listeners.withLock { $0 = [] }
    }
}
