/// Heads as they are parsed, and what bounds them.
public import Bytes

/// Bounds of a head.
public struct HeadLimits: BitwiseCopyable, Sendable {
    /// Bytes of the whole head, the blank line included; at most 65 535.
    public var head: Int
    /// Field lines; at most `FieldTable.capacity`.
    public var fields: Int

    @inlinable
    public init(head: Int, fields: Int) {
        precondition(head <= 65_535 && fields <= FieldTable.capacity)
        self.head = head
        self.fields = fields
    }
}

public enum Method: UInt8, Sendable {
    case get, head, post, put, delete, options, trace, connect, patch, other
    /// Safe by RFC 9110 §9.2.1; unknown methods are not.
    @inlinable public var isSafe: Bool {
        @inline(__always) get { self == .get || self == .head || self == .options || self == .trace }
    }
    /// Idempotent by RFC 9110 §9.2.2.
    @inlinable public var isIdempotent: Bool {
        @inline(__always) get { isSafe || self == .put || self == .delete }
    }
}

/// How a message's end is found (RFC 9112 §6.3).
public enum BodyFraming: Equatable, Sendable {
    case none
    case length(UInt64)
    case chunked
    /// Responses only: until the connection closes.
    case untilClose
}

public enum TargetForm: UInt8, Sendable { case origin, absolute, asterisk }

/// What a parse of the bytes at hand came to.
public enum HeadResult: Equatable, Sendable {
    /// The head is not complete; call again with more bytes (the same ones first).
    case needMore
    /// A whole head, this many bytes long, the blank line included.
    case complete(Int)
    case refused(Refusal)
}

/// A parsed request head. The slices are offsets into the buffer that was parsed; whoever reads them passes
/// that buffer. One is reused for all requests of a thread: parsing allocates nothing.
public struct RequestHead: ~Copyable {
    public var method: Method = .other
    public var methodName: Slice = .empty
    /// The request target as it came.
    public var target: Slice = .empty
    public var form: TargetForm = .origin
    /// The scheme of an absolute-form is https; false for the other forms. (Only the listener says what is
    /// true.)
    public var schemeIsHTTPS = false
    /// The raw path, from its `/`. Empty for an absolute-form without a path, where `/` is implied (`*` for
    /// OPTIONS, RFC 9112 §3.2.4), and for asterisk-form.
    public var path: Slice = .empty
    /// May the path hold `%`, `;`, `\`, or a `.` behind a `/`? If not, every origin reads it alike.
    public var pathHasMarks = true
    /// The query without its `?`; `hasQuery` tells an empty one from none.
    public var query: Slice = .empty
    public var hasQuery = false
    /// Host and port of absolute-form or else of `Host`, as they came and validated; empty where there are
    /// none. What is compared or kept is their normal form: `host(in:)`, `authority(in:defaultPort:)`.
    public var authority: Slice = .empty
    /// The host at the front of `authority` (`Authority.host`).
    public var host: Slice = .empty
    /// The port behind it, if one is written.
    public var port: UInt16?
    /// Host and port in their normal form, where that does not stand in the head, and how many bytes of it
    /// are the host; else empty, and 0.
    @usableFromInline var rewritten = ByteBuffer()
    @usableFromInline var rewrittenHostCount = 0
    /// 0 or 1: HTTP/1.minor.
    public var minorVersion: UInt8 = 1
    public var framing: BodyFraming = .none
    /// May the connection persist after this exchange, as far as the client says (RFC 9112 §9.3)?
    public var keepAlive = true
    /// `Expect: 100-continue` of an HTTP/1.1 client.
    public var expectsContinue = false
    /// `Connection: upgrade` with exactly `Upgrade: websocket`.
    public var upgradesToWebSocket = false
    /// What its `Connection` lines say.
    public var connection = ConnectionOptions()
    public var fields = FieldTable(ofRequest: true)
    var standing = StandingFields()

    public init() {}
}

/// A parsed response head.
public struct ResponseHead: ~Copyable {
    public var status: UInt16 = 0
    public var reason: Slice = .empty
    public var minorVersion: UInt8 = 1
    public var framing: BodyFraming = .none
    /// May the origin's connection be reused after the body?
    public var keepAlive = true
    /// What its `Connection` lines say.
    public var connection = ConnectionOptions()
    public var fields = FieldTable()

    public init() {}
}
