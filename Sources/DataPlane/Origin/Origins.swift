internal import Files
internal import Kernel
internal import Loop
internal import Machines
internal import SystemPackage

/// The thread's connections to origin servers: those that exchanges use, and the idle ones.
///
/// The idle connections to a server are a stack (`OriginPool`): the busiest stay warm, and the surplus ages
/// out. Each connection has one deadline: for its handshake, for the response, or for its idleness.
struct Origins: ~Copyable {
    private var slots: SlotTable<Origin>
    /// By server.
    private var pools: FixedTable<OriginPool>
    /// By server: which of its addresses connections are made to.
    private var addressInUse: FixedTable<Int>
    private let site: Site
    private let ledger: BufferLedger

    /// - Parameter kind: of the handles.
    init(_ site: Site, _ ledger: BufferLedger, kind: UInt8, now: UInt64) {
        slots = SlotTable(kind: kind, now: now)
        pools = FixedTable(count: site.servers.count) {
            OriginPool(limit: site.upstreams[site.servers[$0].upstream].idleConnections)
        }
        addressInUse = FixedTable(count: site.servers.count) { _ in 0 }
        self.site = site
        self.ledger = ledger
    }

    subscript(o: Handle<Origin>) -> Origin {
        @inline(__always) _read { yield slots[o] }
        @inline(__always) _modify { yield &slots[o] }
    }

    @inline(__always)
    func contains(_ o: Handle<Origin>) -> Bool { slots.contains(o) }

    /// Connections to origins, in use and idle.
    var count: Int { slots.count }

    // MARK: Connections in use

    /// Opens a connection to a server for an exchange, and watches it.
    /// - Returns: the connection; its phase tells whether the handshake is over.
    mutating func open(
        _ server: Int, for x: Handle<Exchange>, _ poller: borrowing Poller, now: UInt64
    ) throws(Errno) -> Handle<Origin> {
        if let files = site.servers[server].files {
            return try watch(Origin(try files.connect(), server: server, phase: .active(x), ledger), poller)
        }
        let address = site.servers[server].addresses[addressInUse[server]]
        let connecting = try Socket.connect(to: address)
        let isPending = connecting.inProgress
        let phase = isPending ? Origin.Phase.connecting(x) : .active(x)
        let o = try watch(Origin(connecting.socket, server: server, phase: phase, ledger), poller)
        if isPending { slots.setDeadline(o, at: now + site.timeouts(server).connect) }
        return o
    }

    private mutating func watch(
        _ origin: consuming Origin, _ poller: borrowing Poller
    ) throws(Errno) -> Handle<Origin> {
        let o = slots.insert(origin)
        do {
            try slots[o].channel.watch(by: poller, token: o.token)
        } catch {
            slots.discard(o)
            throw error
        }
        return o
    }

    /// An address of the server did not connect: all exchanges go on with its next one, if it has more.
    mutating func useNextAddress(of server: Int) {
        let count = site.servers[server].addresses.count
        if count > 1 { addressInUse[server] = (addressInUse[server] + 1) % count }
    }

    mutating func close(_ o: Handle<Origin>) { slots.discard(o) }

    // MARK: Idle connections

    /// Takes the connection to a server that became idle last.
    @inline(__always)
    mutating func takeIdle(_ server: Int, for x: Handle<Exchange>, turn: UInt32) -> Handle<Origin>? {
        while let token = pools[server].take() {
            let o = Handle<Origin>(token: token)
            guard slots.contains(o) else { continue }
            slots[o].phase = .active(x)
            slots[o].takenIn = turn
            return o
        }
        return nil
    }

    /// Keeps a connection for the next request, unless something is still under way on it.
    @inline(__always)
    mutating func keepIdle(_ o: Handle<Origin>, turn: UInt32, now: UInt64) {
        guard slots[o].isAtRest else {
            close(o)
            return
        }
        let server = slots[o].server
        slots[o].phase = .idle
        slots[o].keptIn = turn
        slots.setDeadline(o, at: now + site.servers[server].idleTimeout)
        if let surplus = pools[server].put(o.token) { close(Handle(token: surplus)) }
    }

    /// Closes an idle connection that its server has closed, on which it spoke unasked, or that is too old.
    mutating func discardIdle(_ o: Handle<Origin>) {
        pools[slots[o].server].remove(o.token)
        close(o)
    }

    /// Closes an idle connection to the server that has most of them. False: there is none.
    mutating func closeIdle() -> Bool {
        var largest = 0
        for server in site.servers.indices where pools[server].count > pools[largest].count {
            largest = server
        }
        guard let token = pools[largest].takeOldest() else { return false }
        close(Handle(token: token))
        return true
    }

    // MARK: Deadlines

    @inline(__always)
    mutating func setDeadline(_ o: Handle<Origin>, at deadline: UInt64) { slots.setDeadline(o, at: deadline) }
    @inline(__always)
    mutating func popExpired(now: UInt64) -> Handle<Origin>? { slots.popExpired(now: now) }
    @inline(__always)
    func timeout(now: UInt64) -> Int? { slots.timeout(now: now) }
}
