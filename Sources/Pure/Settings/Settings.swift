/// The configuration of Larder: typed, validated, and a value (a reload makes a new one).
///
/// The names are those of the configuration file (`docs/configuration.md`). The defaults here are the
/// documented ones, because the documentation is generated from them. Names of numbers contain the unit. The
/// module has no I/O and knows no YAML: `Configuration` reads files into it. The reader checks these
/// invariants, and serving relies on them: there is at least one listener, route and upstream;
/// `Route.upstream` and `Route.policy` are valid indexes; the names of routes, upstreams and policies are
/// unique, and so are the names of servers within an upstream.
public struct Settings: Sendable, Equatable {
    public var listeners: [Listener] = []
    public var admin: Admin?
    public var threads = Threads.auto
    public var cache = Cache()
    /// The effective policies of all routes, each policy once.
    public var policies: [Policy] = []
    public var routes: [Route] = []
    public var upstreams: [Upstream] = []
    /// The proxies whose statements about the client count: `Forwarded`, `X-Forwarded-*` and similar fields.
    public var trustedProxies: PeerSet = []
    public var forwarded: ForwardedFields = [.xForwarded]
    /// The value that origins get in `CDN-Loop`; nil: a name derived from machine and listeners.
    public var cdnID: String?
    public var limits = Limits()
    public var process = Process()
    public var log = Log()

    public init() {}

    /// The routes in the form that a worker uses to match requests.
    public var routeTable: RouteTable { RouteTable(routes) }
}

extension Settings {
    public struct Listener: Sendable, Equatable {
        public var bind: BindAddress
        public var tls: TLS?
        /// Does every connection begin with a PROXY protocol header, v1 or v2?
        public var proxyProtocol = false

        public init(bind: BindAddress) { self.bind = bind }

        public struct TLS: Sendable, Equatable {
            /// PEM files with chain and key. If there are several, SNI chooses.
            public var certificates: [String] = []
            public init() {}
        }
    }

    public struct Admin: Sendable, Equatable {
        public var bind: BindAddress
        public init(bind: BindAddress) { self.bind = bind }
    }

    public enum Threads: Sendable, Equatable {
        /// One thread for each core.
        case auto
        case count(Int)
    }

    public struct Cache: Sendable, Equatable {
        /// Nil: a size that fits the machine (`MemoryPlan`).
        public var memory: Int?
        /// The size that a reload can grow `memory` to without a new store; nil: twice `memory`.
        public var memoryMax: Int?

        public var memoryBytes: Int {
            get { memory ?? MemoryPlan.defaultBytes }
            set { memory = newValue }
        }
        public var memoryMaxBytes: Int {
            get { memoryMax ?? 2 * memoryBytes }
            set { memoryMax = newValue }
        }
        /// The folder of the policy files; nil: only the shipped policies exist.
        public var policyFolder: String? = defaultPolicyFolder

        public static var defaultPolicyFolder: String { "cache-policies" }

        public init() {}

        /// The size of a store segment, as the store computes it.
        public var segmentBytes: Int { min(max(memoryBytes / 512, 128 << 10), 4 << 20) }

        /// The largest `maxBody` that takes effect: half a segment.
        public var largestBodyBytes: Int { segmentBytes / 2 }

        /// As `largestBodyBytes`, for the largest possible store.
        public static var mostBodyBytes: Int { 2 << 20 }

        /// The smallest `memory` whose segments can hold bodies of this size, in whole MiB; nil: no size can.
        public static func memory(forBodies bytes: Int) -> Int? {
            bytes <= mostBodyBytes ? (bytes * 1024 + 0xf_ffff) & ~0xf_ffff : nil
        }
    }

    /// The fields that tell the origin about the client.
    public struct ForwardedFields: OptionSet, Sendable, Hashable {
        public let rawValue: UInt8
        public init(rawValue: UInt8) { self.rawValue = rawValue }
        /// `X-Forwarded-For`, `X-Forwarded-Proto`, `X-Forwarded-Host`.
        public static let xForwarded = ForwardedFields(rawValue: 1)
        /// `Forwarded` (RFC 7239).
        public static let forwarded = ForwardedFields(rawValue: 2)
        /// `Via` (RFC 9110 §7.6.3).
        public static let via = ForwardedFields(rawValue: 4)
    }

    public struct Limits: Sendable, Equatable {
        /// Maximum bytes of a head, of a request or an answer.
        public var requestHeadBytes = 16 << 10
        /// Maximum number of field lines of a head.
        public var requestHeaders = 100
        /// Maximum bytes of a request body; nil for any size.
        public var requestBodyBytes: Int?
        /// Maximum number of client connections of the process.
        public var connections = 20_000
        /// Memory of all threads for bodies that are being stored, for encoders and the variants they make,
        /// and for unsent data of connections; nil: a size that fits the machine (`MemoryPlan`).
        public var buffers: Int?
        public var bufferBytes: Int {
            get { buffers ?? MemoryPlan.defaultBytes }
            set { buffers = newValue }
        }
        /// From the first byte of a connection or request to the end of its head.
        public var headTimeoutMilliseconds = 10_000
        /// How long an idle client connection is kept.
        public var keepAliveMilliseconds = 60_000
        /// How long a drain lets exchanges finish.
        public var drainMilliseconds = 30_000
        public init() {}
    }

    public struct Process: Sendable, Equatable {
        /// The user that must start Larder; nil for any.
        public var user: String?
        /// The folder for sockets and state; nil for none.
        public var runFolder: String?
        public init() {}
    }

    public struct Log: Sendable, Equatable {
        public enum Access: Sendable, Equatable { case none, standardOutput, syslog, file(String) }
        public enum Format: Sendable, Equatable { case json, combined, combinedCache, template(String) }
        public var access = Access.standardOutput
        public var format = Format.json
        public init() {}
    }
}
