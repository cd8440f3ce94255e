/// A named group of servers, or a folder of files, that answers the requests that the cache does not.
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
        /// The folder, resolved relative to the folder of the configuration file.
        public var root: String
        /// The `Cache-Control` of its answers. Nil: none is sent, so that caches do not keep files that may
        /// change at any moment.
        public var cacheControl: String?
        /// The path of the file that answers for a page that is not a file, such as `/index.html` of a
        /// single-page application.
        public var fallback: String?
        /// The path of the file that is the body of a 404.
        public var notFound: String?

        public init(root: String, cacheControl: String? = nil) {
            self.root = root
            self.cacheControl = cacheControl
        }
    }

    public struct Server: Sendable, Equatable {
        /// The name in logs and statistics, and the text that `url-hash` hashes: the given name, or the
        /// address.
        public var name: String
        public var address: ServerAddress
        /// Its share of the keys, relative to the weights of the other servers; 0 for no keys.
        public var weight = 1
        /// Maximum number of connections of the whole process to it; nil for any number.
        public var maxConnections: Int?

        public init(_ address: ServerAddress) {
            self.address = address
            name = address.description
        }
    }

    public struct Connections: Sendable, Equatable {
        public enum Reuse: String, Sendable, CaseIterable {
            /// A request that cannot be sent again never uses an idle connection.
            case safe
            case always
            case never
        }
        public var reuse = Reuse.safe
        /// Maximum number of idle connections, for each server and thread.
        public var idle = 64
        public var idleTimeoutMilliseconds = 30_000
        public init() {}
    }

    public struct Timeouts: Sendable, Equatable {
        public var connectMilliseconds = 2_000
        /// From the last byte of the request to the complete head of the answer.
        public var responseMilliseconds = 30_000
        /// Between two bytes of a body, in either direction.
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
    /// Under `url-hash`, keys spill to their next choice when a server has this share of the mean load; nil
    /// for no bound.
    public var boundedLoadPercent: Int? = 150
    public var origin: Origin
    public var connections = Connections()
    public var timeouts = Timeouts()
    /// How many more servers are tried for a request that can be sent again.
    public var retries = 2
    public var health: Health?
    public var tls: TLS?

    public init(name: String, origin: Origin) {
        self.name = name
        self.origin = origin
    }

    public var scheme: Scheme { tls == nil ? .http : .https }
}

/// The address of a server.
public enum ServerAddress: Sendable, Hashable, CustomStringConvertible {
    /// A name or an IP address (IPv6 without brackets), and a port.
    case host(String, port: UInt16)
    case unix(path: String)
    /// Every address of a name (A, AAAA) is a server, in at most this many slots.
    case dns(String, port: UInt16, slots: Int)
    /// Every target of an SRV record is a server.
    case srv(String, slots: Int)

    /// The text as `servers:` spells it: `10.0.0.1:80`, `[::1]:80`, `unix:/path`.
    public var description: String {
        switch self {
        case .host(let host, let port), .dns(let host, let port, _):
            return host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix(let path): return "unix:\(path)"
        case .srv(let name, _): return name
        }
    }

    /// The Host value that an HTTP/1.1 client sends. A unix socket has no host; `localhost` is a name that
    /// every server accepts.
    public var authority: String {
        switch self {
        case .unix: "localhost"
        case .srv(let name, _): name
        case .host(_, 80), .dns(_, 80, _): String(description.dropLast(3))
        case .host, .dns: description
        }
    }
}
