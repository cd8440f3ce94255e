/// What one line of the access log says, in numbers: the texts (target, host, …) are handed over beside it as
/// spans. Nothing is formatted on a worker's thread.

/// How the cache took part in an answer.
public enum CacheResult: UInt8, Sendable, CaseIterable, BitwiseCopyable {
    /// Not asked: no route, a refused request, an answer of Larder's own.
    case none
    /// Answered from the store, fresh.
    case hit
    /// Answered from the store past its freshness, as the origin allowed.
    case stale
    /// Answered from the store after the origin's 304.
    case revalidated
    case miss
    /// The store could not be asked for this request.
    case bypass

    public var code: StaticString {
        switch self {
        case .none: "none"
        case .hit: "hit"
        case .stale: "stale"
        case .revalidated: "revalidated"
        case .miss: "miss"
        case .bypass: "bypass"
        }
    }
}

/// The protocol version of a request.
public enum RequestVersion: UInt8, Sendable, CaseIterable, BitwiseCopyable {
    case http10, http11, http2

    public var code: StaticString {
        switch self {
        case .http10: "HTTP/1.0"
        case .http11: "HTTP/1.1"
        case .http2: "HTTP/2.0"
        }
    }
}

/// Why a request went to the server that it went to.
public enum ServerChoice: UInt8, Sendable, CaseIterable, BitwiseCopyable {
    /// The balance chose it.
    case first
    /// The key's first choice had its full share of the load.
    case spill
    /// The server before it failed the request.
    case retry

    /// Empty where there is nothing to tell.
    public var code: StaticString {
        switch self {
        case .first: ""
        case .spill: "spill"
        case .retry: "retry"
        }
    }
}

public struct AccessRecord: Sendable {
    /// When the request's head was complete: Unix milliseconds.
    public var wallMilliseconds: UInt64
    public var version: RequestVersion
    /// 0 where no answer was sent.
    public var status: UInt16
    /// Bytes of this answer that the kernel took, heads included.
    public var bytesSent: UInt64
    /// From the head's completion to the last byte handed to the kernel.
    public var durationMicroseconds: UInt64
    public var cache: CacheResult
    /// Why the answer was not stored or not served from the store: numbers of `AccessLog.Options.reasons`,
    /// the strongest first, a byte each from the lowest byte of the first word on. 0 ends the list.
    public var reasons: InlineArray<2, UInt64>
    /// Why Larder answered with an error of its own, or how an origin failed this request; empty: neither.
    public var cause: StaticString = ""
    /// The rule of HTTP that a malformed message breaks; empty: none.
    public var rule: StaticString = ""
    /// Indices into the names that the log was started with; −1: none.
    public var route: Int32
    public var server: Int32
    /// The server that failed this request, where `server` is another one.
    public var failedServer: Int32 = -1
    public var choice = ServerChoice.first

    public init(
        wallMilliseconds: UInt64, version: RequestVersion, status: UInt16, bytesSent: UInt64,
        durationMicroseconds: UInt64, cache: CacheResult, reasons: InlineArray<2, UInt64> = [0, 0],
        route: Int32 = -1, server: Int32 = -1
    ) {
        self.wallMilliseconds = wallMilliseconds
        self.version = version
        self.status = status
        self.bytesSent = bytesSent
        self.durationMicroseconds = durationMicroseconds
        self.cache = cache
        self.reasons = reasons
        self.route = route
        self.server = server
    }
}

/// The texts of one line: borrowed for a call, copied by it. Any bytes: the writer escapes them. Empty where
/// there is none.
public struct AccessTexts: ~Escapable {
    /// The client that a trusted proxy names; empty: the peer is the client.
    public let client: Span<UInt8>
    public let method: Span<UInt8>
    public let target: Span<UInt8>
    public let host: Span<UInt8>
    public let referer: Span<UInt8>
    public let userAgent: Span<UInt8>
    /// The bytes that break `AccessRecord.rule`.
    public let found: Span<UInt8>

    @_lifetime(
        copy client, copy method, copy target, copy host, copy referer, copy userAgent, copy found)
    public init(
        client: Span<UInt8>, method: Span<UInt8>, target: Span<UInt8>, host: Span<UInt8>,
        referer: Span<UInt8>, userAgent: Span<UInt8>, found: Span<UInt8>
    ) {
        self.client = client
        self.method = method
        self.target = target
        self.host = host
        self.referer = referer
        self.userAgent = userAgent
        self.found = found
    }
}

/// A record that waits, away from the batch, until its answer is sent: see `AccessLogThread.hold`.
public struct HeldRecord: Sendable {
    public var record: AccessRecord
    let texts: [UInt8]
    let lengths: InlineArray<8, UInt32>
}
