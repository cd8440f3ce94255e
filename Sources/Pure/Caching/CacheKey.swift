/// The key under which the answer to a request is stored and found.
///
///     hash of upstream and key settings (16 bytes) · scheme │ host[:port] │ path[?query]
///                                                            └ routingStart └ targetStart
///
/// The routing hash covers the part from `routingStart` on, which is at most 2 KiB. Host and port are in
/// their normal form (`Authority`), and the query is the keyed one. Unkeyed text must not influence a stored
/// answer, so a fetch that may be stored sends `key[routingStart..<targetStart]` as its Host and
/// `key[targetStart...]` as its target.

public import Bytes
public import HTTP

public enum KeyVerdict: Equatable, Sendable {
    case key(routingStart: Int, targetStart: Int)
    case refused(Reason)
}

extension Rules {
    /// Writes the key into `key`, which is emptied first.
    ///
    /// Refuses with `.key` if there is no host (HTTP/1.0) or the URL is longer than 2 KiB.
    public func writeKey(
        _ request: borrowing RequestHead, _ bytes: Span<UInt8>, scheme: Scheme, into key: inout ByteBuffer
    ) -> KeyVerdict {
        guard request.form != .asterisk, !request.host.isEmpty else { return .refused(.key) }
        return writeKey(
            authority: request.authority(in: bytes, defaultPort: scheme.defaultPort),
            path: bytes.slice(request.path),
            query: request.hasQuery ? bytes.slice(request.query) : Span(), hasQuery: request.hasQuery,
            scheme: scheme, into: &key)
    }

    @inline(__always)
    func writeKey(
        authority: Span<UInt8>, path: Span<UInt8>, query: Span<UInt8>, hasQuery: Bool, scheme: Scheme,
        into key: inout ByteBuffer
    ) -> KeyVerdict {
        // A URL that is too long before normalisation is refused without copying it.
        guard authority.count &+ path.count &+ query.count <= Self.urlLimit else { return .refused(.key) }
        key.removeAll()
        let isHTTP = scheme == .http
        let routingStart = 17
        let targetStart = routingStart &+ authority.count
        // Eight more bytes, because appending an authority shorter than a word needs them.
        key.append(atMost: targetStart &+ path.count &+ 8) { room in
            room.append(littleEndian: keyPrefix.low)
            room.append(littleEndian: keyPrefix.high)
            room.append(isHTTP ? UInt8(ascii: "h") : UInt8(ascii: "s"))
            room.append(lowercasing: PlantedFault.isPlanted(.confusesHosts) ? path : authority)
            if path.isEmpty { room.append(UInt8(ascii: "/")) } else { room.append(path) }
        }
        if hasQuery { names.query.append(query, to: &key) }
        guard key.count &- routingStart <= Self.urlLimit else { return .refused(.key) }
        return .key(routingStart: routingStart, targetStart: targetStart)
    }
}
