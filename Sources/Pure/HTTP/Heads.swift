/// Parsed heads and the limits for a head.
public import Bytes

/// The limits for a head.
public struct HeadLimits: BitwiseCopyable, Sendable {
    /// Maximum bytes of the head, including the blank line; at most 65 535.
    public var head: Int
    /// Maximum number of field lines; at most `FieldTable.capacity`.
    public var fields: Int

    @inlinable
    public init(head: Int, fields: Int) {
        precondition(head <= 65_535 && fields <= FieldTable.capacity)
        self.head = head
        self.fields = fields
    }
}

public enum Method: UInt8, Sendable, BitwiseCopyable {
    case get, head, post, put, delete, options, trace, connect, patch, other
    /// Safe by RFC 9110 §9.2.1. An unknown method counts as unsafe.
    @inlinable public var isSafe: Bool {
        @inline(__always) get { self == .get || self == .head || self == .options || self == .trace }
    }
    /// Idempotent by RFC 9110 §9.2.2.
    @inlinable public var isIdempotent: Bool {
        @inline(__always) get { isSafe || self == .put || self == .delete }
    }
}

/// How the end of a message is found (RFC 9112 §6.3).
public enum BodyFraming: Equatable, Sendable {
    case none
    case length(UInt64)
    case chunked
    /// Responses only: the body ends when the connection closes.
    case untilClose
}

public enum TargetForm: UInt8, Sendable { case origin, absolute, asterisk }

/// The result of parsing the bytes received so far.
public enum HeadResult: Equatable, Sendable {
    /// The head is incomplete. Call again with the same bytes and more bytes behind them.
    case needMore
    /// A complete head of this many bytes, including the blank line.
    case complete(Int)
    case refused(BrokenRule)
}

/// A parsed request head. Slices are offsets into the buffer that was parsed; functions that read them take
/// that buffer as an argument. Each thread reuses one `RequestHead` for all its requests, so parsing does not
/// allocate.
public struct RequestHead: ~Copyable {
    public var method: Method = .other
    public var methodName: Slice = .empty
    /// The request target, as received.
    public var target: Slice = .empty
    public var form: TargetForm = .origin
    /// Does an absolute-form target begin with `https:`? False for the other forms. (The scheme of the
    /// connection is known to the listener only.)
    public var schemeIsHTTPS = false
    /// The raw path, from its `/` on. Empty for asterisk-form, and for an absolute-form without a path. The
    /// latter implies `/`, or `*` for OPTIONS (RFC 9112 §3.2.4).
    public var path: Slice = .empty
    /// May the path contain `%`, `;`, `\`, or a `.` behind a `/`? If not, every origin reads the path in the
    /// same way.
    public var pathHasMarks = true
    /// The query without its `?`. `hasQuery` distinguishes an empty query from no query.
    public var query: Slice = .empty
    public var hasQuery = false
    /// Host and port of an absolute-form target, otherwise those of `Host`; validated, in the received
    /// spelling, empty if there are none. For comparing and storing, use the normal form: `host(in:)`,
    /// `authority(in:defaultPort:)`.
    public var authority: Slice = .empty
    /// The host, which is the front of `authority` (`Authority.host`).
    public var host: Slice = .empty
    /// The port of `authority`, if one is written.
    public var port: UInt16?
    /// Host and port in their normal form, and the byte count of the host in it. Set only if the head does
    /// not contain the normal form; otherwise empty, and 0.
    @usableFromInline var rewritten = ByteBuffer()
    @usableFromInline var rewrittenHostCount = 0
    /// The x of HTTP/1.x: 0 or 1.
    public var minorVersion: UInt8 = 1
    public var framing: BodyFraming = .none
    /// Does the client allow the connection to persist after this exchange (RFC 9112 §9.3)?
    public var keepAlive = true
    /// Did an HTTP/1.1 client send `Expect: 100-continue`?
    public var expectsContinue = false
    /// Did the client send `Connection: upgrade` and exactly `Upgrade: websocket`?
    public var upgradesToWebSocket = false
    /// The options in its `Connection` lines.
    public var connection = ConnectionOptions()
    public var fields = FieldTable(ofRequest: true)
    var recalled = RecalledFields()

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
    /// The options in its `Connection` lines.
    public var connection = ConnectionOptions()
    public var fields = FieldTable()

    public init() {}
}
