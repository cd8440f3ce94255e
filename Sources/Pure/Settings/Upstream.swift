/// A named group of servers, or a folder of files, that answers what the cache does not.
public struct Upstream: Sendable, Equatable {
    public enum Balance: String, Sendable, CaseIterable {
        case urlHash = "url-hash", roundRobin = "round-robin", leastRequests = "least-requests"
    }

    public enum Scheme: String, Sendable { case http, https }

    public enum Origin: Sendable, Equatable {
        case servers([Server])
        case files(Files)
    }

    public struct Files: Sendable, Equatable {
        /// A folder, as resolved against the configuration file's.
        public var root: String
        /// The `Cache-Control` of its answers; nil: none is sent. Whoever says nothing gives no leave to keep
        /// what may change at any moment.
        public var cacheControl: String?
        /// The path of the file that answers for pages that are no files, `/index.html`: a single-page
        /// application.
        public var fallback: String?
        /// The path of the file that is the body of a 404.
        public var notFound: String?

        public init(root: String, cacheControl: String? = nil) {
            self.root = root
            self.cacheControl = cacheControl
        }
    }

    public struct Server: Sendable, Equatable {
        /// In logs and statistics, and what the hash of `url-hash` is made over: the address unless it was
        /// given.
        public var name: String
        public var address: ServerAddress
        /// Its share of the keys, against the others' weights; 0: none.
        public var weight = 1
        /// Connections to it at most, of the whole process; nil: any number.
        public var maxConnections: Int?

        public init(_ address: ServerAddress) {
            self.address = address
            name = address.description
        }
    }

    public struct Connections: Sendable, Equatable {
        public enum Reuse: String, Sendable, CaseIterable {
            /// A request that cannot be replayed takes no idle connection.
            case safe
            case always
            case never
        }
        public var reuse = Reuse.safe
        /// Idle connections kept, of each server and thread.
        public var idle = 64
        public var idleTimeoutMilliseconds = 30_000
        public init() {}
    }

    public struct Timeouts: Sendable, Equatable {
        public var connectMilliseconds = 2_000
        /// From the request's last byte to the answer's head.
        public var responseMilliseconds = 30_000
        /// Between two bytes of a body, either way.
        public var idleMilliseconds = 30_000
        /// Between two bytes of an upgraded connection (WebSocket).
        public var tunnelMilliseconds = 3_600_000
        public init() {}
    }

    public struct Health: Sendable, Equatable {
        public var path = "/"
        public var intervalMilliseconds = 2_000
        public var rise = 2
        public var fall = 3
        public init() {}
    }

    public struct TLS: Sendable, Equatable {
        public var verify = true
        /// The name in SNI and in the certificate; nil: the server's host.
        public var serverName: String?
        public init() {}
    }

    public var name: String
    public var balance = Balance.urlHash
    /// Under `url-hash` a server takes at most this share of the mean load before keys spill to their next
    /// choice; nil: no bound.
    public var boundedLoadPercent: Int? = 150
    public var origin: Origin
    public var connections = Connections()
    public var timeouts = Timeouts()
    /// Further servers that are tried for a request that can be replayed.
    public var retries = 2
    public var health: Health?
    public var tls: TLS?

    public init(name: String, origin: Origin) {
        self.name = name
        self.origin = origin
    }

    public var scheme: Scheme { tls == nil ? .http : .https }
}

/// Where a server is.
public enum ServerAddress: Sendable, Hashable, CustomStringConvertible {
    /// A name or an IP address (IPv6 without brackets), and a port.
    case host(String, port: UInt16)
    case unix(path: String)
    /// Every address of a name (A, AAAA) is a server, in at most so many slots.
    case dns(String, port: UInt16, slots: Int)
    /// Every target of an SRV record is a server.
    case srv(String, slots: Int)

    /// As `servers:` spells it: `10.0.0.1:80`, `[::1]:80`, `unix:/path`.
    public var description: String {
        switch self {
        case .host(let host, let port), .dns(let host, let port, _):
            return host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix(let path): return "unix:\(path)"
        case .srv(let name, _): return name
        }
    }

    /// As an HTTP/1.1 client writes it into Host. A unix socket has none: a name that every server takes.
    public var authority: String {
        switch self {
        case .unix: "localhost"
        case .srv(let name, _): name
        case .host(_, 80), .dns(_, 80, _): String(description.dropLast(3))
        case .host, .dns: description
        }
    }
}
