internal import Bytes
internal import Caching
internal import HTTP
internal import Loop

/// The request at hand, once it is judged: the route that takes it, what the cache may do with it, its key.
///
/// Its head is parsed in `Scratch.request` over the front of `Scratch.inbound`, and its key is in
/// `Scratch.key`.
struct RequestContext: ~Copyable {
    let client: Handle<Client>
    /// Index of the route in `Site.routes`.
    let route: Int
    var verdict: RequestVerdict
    var keyed: KeyedRequest
    /// Bytes of the head.
    let headCount: Int
    /// When the head was complete.
    let started: Moment
    /// What has happened since the request was looked up for the first time; nil: this is the first time.
    var again: Again?
    private let lentInPlace = LentInPlace()

    @inline(__always)
    init(
        of client: Handle<Client>, _ judged: JudgedRequest, headCount: Int, started: Moment, _ again: Again?
    ) {
        self.client = client
        route = judged.route
        verdict = judged.verdict
        keyed = judged.keyed
        self.headCount = headCount
        self.started = started
        self.again = again
    }

    /// The same request, for a fetch of the whole behind an answer.
    func storing() -> RequestContext {
        let whole = verdict.method == .get ? verdict.storing : verdict
        return RequestContext(
            of: client, JudgedRequest(route: route, verdict: whole, keyed: keyed), headCount: headCount,
            started: started, nil)
    }
}

/// What is found out about a request before the store is asked.
struct JudgedRequest: BitwiseCopyable {
    /// Index of the route in `Site.routes`.
    let route: Int
    let verdict: RequestVerdict
    let keyed: KeyedRequest
}

/// The hashes of a request's key, and where the parts of the key begin. All zero for a request without a key.
package struct KeyedRequest: BitwiseCopyable, Sendable {
    var hash = Hash128(low: 0, high: 0)
    /// The hash of the variant that the request belongs to; zero where no variant is known
    /// (`ReservedVariant`).
    var variant = Hash128(low: 0, high: 0)
    var routingStart = 0
    var targetStart = 0
    var scheme = Scheme.http

    /// What is reserved for a fetch: the key, or its variant.
    var reservation: Hash128 { hash.of(variant: variant) }
}
