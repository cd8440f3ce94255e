/// Who a request comes from: the peer of the connection, or the client that trusted proxies tell of.
internal import Bytes
internal import HTTP
internal import Kernel
internal import Settings

extension PeerSet.Peer {
    @inline(__always)
    init(_ address: SocketAddress) {
        if let word = address.ipv4 {
            self = .address(IPAddress(ipv4: word))
        } else if let words = address.ipv6 {
            self = .address(IPAddress(high: words.high, low: words.low))
        } else {
            self = .unix
        }
    }

    /// Reads an address as proxies write it: `192.0.2.1`, `192.0.2.1:8080`, `2001:db8::1`,
    /// `[2001:db8::1]:8080`.
    fileprivate init(told text: Span<UInt8>) {
        var text = text.string
        if text.hasPrefix("["), let end = text.firstIndex(of: "]") {
            text = String(text[text.index(after: text.startIndex)..<end])
        } else if text.contains("."), let colon = text.lastIndex(of: ":"), !text.hasPrefix(":") {
            text = String(text[..<colon])
        }
        self = IPAddress(parsing: text).map { .address($0) } ?? .unknown
    }
}

extension ForwardingFields {
    /// The clients that a request of `peer` may come from. There is one, unless a trusted proxy's
    /// `X-Forwarded-For` and `Forwarded` name different ones: the proxy writes only one of the two fields,
    /// and which one is not known here, so each counts.
    ///
    /// In a list the client is the last that is no trusted proxy: whoever comes before it is only its word.
    func clients(
        of request: borrowing RequestHead, _ bytes: Span<UInt8>, peer: SocketAddress
    )
        -> [PeerSet.Peer]
    {
        let peer = PeerSet.Peer(peer)
        guard trusts(peer) else { return [peer] }
        var found: [PeerSet.Peer] = []
        var chain: [PeerSet.Peer] = []
        func endChain() {
            if let client = chain.last(where: { !trusts($0) }) ?? chain.first { found.append(client) }
            chain = []
        }
        Self.eachMember(of: .xForwardedFor, request, bytes) { chain.append(PeerSet.Peer(told: $0)) }
        endChain()
        Self.eachPair(request, bytes) { name, value, _ in
            if name.equalsIgnoringCase("for") { chain.append(PeerSet.Peer(told: value)) }
        }
        endChain()
        return found.isEmpty ? [peer] : found
    }
}
