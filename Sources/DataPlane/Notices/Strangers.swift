/// Clients that speak as a proxy does and are no trusted proxies: each is told of once, a few in all. Mostly
/// it is a balancer that nobody declared, else somebody who tries what comes of it.
internal import Settings

struct Strangers {
    struct Stranger: Equatable {
        let peer: PeerSet.Peer
        /// The name of the field that it sent.
        let field: String
    }

    /// Told of in all.
    static var limit: Int { 8 }

    private var known: Set<PeerSet.Peer> = []
    private var untold: [Stranger] = []

    var isFull: Bool { known.count >= Self.limit }

    /// False: it is known.
    mutating func note(_ peer: PeerSet.Peer, field: String) -> Bool {
        guard !isFull, known.insert(peer).inserted else { return false }
        untold.append(Stranger(peer: peer, field: field))
        return true
    }

    mutating func take() -> [Stranger] {
        defer { untold = [] }
        return untold
    }
}

extension Strangers.Stranger {
    /// What is to be read of it.
    var notice: String {
        let (who, range) =
            switch peer {
            case .address(let address): ("\(address)", address.isIPv4 ? "\(address)" : "'\(address)'")
            case .unix: ("a unix socket's peer", "unix")
            case .unknown: ("somebody", "")
            }
        return "\(who) is no trusted proxy, and sends \(field), which only a proxy should set: such "
            + "fields of its are dropped. If it is your proxy or balancer, put "
            + "'trustedProxies: [\(range)]' into the configuration."
    }
}
