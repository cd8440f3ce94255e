/// A set of peers: ranges of IP addresses, and optionally all peers on unix sockets.
public struct PeerSet: Sendable, Hashable, ExpressibleByArrayLiteral {
    public var ranges: [AddressRange]
    public var includesUnix: Bool

    /// The origin of a connection, for access decisions.
    public enum Peer: Sendable, Hashable {
        case address(IPAddress)
        /// A unix socket: a process on this machine that may open it.
        case unix
        /// A proxy named a client that is not an address.
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
