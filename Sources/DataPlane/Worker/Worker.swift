internal import AccessLog
internal import Balancing
internal import Bytes
internal import Caching
internal import Compression
internal import HTTP
internal import Kernel
internal import Loop
internal import Machines
internal import Settings
internal import Store
internal import Synchronization
internal import SystemPackage

/// One thread of the data plane: an epoll loop that owns its connections, its pools and its row of the store.
///
/// It is built inside its thread from a `WorkerSeed` and never leaves it; state travels as `inout self`. What
/// threads share is the store, the listeners' queues and nothing else. A turn is: wait, read the clock, enter
/// the store's epoch, handle events, go on with what was put off, fire timers.
///
/// A call that borrows it costs nothing, because there are heads in it (`FixedPlace`): Swift 6.3 would else
/// copy all of it, some 5 KB, for each.
///
///     Worker+Accept     listeners, back-off
///     Worker+Room       the limit of connections: idle ones make room for new ones
///     Worker+Client     client events: reading, requests out of the bytes, lingering
///     Worker+Request    one request: route, verdict, key, then Worker+Hit or Worker+Exchange
///     Worker+Wait       one fetch a key: who waits for another's, and looks up again
///     Worker+Exchange    connecting, sending, retries
///     Worker+Balance    the server of an exchange: chosen, counted, given back
///     Worker+Origin     origin events: reading the answer
///     Worker+Response   the answer's head: invalidation, storability, what the client gets
///     Worker+Renew      a 304, or an error, in place of an answer to a revalidation
///     Worker+Body       the answer's body, Worker+RequestBody the other way
///     Worker+Recode     bodies compressed as they pass, Worker+Variant stored ones
///     Worker+Undo       stored bodies whose gzip is undone, slice by slice
///     Worker+Whole      fetches of the whole, where the first answer does not tell enough
///     Worker+Tunnel     upgraded connections
///     Worker+Store      fills, commits, invalidation
///     Worker+Shed       what goes where memory for buffers is used up
///     Worker+Finish     ends of exchanges and connections: reuse, close, log
///     Worker+Log        the access log's lines, which ClientLog writes
///     Worker+Trouble    what is noted of failures
///     Worker+Drain      the end of the thread
///     Worker+Timers     deadlines
struct Worker: ~Copyable {
    enum Kind {
        static var client: UInt8 { 1 }
        static var origin: UInt8 { 2 }
        static var listener: UInt8 { 3 }
        static var bell: UInt8 { 4 }
        static var exchange: UInt8 { 5 }
        static var ticker: UInt8 { 6 }
        static var encoding: UInt8 { 7 }
        static var undoing: UInt8 { 8 }
    }

    /// The turn's clocks: read once a turn.
    struct Now {
        /// Since boot, sleep included; what the log's durations count in.
        let microseconds: UInt64
        /// The same; what deadlines count in.
        let milliseconds: UInt64
        /// Wall and boot-time clocks; what Age counts in.
        let times: Times

        var moment: Moment { Moment(wallMilliseconds: times.wallMilliseconds, microseconds: microseconds) }

        /// Two readings, one of them coarse: an Age is whole seconds, and the tick that the coarse clock
        /// lags is not seen in it.
        init(reading clock: SteeredClock?) {
            guard let clock else {
                microseconds = Clock.bootMicroseconds()
                milliseconds = microseconds / 1_000
                times = Times(
                    wallMilliseconds: Clock.coarseWallMilliseconds(), bootMilliseconds: milliseconds)
                return
            }
            microseconds = clock.microseconds
            milliseconds = microseconds / 1_000 + clock.skippedMilliseconds
            times = clock.times
        }
    }

    /// Reads or writes one connection may take in a turn before others get theirs.
    static var turnBudget: Int { 16 }
    /// Requests that one connection may have answered in a turn.
    static var requestBudget: Int { 32 }
    /// Runs of a chunked body that count as one read.
    static var runsPerRead: Int { 512 }
    /// Windows that are compressed in a turn, of all connections: each takes about a millisecond.
    static var encodingBudget: Int { 4 }
    /// The longest that a turn waits.
    static var tickMilliseconds: Int { 1_000 }

