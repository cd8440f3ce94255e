/// Larder's own Cache-Status line (RFC 9211), as a whole field line with CRLF. A line of the origin's stays
/// before it, so that the list reads from the origin to the client.

public import Bytes
public import Settings

/// Why a request went on to the origin (`fwd`, RFC 9211 §2.2).
public enum Forwarding: UInt8, Sendable, BitwiseCopyable {
    case bypass, method, miss, uriMiss, varyMiss, request, stale, partial

    var token: StaticString {
        switch self {
        case .bypass: "bypass"
        case .method: "method"
        case .miss: "miss"
        case .uriMiss: "uri-miss"
        case .varyMiss: "vary-miss"
        case .request: "request"
        case .stale: "stale"
        case .partial: "partial"
        }
    }
}

public enum CacheStatus {
    /// Bytes of a key that `debug` shows at most.
    static var keyLimit: Int { 256 }

    /// `Cache-Status: larder; hit; ttl=…`. `key` is the key from `routingStart` on; only `debug` shows it.
    public static func appendHit(
        ttlSeconds: UInt32, key: Span<UInt8>, _ form: Policy.CacheStatus, to head: inout ByteBuffer
    ) {
        guard form != .none else { return }
        head.append("Cache-Status: larder; hit; ttl=")
        head.append(decimal: UInt64(ttlSeconds))
        appendKey(key, form, to: &head)
        head.append("\r\n")
    }

    /// `Cache-Status: larder; hit; ttl=-…`: answered by an entry that is stale (RFC 9211 §2.4).
    public static func appendStaleHit(
        staleSeconds: UInt32, key: Span<UInt8>, _ form: Policy.CacheStatus, to head: inout ByteBuffer
    ) {
        guard form != .none else { return }
        head.append("Cache-Status: larder; hit; ttl=")
        if staleSeconds > 0 { head.append(UInt8(ascii: "-")) }
        head.append(decimal: UInt64(staleSeconds))
        appendKey(key, form, to: &head)
        head.append("\r\n")
    }

    /// `Cache-Status: larder; fwd=…`.
    ///
    /// - Parameters:
    ///   - status: the origin's, where it is another than what the client gets: 304 for an entry that was
    ///     renewed, a 5xx in whose place a stale entry answers.
    ///   - stored: is the answer in the store already, now that its head is written?
    ///   - collapsed: did this request wait for another's fetch?
    ///   - detail: why the request bypassed, or its answer was not stored; `brief` leaves it out.
    public static func appendForward(
        _ forwarding: Forwarding, status: UInt16? = nil, stored: Bool, collapsed: Bool = false,
        detail: Reason?, key: Span<UInt8>,
        _ form: Policy.CacheStatus, to head: inout ByteBuffer
    ) {
        guard form != .none else { return }
        head.append("Cache-Status: larder; fwd=")
        head.append(forwarding.token)
        if let status {
            head.append("; fwd-status=")
            head.append(decimal: UInt64(status))
        }
        if stored { head.append("; stored") }
        if collapsed { head.append("; collapsed") }
        if let detail, form != .brief {
            head.append("; detail=")
            head.append(detail.code)
        }
        appendKey(key, form, to: &head)
        head.append("\r\n")
    }

    private static func appendKey(_ key: Span<UInt8>, _ form: Policy.CacheStatus, to head: inout ByteBuffer) {
        guard form == .debug, !key.isEmpty else { return }
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
