internal import AccessLog
internal import Balancing
internal import Bytes
internal import Caching
internal import Compression
internal import HTTP
internal import Kernel
internal import Loop
internal import Machines
internal import Store

/// How the body goes to the client.
enum ClientFraming: Equatable {
    case none
    /// Content-Length was said; bytes go as they are.
    case length
    case chunked
    /// The close of the connection ends it (HTTP/1.0 clients, tunnels).
    case untilClose
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
struct Exchange: ~Copyable {
    /// The client; nil once it has its answer or has left while the entry is still being fetched, and where
    /// an entry is revalidated behind an answer.
    var client: Handle<Client>?
    /// Of whom the origin is told, where there is no client.
    var peer: SocketAddress?
    var origin: Handle<Origin>?
    /// Which phase the exchange is in, and what follows from each event.
    var machine: ExchangeMachine
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
    var tried = ServerSet()
    /// Index in `Site.servers`, where this exchange counts as in flight; -1 until one is chosen.
    var server = -1
    var choice = ServerChoice.first
    var requestBody = BodyReader(.none, trailerLimit: 0)
    var requestChunked = false
    var responseBody = BodyReader(.none, trailerLimit: 0)
    var framing = ClientFraming.none
    /// What becomes of the answer's head and body on their way to the client.
    var transform = HeadTransform.none
    var recoder = Recoder.none
    /// May what it fetches be undone for its client? Not where that was tried already.
    var mayUndo = true
    /// A GET is sent for a client that asked by HEAD.
    var answersHead = false
    /// The origin connection may be kept after this answer.
    var reusable = false
    var fill: Fill?
    /// For the access log.
    var status: UInt16 = 0
    /// Why the answer is not in the store; nil where it is, or may yet be.
    var reason: Reason?
    /// All that refuses, behind `reason`: only where there is a log.
    var reasons = Reasons()
    var trouble = Trouble()
    let forwardReason: ForwardReason
    var stored = false
    /// Of the stored original, once it is committed; what is coded on the way is stored as its variant, and
    /// then this is 0 again.
    var serial: UInt64 = 0
    let started: Moment
    private let lentInPlace = LentInPlace()

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
        machine.answer()
        reusable = response.keepAlive
        responseBody = BodyReader(response.framing, trailerLimit: trailerLimit)
    }

    init(
        client: Handle<Client>?, peer: SocketAddress?, route: Int, verdict: RequestVerdict,
        forwardReason: ForwardReason, renewal: Renewal?, headCount: Int, keyCount: Int,
        minorVersion: UInt8, keyed: KeyedRequest, machine: ExchangeMachine, now: Times, started: Moment
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
        self.machine = machine
        reason = verdict.reason
        self.forwardReason = forwardReason
        sentAt = now
        self.started = started
    }
}