    // First what every request touches, side by side: behind a system call little of it is still near.
    let site: Site
    var poller: Poller
    var store: StoreThread
    var now: Now
    /// Counts turns, by two: never 0.
    var turn: UInt32 = 1
    var clients: SlotTable<Client>
    /// Connections with something left to do, for the next turn, and exchanges to be looked up again.
    var deferred: [Token] = []
    /// Origins that found this turn's budget for compression used up: they come first in the next.
    var starved: [Handle<Origin>] = []
    /// Exchanges that undo a stored body, in the order of their slices.
    var undoQueue: [Handle<Exchange>] = []
    /// What is left of this turn's `encodingBudget`, and of the `requestBudget` of the connection at hand.
    var encodingsLeft = 0
    var requestsLeft = 0
    /// Runs of a chunked body that were passed since the last read.
    var runsPassed = 0
    var isDraining = false
    /// Answers end their connections: while draining, and near the limit of connections.
    var endsConnections = false
    var scratch = Scratch()
    var compressionGuard = CompressionGuard()
    let bell: WorkerBell
    var log: ClientLog
    var counters: ServerCounters
    let failures: FailureNotices
    /// The untrusted client that last spoke as a proxy does.
    var lastStranger: PeerSet.Peer?
    /// What the last malformed answer broke.
    var fault = ResponseFault()
    let clock: SteeredClock?
    var origins: Origins
    var exchanges: SlotTable<Exchange>
    /// Bodies that are compressed as they pass, and stored bodies that are being decoded.
    var encodings = SlotTable<Encoding>(kind: Kind.encoding)
    var undoings = SlotTable<Undoing>(kind: Kind.undoing)
    /// By upstream: the balancers' turns.
    var turns: FixedTable<Int>
    /// For requests' heads.
    var spares = SpareBuffers()
    /// Which thread this is.
    let index: Int
    let board: FetchBoard
    var wakeUps: [WakeUp] = []
    /// Empty from the drain on.
    var listeners: [ListenerSlot]
    /// Ends the waits that have no deadline nearer than its next tick.
    let ticker: Ticker
    var encoders = EncoderPool()
    let helpers: HelperThreads
    var date = CachedHTTPDate()
    /// Bytes held in fills and encoders, and what connections keep: bounded by the worker's share of
    /// `limits.buffers`.
    var fillBytes = 0
    let ledger: BufferLedger
    /// When it may be looked again for what to shed.
    var shedsAt: UInt64 = 0
    let connections: ConnectionCount
    var longestIdle = LongestIdle(capacity: 64)
    /// The turn in which the idle connections were last looked through.
    var walkedIn: UInt32 = 0
    var acceptPausedUntil: UInt64?
    var lastAcceptedAt: UInt64 = 0
    /// When handshakes that are under way at a drain have had their time.
    var handshakeDeadline: UInt64 = 0
    var drainDeadline: UInt64 = .max

    /// Gives the thread descriptors of its own, if the kernel lets it: all that it opens from here on.
    /// - Throws: the kernel's refusal of a descriptor.
    init(_ seed: consuming WorkerSeed) throws(Errno) {
        let listeners = try seed.takeDescriptors()
        let poller = try Poller()
        ticker = try Ticker(everyMilliseconds: UInt32(Self.tickMilliseconds))
        self.poller = poller
        let site = seed.site
        self.site = site
        let (index, threads) = (seed.index, seed.threads)
        self.index = index
        board = seed.board
        connections = seed.connections
        turns = FixedTable(count: site.upstreams.count) {
            site.upstreams[$0].balancer.firstTurn(thread: index, of: threads)
        }
        self.listeners = listeners
        bell = seed.bell
        store = seed.store
        log = ClientLog(seed.log)
        counters = ServerCounters(
            seed.counters, servers: site.servers.count, upstreams: site.upstreams.count)
        helpers = seed.helpers
        failures = seed.failures
        now = Now(reading: seed.clock)
        let ledger = BufferLedger()
        self.ledger = ledger
        clients = SlotTable(kind: Kind.client, now: now.milliseconds)
        origins = Origins(site, ledger, kind: Kind.origin, now: now.milliseconds)
        exchanges = SlotTable(kind: Kind.exchange, now: now.milliseconds)
        clock = seed.clock
    }

    /// Runs until told to stop.
    mutating func run() {
        repeat { runTurn(timeoutMilliseconds: nextTimeout()) } while !shouldStop()
        end()
    }

