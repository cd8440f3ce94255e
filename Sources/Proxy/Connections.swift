internal import AccessLog
internal import Balancing
internal import Bytes
internal import Caching
internal import Compression
internal import Exchange
internal import HTTP
internal import Kernel
internal import Loop
internal import Settings
internal import Store
internal import Synchronization

/// The three things a worker keeps in slots: client connections, origin connections and the exchanges between
/// them.

/// One client connection.
struct Client: ~Copyable {
    enum Phase: Equatable {
        /// Between requests, or in the middle of a request head.
        case idle
        /// One request is with an origin: the handle of its `Forward`.
        case exchange(Handle)
        /// Our answer is sent and our side shut: what still comes is read and dropped, so that the kernel
        /// does not reset the connection while the answer is on its way (RFC 9112 §9.6).
        case lingering
    }

    var channel: Channel
    var peer: ClientAddress
    var phase = Phase.idle
    /// Close once everything is sent; no further request is read.
    var closing = false
    /// Unread input may be on its way when we close.
    var lingers = false
    /// Waits in the worker's list of connections to go on with.
    var deferred = false
    /// Bytes of a head have come and its time runs.
    var headStarted = false
    /// A request was answered on this connection.
    var served = false
    /// Of the bytes that the kernel took: those that lines of the log tell of. What follows them belongs to
    /// the answer under way.
    var logged: UInt64 = 0
    /// Bytes of input read and dropped while lingering.
    var dropped = 0
    var scan = HeadScan()

    init(_ socket: consuming Socket, peer: SocketAddress, _ ledger: BufferLedger) {
        channel = Channel(socket, ledger)
        self.peer = ClientAddress(peer)
    }

    /// May a request be read now: between two, with all of the last answer on its way?
    var takesRequest: Bool { phase == .idle && !closing && channel.isFlushed }

    /// Is nothing under way on it: no request, nothing unread, all of the last answer sent?
    var isIdle: Bool {
        guard case .idle = phase else { return false }
        return !headStarted && !closing && !deferred && channel.isFlushed && !channel.wantsReading
            && !channel.ending
    }

    /// A whole head has come: its time is over.
    mutating func noteHead() {
        scan = HeadScan()
        headStarted = false
        served = true
    }
}

/// One connection to an origin server.
struct Origin: ~Copyable {
    enum Phase: Equatable {
        case connecting(Handle)
        case active(Handle)
        case idle
    }

    var channel: Channel
    /// Index in `Site.servers`.
    let server: Int
    var phase: Phase
    /// The turn in which it was last taken from the idle ones; 0 where it has served no request before.
    var takenIn: UInt32 = 0
    /// The turn in which it was last kept.
    var keptIn: UInt32 = 0
    var deferred = false
    var scan = HeadScan()

    /// Nothing is under way on it, either way: what is unread after an answer's end is a close, or bytes
    /// that nobody asked for.
    var isAtRest: Bool { !channel.readable && !channel.ending && !channel.ended && channel.isFlushed }

    init(_ socket: consuming Socket, server: Int, phase: Phase, _ ledger: BufferLedger) {
        channel = Channel(socket, ledger)
        self.server = server
        self.phase = phase
    }
}

/// How the body goes to the client.
enum ClientFraming: Equatable {
    case none
    /// Content-Length was said; bytes go as they are.
    case length
    case chunked
    /// The close of the connection ends it (HTTP/1.0 clients, tunnels).
    case untilClose
}

/// A body on its way into the store: committed whole, or not at all.
struct Fill: ~Copyable {
    /// The origin's head as it came: the stored head is written from it once the length is known.
    var head: ByteBuffer
    var body: ByteBuffer
    let facts: EntryFacts

    init(head: consuming ByteBuffer, body: consuming ByteBuffer, facts: EntryFacts) {
        self.head = head
        self.body = body
        self.facts = facts
    }
}

