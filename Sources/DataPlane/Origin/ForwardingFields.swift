internal import Bytes
internal import Caching
internal import HTTP
internal import Kernel
public import Settings

/// What the origin is told of the client: `X-Forwarded-*`, `Forwarded` (RFC 7239), `Via` (RFC 9110 §7.6.3);
/// and of the way: `CDN-Loop` (RFC 8586).
///
/// Fields of this kind that come from a client are its word and are dropped; those of a trusted proxy are
/// continued. Not copied, so that nobody counts references to the ranges.
public struct ForwardingFields: ~Copyable, Sendable {
    let sendsXForwarded: Bool
    private let sendsForwarded: Bool
    private let sendsVia: Bool
    private let trusted: PeerSet
    private let trustsAnybody: Bool
    private let cdnID: [UInt8]
    /// The whole line that names it; empty where there is none.
    private let loopLine: [UInt8]
    private let lentInPlace = LentInPlace()

    /// - Parameter cdnID: what `CDN-Loop` gets; nil: the line is not sent, and no request is known again.
    public init(sends: Settings.ForwardedFields, trusted: PeerSet, cdnID: String? = nil) {
        sendsXForwarded = sends.contains(.xForwarded)
        sendsForwarded = sends.contains(.forwarded)
        sendsVia = sends.contains(.via)
        self.trusted = trusted
        trustsAnybody = !trusted.isEmpty
        self.cdnID = Array((cdnID ?? "").utf8)
        loopLine = cdnID.map { Array("CDN-Loop: \($0)\r\n".utf8) } ?? []
    }

    /// Has this request, which has a `CDN-Loop`, been sent by this Larder before?
    func hasSent(_ request: borrowing RequestHead, _ bytes: Span<UInt8>) -> Bool {
        !cdnID.isEmpty && CDNLoop.contains(cdnID.span, request.fields, bytes)
    }

    @inline(__always)
    func trusts(_ peer: SocketAddress) -> Bool { trustsAnybody && trusted.contains(PeerSet.Peer(peer)) }

    /// Is this one of the trusted proxies?
    func trusts(_ peer: PeerSet.Peer) -> Bool { trusted.contains(peer) }

    /// Appends the field lines for a request of `peer`. All that `Rules.treatment` calls `.replace` is
    /// written here, Host and Accept-Encoding aside.
    /// - Parameters:
    ///   - host: what the origin gets as its Host: the keyed one, where the answer may be stored. A trusted
    ///     proxy's word goes before it: where that is another, nothing is stored (`told`).
    ///   - scheme: the keyed one.
    func append(
        _ request: borrowing RequestHead, _ bytes: Span<UInt8>, peer: borrowing ClientAddress,
        host: Span<UInt8>, scheme: Scheme, to head: inout ByteBuffer
    ) {
        let trusts = trusts(peer.address)
        if sendsXForwarded {
            // The peer of a unix socket has no address that could be named.
            if !peer.address.isUnix {
                head.append("X-Forwarded-For: ")
                if trusts { Self.appendValues(of: .xForwardedFor, request, bytes, to: &head) }
                peer.appendHost(to: &head)
                head.append("\r\n")
            } else if trusts {
                Self.appendLines(.xForwardedFor, request, bytes, to: &head)
            }
            var host = host
            if trusts, let field = request.fields.first(.xForwardedHost) { host = bytes.slice(field.value) }
            head.append(atMost: 48 &+ host.count) { room in
                room.append("X-Forwarded-Proto: http")
                if scheme == .https { room.append("s") }
                room.append("\r\nX-Forwarded-Host: ")
                room.append(host)
                room.append("\r\n")
            }
        } else if trusts {
            for name in [FieldName.xForwardedFor, .xForwardedProto, .xForwardedHost] {
                Self.appendLines(name, request, bytes, to: &head)
            }
        }
        if sendsForwarded {
            head.append("Forwarded: ")
            if trusts { Self.appendValues(of: .forwarded, request, bytes, to: &head) }
            head.append("for=")
            Self.appendNode(peer, to: &head)
            head.append(";host=\"")
            head.append(host)
            head.append("\";proto=http\r\n")
        } else if trusts {
            Self.appendLines(.forwarded, request, bytes, to: &head)
        }
        if sendsVia {
            head.append("Via: ")
            Self.appendValues(of: .via, request, bytes, to: &head)
            head.append(request.minorVersion == 0 ? "1.0 larder\r\n" : "1.1 larder\r\n")
        } else if request.fields.contains(.via) {
            Self.appendLines(.via, request, bytes, to: &head)
        }
        // Behind the lines of others, which go on as they came.
        head.append(loopLine.span)
    }

    /// `node` of RFC 7239 §6: an IPv6 address is bracketed and quoted, a unix socket has no name.
    private static func appendNode(_ peer: borrowing ClientAddress, to head: inout ByteBuffer) {
        if peer.address.isUnix {
            head.append("unknown")
        } else if peer.address.ipv6 != nil {
            head.append("\"[")
            peer.appendHost(to: &head)
            head.append("]\"")
        } else {
            peer.appendHost(to: &head)
        }
    }

    /// All values of a field, each with `, ` behind it.
    private static func appendValues(
        of id: FieldName, _ request: borrowing RequestHead, _ bytes: Span<UInt8>, to head: inout ByteBuffer
    ) {
        guard request.fields.contains(id) else { return }
        for index in 0..<request.fields.count where request.fields[index].id == id {
            let value = bytes.slice(request.fields[index].value)
            guard !value.isEmpty else { continue }
            head.append(value)
            head.append(", ")
        }
    }

    private static func appendLines(
        _ id: FieldName, _ request: borrowing RequestHead, _ bytes: Span<UInt8>, to head: inout ByteBuffer
    ) {
        guard request.fields.contains(id) else { return }
        for index in 0..<request.fields.count where request.fields[index].id == id {
            let field = request.fields[index]
            head.append(name: bytes.slice(field.name), value: bytes.slice(field.value))
        }
    }
}