    /// One turn of the loop.
    /// - Parameter timeoutMilliseconds: the longest wait for events; nil: until the ticker's next tick.
    @inline(__always)
    mutating func runTurn(timeoutMilliseconds: Int?) {
        store.endTurn()
        let idleFrom = clock?.microseconds ?? Clock.bootMicroseconds()
        let busy = idleFrom &- now.microseconds
        let count = poller.wait(timeoutMilliseconds: timeoutMilliseconds)
        now = Now(reading: clock)
        turn &+= 2
        compressionGuard.note(busyMicroseconds: busy, waitedMicroseconds: now.microseconds &- idleFrom)
        store.beginTurn()
        counters.beginTurn()
        noteCrowd()
        encodingsLeft = Self.encodingBudget
        for index in 0..<count { handle(poller[index]) }
        continueDeferred()
        if !undoQueue.isEmpty { undoSlices() }
        fireTimers()
        if bufferBytes > site.fillLimit { shed() }
        log.flush()
        if isDraining { closeQuietListeners() }
    }

    /// Gives back what other threads count or wait for, after the last turn.
    mutating func end() {
        store.endTurn()
        releaseServers()
        log.flush()
    }

    private mutating func handle(_ event: Event) {
        let token = Token(event.token)
        switch token.kind {
        case Kind.client: clientEvent(Handle(token: event.token), event)
        case Kind.origin: originEvent(Handle(token: event.token), event)
        case Kind.listener: acceptAll(Int(token.index))
        case Kind.bell where token.index == 0:
            bell.counter.drain()
            obey(bell.command)
        case Kind.bell: answerCalls()
        case Kind.ticker: ticker.drain()
        default: preconditionFailure("an event for a kind of descriptor that is never watched")
        }
    }

    /// Puts a connection off to the next turn, once.
    mutating func deferClient(_ h: Handle<Client>) {
        guard !clients[h].deferred else { return }
        clients[h].deferred = true
        deferred.append(Token(h.token))
    }

    mutating func deferOrigin(_ h: Handle<Origin>) {
        guard !origins[h].deferred else { return }
        origins[h].deferred = true
        deferred.append(Token(h.token))
    }

    /// Goes on with what was put off before this point; what is put off meanwhile waits for the next turn.
    private mutating func continueDeferred() {
        let count = deferred.count
        for index in 0..<count {
            let token = deferred[index]
            switch token.kind {
            case Kind.client:
                let c = Handle<Client>(token: token.word)
                guard clients.contains(c) else { continue }
                clients[c].deferred = false
                advanceClient(c)
            case Kind.origin:
                let o = Handle<Origin>(token: token.word)
                guard origins.contains(o) else { continue }
                origins[o].deferred = false
                advanceOrigin(o)
            default:
                // The exchange's origin has failed, and a stored entry may answer.
                let x = Handle<Exchange>(token: token.word)
                guard exchanges.contains(x), case .failed(let status) = exchanges[x].machine.phase
                else { continue }
                lookAgain(x, .failed, failure: status)
            }
        }
        deferred.removeFirst(count)
        guard !starved.isEmpty else { return }
        deferred.insert(contentsOf: starved.map { Token($0.token) }, at: 0)
        starved.removeAll(keepingCapacity: true)
    }

    /// Puts an origin off whose answer is compressed, if this turn's budget for that is used up.
    mutating func waitForEncodingBudget(_ o: Handle<Origin>, _ x: Handle<Exchange>) -> Bool {
        if encodingsLeft > 0 {
            encodingsLeft -= 1
            return false
        }
        if !origins[o].deferred {
            origins[o].deferred = true
            starved.append(o)
        }
        return true
    }

    /// How long the next wait may be, in milliseconds; nil where the ticker ends it soon enough.
    func nextTimeout() -> Int? {
        if !deferred.isEmpty || !starved.isEmpty || !undoQueue.isEmpty { return 0 }
        var timeout = Self.tickMilliseconds
        if let t = clients.timeout(now: now.milliseconds) { timeout = min(timeout, t) }
        if let t = origins.timeout(now: now.milliseconds) { timeout = min(timeout, t) }
        if let t = exchanges.timeout(now: now.milliseconds) { timeout = min(timeout, t) }
        if let until = acceptPausedUntil {
            timeout = min(timeout, Int(max(until, now.milliseconds) - now.milliseconds))
        }
        if isDraining, !listeners.isEmpty { timeout = min(timeout, Self.handshakeLookMilliseconds) }
        return timeout < Self.tickMilliseconds ? timeout : nil
    }
}
