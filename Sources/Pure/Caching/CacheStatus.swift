/// Larder's own Cache-Status line (RFC 9211), as a whole field line with CRLF. A line of the origin stays in
/// front of it, so that the list reads from the origin to the client.

public import Bytes
public import Settings

/// Why a request was forwarded to the origin (`fwd`, RFC 9211 §2.2).
public enum ForwardReason: UInt8, Sendable, BitwiseCopyable {
    case bypass, miss, request, stale

    /// Appends the line up to and including this parameter. Each case is one literal, so that appending costs
    /// a few stores.
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
    /// Maximum bytes of the key that `debug` shows.
    static var keyLimit: Int { 256 }

    /// How the store served an answer.
    public enum Served: Sendable, BitwiseCopyable, Equatable {
        case hit
        /// The entry comes from another request's fetch, which this request waited for.
        case collapsed(ForwardReason)
        /// The entry comes from this request's own fetch, which was stored first.
        case fetched(ForwardReason)
        /// The origin's 304 to this request renewed the entry.
        case revalidated(ForwardReason)
        /// The origin answered 304, but the updated head may not be stored: the entry is removed, and has no
        /// ttl.
        case refused(ForwardReason)
        /// A stale entry replaces the origin's answer with this status; 0 if there was no answer.
        case insteadOf(UInt16, ForwardReason)
    }

    /// `Cache-Status: larder; hit; ttl=…`, or with `fwd` if the origin was asked.
    /// - Parameters:
    ///   - ttlSeconds: negative for a stale answer.
    ///   - key: the key from `routingStart` on; only `debug` shows it.
    ///   - detail: the reason why the request went to the origin, or why the update was refused. `brief` and
    ///     a plain hit omit it.
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

    /// Maximum bytes that `appendPlainHit` writes.
    @inlinable public static var plainHitLimit: Int { 64 }

    /// The line of a plain, fresh hit, equal to that of `appendHit`; in every form but `debug`.
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
    ///   - stored: is the answer in the store when its head is written?
    ///   - detail: why the request bypassed the store, or why its answer was not stored; `brief` omits it.
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

    /// Maximum bytes of a line without the key, plus the twenty free bytes that appending a number needs.
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
