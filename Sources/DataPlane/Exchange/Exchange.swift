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

/// One exchange with an origin: a request, its attempts, and its answer on the way to the client and to the
/// store.
struct Exchange: ~Copyable {
    /// The client; nil once it has its answer or has left while the entry is still being fetched, and where
    /// an entry is revalidated behind an answer.
    var client: Handle<Client>?
    /// The address of the client that the origin is told of, where there is no client any more.
    var peer: SocketAddress?
    var origin: Handle<Origin>?
    /// Which phase the exchange is in, and what follows from each event.
    var machine: ExchangeMachine

    // The request.

    /// Index of the route in `Site.routes`.
    let route: Int
    var verdict: RequestVerdict
    var keyed: KeyedRequest
    /// The request head as it came, the key, then the conditions of a revalidation. Heads are parsed again
    /// where they are needed: that costs less than keeping every parsed field.
    var request = ByteBuffer()
    let headCount: Int
    let keyCount: Int
    /// Of the client's HTTP/1.
    let minorVersion: UInt8
    let started: Moment
    var requestBody = BodyReader(.none, trailerLimit: 0)
    var requestChunked = false

    var fetch: Fetch
    var answer = Passage()
    var outcome = Outcome()
    private let lentInPlace = LentInPlace()

    var method: Method { verdict.method }

    /// As `verdict`, with what the target tells of its answer's coding.
    var verdictOnTarget: RequestVerdict {
        var verdict = verdict
        verdict.noteFile(keyedTarget)
        return verdict
    }

    /// May what is fetched renew an entry?
    var renews: Bool { fetch.renewal != nil && verdict.mayRevalidate }

    /// Are the client's conditions kept from the origin (`OriginRequest`)? They are where its answer may be
    /// stored, or renew an entry.
    var keepsConditions: Bool { verdict.mayStore || renews }

    var key: Span<UInt8> {
        @_lifetime(borrow self) @inline(__always)
        get { request.span.extracting(headCount..<(headCount + keyCount)) }
    }

    /// The lines that make a revalidation conditional; empty once they are of no use.
    var conditions: Span<UInt8> {
        @_lifetime(borrow self) @inline(__always)
        get {
            guard fetch.renewal?.isConditional == true else { return Span() }
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

    /// The response's final head has come.
    mutating func begin(_ response: borrowing ResponseHead, trailerLimit: Int) {
        outcome.status = response.status
        machine.answer()
        answer.reusable = response.keepAlive
        answer.body = BodyReader(response.framing, trailerLimit: trailerLimit)
    }

    @inline(__always)
    init(
        _ context: borrowing RequestContext, of client: Handle<Client>?, peer: SocketAddress?,
        _ forwardReason: ForwardReason, _ renewal: Renewal?, _ attempts: Attempts, keyCount: Int,
        minorVersion: UInt8,
        now: Times
    ) {
        self.client = client
        self.peer = peer
        machine = ExchangeMachine(attempts: attempts)
        fetch = Fetch(forwardReason, renewal, now: now)
        fetch.renewal?.limit(to: context.verdict)
        route = context.route
        verdict = context.verdict
        keyed = context.keyed
        headCount = context.headCount
        started = context.started
        self.keyCount = keyCount
        self.minorVersion = minorVersion
        outcome.reason = context.verdict.reason
    }
}
