/// A set of peers: ranges of IP addresses, and those that come over a unix socket.
public struct PeerSet: Sendable, Hashable, ExpressibleByArrayLiteral {
    public var ranges: [AddressRange]
    public var includesUnix: Bool

    /// Where a client connects from, as far as access goes.
    public enum Peer: Sendable, Hashable {
        case address(IPAddress)
        /// A unix socket: a process of this machine that may open it.
        case unix
        /// A proxy named something that is no address.
        case unknown
    }

    public init(_ ranges: [AddressRange], includesUnix: Bool = false) {
        self.ranges = ranges
        self.includesUnix = includesUnix
    }

    public init(arrayLiteral ranges: AddressRange...) { self.init(ranges) }

    public var isEmpty: Bool { ranges.isEmpty && !includesUnix }

    public func contains(_ peer: Peer) -> Bool {
        switch peer {
        case .address(let address): ranges.contains { $0.contains(address) }
        case .unix: includesUnix
        case .unknown: false
        }
    }
}