/// A stored entry that an exchange may renew, or fall back on.
struct Renewal: BitwiseCopyable, Equatable {
    let serial: UInt64
    /// The fetch is sent with the entry's validators.
    var isConditional: Bool
    /// The entry may answer where the origin fails.
    let mayIfError: Bool
    /// A 304 is of no use, as one was before: what is stored instead says so (`EntryFacts`).
    let isFetchedWhole: Bool
}

/// When a request's head was complete.
struct Moment: BitwiseCopyable {
    /// Unix time.
    let wallMilliseconds: UInt64
    /// Of the loop's clock.
    let microseconds: UInt64
}

/// The last failure of an exchange.
struct Trouble: BitwiseCopyable {
    var cause: Cause?
    /// Index in `Site.servers` of the server that failed; -1: it is none of a server.
    var server: Int32 = -1
    /// The notices do not know of it yet: what becomes of the request is not decided.
    var isUntold = false
}

/// One exchange with an origin: a request, its attempts, and its answer on the way to the client and to the
/// store.
struct Forward: ~Copyable {
    /// The client; nil once it has its answer or has left while the entry is still being fetched, and where
    /// an entry is revalidated behind an answer.
    var client: Handle?
    /// Of whom the origin is told, where there is no client.
    var peer: SocketAddress?
    var origin: Handle?
    /// Waits for another's fetch of its key; nothing has been sent, and no server chosen.
    var isWaiting = false
    /// How often the request has waited.
    var waits: UInt8 = 0
    /// Others wait for this one's fetch, or would.
    var holdsReservation = false
    /// The entry that this may renew (`renews`) or fall back on; nil where there is none.
    var renewal: Renewal?
    /// What is stored by this is to be fetched without conditions (`EntryFacts.Flags.fetchedWhole`).
    var isFetchedWhole = false
    /// Index of the route in `Site.routes`.
    let route: Int
    var verdict: RequestVerdict
    /// The request head as it came, the key, then the conditions of a revalidation. Heads are parsed again
    /// where they are needed: that costs less than keeping every parsed field.
    var request = ByteBuffer()
    let headCount: Int
    let keyCount: Int
    var keyed: KeyedRequest
    /// Of the client's HTTP/1.
    let minorVersion: UInt8
    /// What had been purged when the request was sent.
    var stamp = FetchStamp()
    var sentAt: Times
    var attempts: Attempts
    var tried = ServerSet()
    /// Index in `Site.servers`, where this exchange counts as in flight; -1 until one is chosen.
    var server = -1
    var choice = ServerChoice.first
    var addressesTried = 0
    var sent = Sent.nothing
    var requestBody = BodyReader(.none, trailerLimit: 0)
    var requestChunked = false
    var responseBody = BodyReader(.none, trailerLimit: 0)
    var responseStarted = false
    var framing = ClientFraming.none
    /// What becomes of the answer's head and body on their way to the client.
    var transform = HeadTransform.none
    var recoder = Recoder.none
    /// May what it fetches be undone for its client? Not where that was tried already.
    var mayUndo = true
    /// Nothing of the answer has been sent: it is stored first, and then undone (`Worker+Undo`).
    var isHeldBack = false
    /// A GET is sent for a client that asked by HEAD.
    var answersHead = false
    /// The origin connection may be kept after this answer.
    var reusable = false
    var isTunnel = false
    /// The tunnel's client has said its last byte; so has its origin.
    var clientShut = false
    var originShut = false
    var interimCount = 0
    var fill: Fill?
    /// So many bytes of the body are read though nobody wants it.
    var drainLimit: UInt64 = 0
    /// For the access log.
    var status: UInt16 = 0
    /// Why the answer is not in the store; nil where it is, or may yet be.
    var reason: Reason?
    /// All that refuses, behind `reason`: only where there is a log.
    var reasons = Reasons()
    var trouble = Trouble()
    let forwarding: Forwarding
    var stored = false
    /// Of the stored original, once it is committed; what is coded on the way is stored as its variant, and
    /// then this is 0 again.
    var serial: UInt64 = 0
    let started: Moment
    // Has it lent by address, and built in its slot (see `FieldTable`): it would else be copied, and moved.
    private let anchor = Atomic<Bool>(false)

