/// Clients that send fields of proxies and are no trusted proxies. Each is told of once, and only a few in
/// all. Mostly such a client is a load balancer that the configuration does not name. Otherwise somebody
/// tries to forge the fields.
internal import Settings

struct Strangers {
    struct Stranger: Equatable {
        let peer: PeerSet.Peer
        /// The name of the field that it sent.
        let field: String
    }

    /// The most clients that are told of.
    static var limit: Int { 8 }

    private var known: Set<PeerSet.Peer> = []
    private var untold: [Stranger] = []

    var isFull: Bool { known.count >= Self.limit }

    /// Adds a client.
    /// - Returns: false if it is known, or there is no room.
    mutating func note(_ peer: PeerSet.Peer, field: String) -> Bool {
        guard !isFull, known.insert(peer).inserted else { return false }
        untold.append(Stranger(peer: peer, field: field))
        return true
    }

    /// Returns the clients that nobody was told of yet, and forgets that they wait.
    mutating func take() -> [Stranger] {
        defer { untold = [] }
        return untold
    }
}

extension Strangers.Stranger {
    /// The text of the notice.
    var notice: String {
        let (who, range) =
            switch peer {
            case .address(let address): ("\(address)", address.isIPv4 ? "\(address)" : "'\(address)'")
            case .unix: ("a unix socket's peer", "unix")
            case .unknown: ("somebody", "")
            }
        return "\(who) is not a trusted proxy, but sends \(field), which only a proxy should send: Larder "
            + "drops such fields. If it is your proxy or load balancer, put "
            + "'trustedProxies: [\(range)]' into the configuration."
    }
}
