/// The key a request is stored and found under.
///
///     hash of upstream and key settings (16 bytes) · scheme │ host[:port] │ path[?query]
///                                                            └ routingStart └ targetStart
///
/// The part from `routingStart` on is what the routing hash covers; it is at most 2 KiB. The host is in lower
/// case, a default port is folded away, and the query is the keyed one. What is not keyed must not shape the
/// answer, so a fetch that may be stored sends `key[routingStart..<targetStart]` as its Host and
/// `key[targetStart...]` as its target.

public import Bytes
public import HTTP

public enum KeyVerdict: Equatable, Sendable {
    case key(routingStart: Int, targetStart: Int)
    case refused(Reason)
}

extension Rules {
    /// Writes the key into the emptied `key`.
    ///
    /// Refused with `.key`: no host (HTTP/1.0), a port that is no number, a URL above 2 KiB.
    public func writeKey(
        _ request: borrowing RequestHead, _ bytes: Span<UInt8>, scheme: Scheme, into key: inout ByteBuffer
    ) -> KeyVerdict {
        guard request.form != .asterisk else { return .refused(.key) }
        return writeKey(
            authority: bytes.slice(request.authority), path: bytes.slice(request.path),
            query: bytes.slice(request.query), hasQuery: request.hasQuery, scheme: scheme, into: &key)
    }

    func writeKey(
        authority: Span<UInt8>, path: Span<UInt8>, query: Span<UInt8>, hasQuery: Bool, scheme: Scheme,
        into key: inout ByteBuffer
    ) -> KeyVerdict {
        // What is over the limit raw is refused without being copied.
        guard authority.count &+ path.count &+ query.count <= Self.urlLimit else { return .refused(.key) }
        guard let host = Authority(authority, scheme: scheme) else { return .refused(.key) }
        key.removeAll()
        key.append(littleEndian: keyPrefix.low)
        key.append(littleEndian: keyPrefix.high)
        key.append(scheme == .http ? UInt8(ascii: "h") : UInt8(ascii: "s"))
        let routingStart = key.count
        let name = authority.extracting(first: host.hostCount)
        if host.hasUppercase { key.append(lowercasing: name) } else { key.append(name) }
        if host.port != scheme.defaultPort {
            key.append(UInt8(ascii: ":"))
            key.append(decimal: UInt64(host.port))
        }
        let targetStart = key.count
        if path.isEmpty { key.append(UInt8(ascii: "/")) } else { key.append(path) }
        if hasQuery { names.query.append(query, to: &key) }
        guard key.count &- routingStart <= Self.urlLimit else { return .refused(.key) }
        return .key(routingStart: routingStart, targetStart: targetStart)
    }
}

/// An authority taken apart: `host [ ":" [ port ] ]`, the host perhaps an IP literal in brackets (RFC 3986
/// §3.2).
struct Authority {
    var hostCount: Int
    var port: UInt16
    var hasUppercase = false

    /// nil for an empty host, user information, or a port that is no number up to 65 535.
    init?(_ text: Span<UInt8>, scheme: Scheme) {
        var colon: Int?
        for index in 0..<text.count {
            switch text[index] {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): hasUppercase = true
            case UInt8(ascii: ":"): if colon == nil { colon = index }
            // The colons of an IP literal end here.
            case UInt8(ascii: "]"): colon = nil
            case UInt8(ascii: "@"): return nil
            default: break
            }
        }
        hostCount = colon ?? text.count
        port = scheme.defaultPort
        guard hostCount > 0 else { return nil }
        if let colon, colon &+ 1 < text.count {
            guard let number = text.extracting(droppingFirst: colon &+ 1).decimalSaturating(),
                number <= 65_535
            else {
                return nil
            }
            port = UInt16(number)
        }
    }
}

extension ByteBuffer {
    mutating func append(littleEndian value: UInt64) {
        append(capacity: 8) { output in
            for byte in 0..<8 { output.append(UInt8(truncatingIfNeeded: value >> (8 &* UInt64(byte)))) }
        }
    }

    mutating func append(lowercasing text: Span<UInt8>) {
        append(capacity: text.count) { output in
            for index in 0..<text.count { output.append(ASCII.lowercased(text[index])) }
        }
    }
}
