/// What Larder is told to do: typed, validated, and a value (a reload makes another one).
///
/// The names are those of the configuration file (`docs/configuration.md`); defaults are those of the
/// documentation, which is generated from them. Numbers carry their unit in the name. The module has no I/O
/// and knows no YAML: `Configuration` reads files into it. Invariants that the reader has checked, and on
/// which serving relies: at least one listener, route and upstream; `Route.upstream` and `Route.policy` are
/// valid indexes; names of routes, upstreams, policies and of the servers within an upstream are unique.
public struct Settings: Sendable, Equatable {
    public var listeners: [Listener] = []
    public var admin: Admin?
    public var threads = Threads.auto
    public var cache = Cache()
    /// The effective policies that routes name, each once.
    public var policies: [Policy] = []
    public var routes: [Route] = []
    public var upstreams: [Upstream] = []
    /// Who is believed in what only a proxy can know: `Forwarded`, `X-Forwarded-*` and their kin.
    public var trustedProxies: PeerSet = []
    public var forwarded: ForwardedFields = [.xForwarded]
    /// What origins get in `CDN-Loop`; nil: a name derived from machine and listeners.
    public var cdnID: String?
    public var limits = Limits()
    public var process = Process()
    public var log = Log()

    public init() {}

    /// The routes in the form that a worker matches requests against.
    public var routeTable: RouteTable { RouteTable(routes) }
}

extension Settings {
    public struct Listener: Sendable, Equatable {
        public var bind: BindAddress
        public var tls: TLS?
        /// Every connection begins with a PROXY protocol header, v1 or v2.
        public var proxyProtocol = false

        public init(bind: BindAddress) { self.bind = bind }

        public struct TLS: Sendable, Equatable {
            /// PEM files of chain and key; with several, SNI chooses.
            public var certificates: [String] = []
            public init() {}
        }
    }

    public struct Admin: Sendable, Equatable {
        public var bind: BindAddress
        public init(bind: BindAddress) { self.bind = bind }
    }

    public enum Threads: Sendable, Equatable {
        /// As many as there are cores.
        case auto
        case count(Int)
    }

    public struct Cache: Sendable, Equatable {
        /// nil: as the machine allows (`MemoryPlan`).
        public var memory: Int?
        /// What a reload can grow `memory` to in place; nil: twice as much.
        public var memoryMax: Int?

        public var memoryBytes: Int {
            get { memory ?? MemoryPlan.defaultBytes }
            set { memory = newValue }
        }
        public var memoryMaxBytes: Int {
            get { memoryMax ?? 2 * memoryBytes }
            set { memoryMax = newValue }
        }
        /// The folder of the policy files; nil: the shipped policies are all there are.
        public var policyFolder: String? = defaultPolicyFolder

        public static var defaultPolicyFolder: String { "cache-policies" }

        public init() {}

        /// The size of a store segment, as the store computes it.
        public var segmentBytes: Int { min(max(memoryBytes / 512, 128 << 10), 4 << 20) }

        /// The largest `maxBody` that takes effect: half a segment.
        public var largestBodyBytes: Int { segmentBytes / 2 }

        /// The same, of the largest store.
        public static var mostBodyBytes: Int { 2 << 20 }

        /// The smallest `memory` whose segments take such bodies, in whole MiB; nil: none does.
        public static func memory(forBodies bytes: Int) -> Int? {
            bytes <= mostBodyBytes ? (bytes * 1024 + 0xf_ffff) & ~0xf_ffff : nil
        }
    }

    /// What the origin is told of the client.
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
        /// Bytes of a request's or an answer's head.
        public var requestHeadBytes = 16 << 10
        /// Field lines of a head.
        public var requestHeaders = 100
        /// Bytes of a request's body; nil: any.
        public var requestBodyBytes: Int?
        /// Client connections of the process.
        public var connections = 20_000
        /// Memory of all threads for bodies on their way into the store, for encoders and the variants that
        /// they make, and for what connections have in hand; nil: as the machine allows (`MemoryPlan`).
        public var buffers: Int?
        public var bufferBytes: Int {
            get { buffers ?? MemoryPlan.defaultBytes }
            set { buffers = newValue }
        }
        /// From a connection's or request's first byte to the end of its head.
        public var headTimeoutMilliseconds = 10_000
        /// How long an idle client connection is kept.
        public var keepAliveMilliseconds = 60_000
        /// How long a drain lets exchanges finish.
        public var drainMilliseconds = 30_000
        public init() {}
    }

    public struct Process: Sendable, Equatable {
        /// The user that Larder must be started as; nil: any.
        public var user: String?
        /// Sockets and state; nil: none.
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