    var method: Method { verdict.method }

    /// As `verdict`, with what the target tells of its answer's coding.
    var verdictOnTarget: RequestVerdict {
        var verdict = verdict
        verdict.noteFile(keyedTarget)
        return verdict
    }

    /// May what is fetched renew an entry?
    var renews: Bool { renewal != nil && verdict.mayRevalidate }

    /// Are the client's conditions kept from the origin (`OriginRequest`)? They are where its answer may be
    /// stored, or renew an entry.
    var keepsConditions: Bool { verdict.mayStore || renews }

    /// The body passes through a coder.
    var isRecoded: Bool {
        // Asked first: to look at the recoder is to look at all of it.
        guard transform.changesBody else { return false }
        return switch recoder {
        case .none: false
        case .encoding: true
        case .undoing: true
        }
    }

    /// The answer is a stored body that is being undone.
    var isFromStore: Bool { isRecoded && transform.change == .decoded }

    /// The coding that is being made as the answer passes: not to be made again from the store.
    var claims: UInt8 {
        switch recoder {
        case .none: 0
        case .undoing: 0
        case .encoding(let encoding): encoding.variant == nil ? 0 : encoding.encoder.coding.rawValue
        }
    }

    var key: Span<UInt8> {
        @_lifetime(borrow self) @inline(__always)
        get { request.span.extracting(headCount..<(headCount + keyCount)) }
    }

    /// The lines that make a revalidation conditional; empty once they are of no use.
    var conditions: Span<UInt8> {
        @_lifetime(borrow self) @inline(__always)
        get {
            guard renewal?.isConditional == true else { return Span() }
            return request.span.extracting(droppingFirst: headCount + keyCount)
        }
    }

    /// The key's host, path and query.
    var routingKey: Span<UInt8> {
        @_lifetime(borrow self) @inline(__always)
        get { key.extracting(droppingFirst: min(keyed.routingStart, keyCount)) }
    }

    var keyedHost: Span<UInt8> {
        @_lifetime(borrow self) @inline(__always)
        get { key.extracting(keyed.routingStart..<keyed.targetStart) }
    }

    var keyedTarget: Span<UInt8> {
        @_lifetime(borrow self) @inline(__always)
        get { key.extracting(droppingFirst: keyed.targetStart) }
    }

    var head: Span<UInt8> {
        @_lifetime(borrow self) @inline(__always)
        get { request.span.extracting(first: headCount) }
    }

    /// A body follows the request's head.
    mutating func expectBody(_ framing: BodyFraming, trailerLimit: Int) {
        requestBody = BodyReader(framing, trailerLimit: trailerLimit)
        requestChunked = framing == .chunked
    }

    /// The answer's final head has come.
    mutating func begin(_ response: borrowing ResponseHead, trailerLimit: Int) {
        status = response.status
        responseStarted = true
        reusable = response.keepAlive
        responseBody = BodyReader(response.framing, trailerLimit: trailerLimit)
    }

    init(
        client: Handle?, peer: SocketAddress?, route: Int, verdict: RequestVerdict,
        forwarding: Forwarding, renewal: Renewal?, headCount: Int, keyCount: Int,
        minorVersion: UInt8, keyed: KeyedRequest, attempts: Attempts, now: Times, started: Moment
    ) {
        self.client = client
        self.peer = peer
        self.renewal = renewal
        // What cannot renew the entry may be answered with it instead of an error.
        if !verdict.mayRevalidate { self.renewal?.isConditional = false }
        isFetchedWhole = renewal?.isFetchedWhole ?? false
        self.keyCount = keyCount
        self.route = route
        self.verdict = verdict
        self.headCount = headCount
        self.minorVersion = minorVersion
        self.keyed = keyed
        self.attempts = attempts
        reason = verdict.reason
        self.forwarding = forwarding
        sentAt = now
        self.started = started
    }
}
