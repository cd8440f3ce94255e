/// Larder's own Cache-Status line (RFC 9211), as a whole field line with CRLF. A line of the origin's stays
/// before it, so that the list reads from the origin to the client.

public import Bytes
public import Settings

/// Why a request went on to the origin (`fwd`, RFC 9211 §2.2).
public enum ForwardReason: UInt8, Sendable, BitwiseCopyable {
    case bypass, miss, request, stale

    /// The line up to and with this parameter: each a literal where it is appended, so that it costs a few
    /// stores.
    @inline(__always)
    func append(to head: inout ByteBuffer.Room) {
        switch self {
        case .bypass: head.append("Cache-Status: larder; fwd=bypass")
        case .miss: head.append("Cache-Status: larder; fwd=miss")
        case .request: head.append("Cache-Status: larder; fwd=request")
        case .stale: head.append("Cache-Status: larder; fwd=stale")
        }
    }
}

public enum CacheStatus {
    /// Bytes of a key that `debug` shows at most.
    static var keyLimit: Int { 256 }

    /// How an answer came out of the store.
    public enum Served: Sendable, BitwiseCopyable, Equatable {
        case hit
        /// By another request's fetch, which this one had waited for.
        case collapsed(ForwardReason)
        /// By this request's own fetch, which was stored first.
        case fetched(ForwardReason)
        /// After the origin's 304 to this request.
        case revalidated(ForwardReason)
        /// After a 304 whose update may not be stored: the entry is gone, and nothing is left to live.
        case refused(ForwardReason)
        /// Stale, in place of the origin's answer with this status; 0 where there was none.
        case insteadOf(UInt16, ForwardReason)
    }

    /// `Cache-Status: larder; hit; ttl=…`, or with `fwd` where the origin was asked.
    /// - Parameters:
    ///   - ttlSeconds: negative for a stale answer.
    ///   - key: the key from `routingStart` on; only `debug` shows it.
    ///   - detail: why the client's request went to the origin, if for a reason, or why the update was
    ///     refused; `brief` leaves it out, and so does a plain hit.
    public static func appendHit(
        _ served: Served = .hit, ttlSeconds: Int64, key: Span<UInt8>, detail: Reason? = nil,
        _ form: Policy.CacheStatus, to head: inout ByteBuffer
    ) {
        guard form != .none else { return }
        head.append(atMost: lineLimit) { line in
            switch served {
            case .hit: line.append("Cache-Status: larder; hit")
            case .collapsed(let forwarding):
                forwarding.append(to: &line)
                line.append("; collapsed")
            case .fetched(let forwarding):
                forwarding.append(to: &line)
                line.append("; stored")
            case .revalidated(let forwarding):
                forwarding.append(to: &line)
                line.append("; fwd-status=304; stored")
            case .refused(let forwarding):
                forwarding.append(to: &line)
                line.append("; fwd-status=304")
                if let detail { append(detail, form, to: &line) }
                return
            case .insteadOf(let status, let forwarding):
                forwarding.append(to: &line)
                if status > 0 {
                    line.append("; fwd-status=")
                    line.append(decimal: UInt64(status))
                }
            }
            line.append("; ttl=")
            if ttlSeconds < 0 { line.append(UInt8(ascii: "-")) }
            line.append(decimal: ttlSeconds.magnitude)
            if let detail, served != .hit { append(detail, form, to: &line) }
        }
        end(key: key, form, to: &head)
    }

    /// Bytes that `appendPlainHit` needs room for.
    @inlinable public static var plainHitLimit: Int { 64 }

    /// The line of a plain, fresh hit, in every form but `debug`: as `appendHit`.
    @inlinable @inline(__always)
    public static func appendPlainHit(
        ttlSeconds: UInt32, _ form: Policy.CacheStatus, to room: inout ByteBuffer.Room
    ) {
        guard form != .none else { return }
        room.append("Cache-Status: larder; hit; ttl=")
        room.append(decimal: UInt64(ttlSeconds))
        room.append("\r\n")
    }

    /// `Cache-Status: larder; fwd=…`.
    ///
    /// - Parameters:
    ///   - stored: is the answer in the store already, now that its head is written?
    ///   - detail: why the request bypassed, or its answer was not stored; `brief` leaves it out.
    public static func appendForward(
        _ forwarding: ForwardReason, stored: Bool, detail: Reason?, key: Span<UInt8>,
        _ form: Policy.CacheStatus, to head: inout ByteBuffer
    ) {
        guard form != .none else { return }
        head.append(atMost: lineLimit) { line in
            forwarding.append(to: &line)
            if stored { line.append("; stored") }
            if let detail { append(detail, form, to: &line) }
        }
        end(key: key, form, to: &head)
    }

    /// Bytes of a line without a key, and the twenty that a number wants free.
    private static var lineLimit: Int { 192 }

    @inline(__always)
    private static func append(
        _ detail: Reason, _ form: Policy.CacheStatus, to line: inout ByteBuffer.Room
    ) {
        guard form != .brief else { return }
        line.append("; detail=")
        line.append(detail.code)
    }

    @inline(__always)
    private static func end(key: Span<UInt8>, _ form: Policy.CacheStatus, to head: inout ByteBuffer) {
        if form == .debug { appendKey(key, to: &head) }
        head.append("\r\n")
    }

    private static func appendKey(_ key: Span<UInt8>, to head: inout ByteBuffer) {
        guard !key.isEmpty else { return }
        head.append("; key=\"")
        for index in 0..<min(key.count, keyLimit) {
            let byte = key[index]
            // A String of RFC 9651 §3.3.3: printable ASCII, two escapes.
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { head.append(UInt8(ascii: "\\")) }
            head.append(byte >= 0x20 && byte < 0x7f ? byte : UInt8(ascii: "?"))
        }
        head.append(UInt8(ascii: "\""))
    }
}
