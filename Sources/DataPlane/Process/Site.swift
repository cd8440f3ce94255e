internal import Balancing
internal import Bytes
internal import Caching
internal import Files
internal import HTTP
internal import Kernel
internal import Loop
internal import Settings

/// The settings, compiled for serving: names are indices, policies are rules, servers have addresses.
///
/// A site never changes. Each thread has its own: every request counts references to the site's tables, and
/// threads that count references to the same object wait for each other.
final class Site: Sendable {
    /// Noncopyable, so that its rules are borrowed and no request counts references to them.
    struct Route: ~Copyable, Sendable {
        let name: String
        let rules: Rules
        /// False for a route without a policy: its requests neither look up nor store anything.
        let caches: Bool
        let upstream: Int
        let methods: MethodGate
    }

    struct Timeouts: Sendable {
        let connect: UInt64
        let response: UInt64
        let idle: UInt64
        let tunnel: UInt64
    }

    /// Noncopyable for the same reason as `Route`: the tables of its balancer are borrowed.
    struct Upstream: ~Copyable, Sendable {
        let name: String
        /// Indices in `Site.servers`, in the balancer's order.
        let servers: Range<Int>
        let balancer: Balancer
        /// The balancer's `needsLoads`. Kept here because asking the balancer would copy it.
        let needsLoads: Bool
        /// The upstream has one server, of a weight above 0: there is no choice.
        let hasOneServer: Bool
        let reuse: Reuse
        let idleConnections: Int
        let timeouts: Timeouts
        let retries: Int
    }

    struct Server: Sendable {
        let name: String
        /// The server's own address: the Host field if the client sent none.
        let authority: [UInt8]
        let upstream: Int
        /// The server's index in the upstream's balancer.
        let index: Int
        /// Empty only if `files` is set.
        let addresses: [SocketAddress]
        let files: FilesOrigin?
        // The timeouts of its upstream.
        let idleTimeout: UInt64
        let timeouts: Timeouts
    }

    let table: RouteTable
    let routes: FixedTable<Route>
    let upstreams: FixedTable<Upstream>
    let servers: [Server]
    let forwardingFields: ForwardingFields
    let headLimits: HeadLimits
    let answerLimits = OriginResponse.headLimits
    let requestBodyLimit: UInt64
    let headTimeout: UInt64
    let keepAlive: UInt64
    /// How long a client may accept no bytes of an answer (`writeTimeout`), or send no bytes of a body
    /// (`bodyTimeout`). In milliseconds, as all timeouts here.
    let writeTimeout: UInt64
    let bodyTimeout: UInt64
    let lingerTimeout: UInt64 = 2_000
    let drain: UInt64
    /// The most client connections of one thread.
    let clientLimit: Int
    /// The most bytes that one thread may hold in buffers: its share of `limits.buffers`.
    let fillLimit: Int

    /// - Parameters:
    ///   - addresses: the resolved addresses, by upstream and server.
    ///   - files: by upstream, the origin that serves its folder; nil for upstreams with servers.
    ///   - cdnID: the cdn-id of this Larder.
    init(
        _ settings: Settings, _ plan: DescriptorPlan, threads: Int, addresses: [[[SocketAddress]]],
        files: [FilesOrigin?], cdnID: String
    ) {
        var servers: [Server] = []
        upstreams = FixedTable(count: settings.upstreams.count) { index in
            let upstream = settings.upstreams[index]
            let first = servers.count
            let idleTimeout = UInt64(upstream.connections.idleTimeoutMilliseconds)
            let timeouts = Timeouts(
                connect: UInt64(upstream.timeouts.connectMilliseconds),
                response: UInt64(upstream.timeouts.responseMilliseconds),
                idle: UInt64(upstream.timeouts.idleMilliseconds),
                tunnel: UInt64(upstream.timeouts.tunnelMilliseconds))
            var identities: [(identity: String, weight: Int)] = []
            switch upstream.origin {
            case .servers(let list):
                for (place, server) in list.enumerated() {
                    identities.append((server.name, server.weight))
                    servers.append(
                        Server(
                            name: server.name, authority: Array(server.address.authority.utf8),
                            upstream: index, index: place,
                            addresses: addresses[index][place], files: nil, idleTimeout: idleTimeout,
                            timeouts: timeouts))
                }
            case .files:
                identities.append((upstream.name, 1))
                servers.append(
                    Server(
                        name: upstream.name, authority: Array("localhost".utf8), upstream: index, index: 0,
                        addresses: [], files: files[index],
                        idleTimeout: idleTimeout, timeouts: timeouts)
                )
            }
            let balancer = Balancer(upstream, servers: identities)
            return Upstream(
                name: upstream.name, servers: first..<servers.count, balancer: balancer,
                needsLoads: balancer.needsLoads,
                hasOneServer: identities.count == 1 && !balancer.members.isEmpty,
                reuse: upstream.connections.reuse,
                idleConnections: upstream.connections.reuse == .never ? 0 : upstream.connections.idle,
                timeouts: timeouts, retries: upstream.retries)
        }
        self.servers = servers
        table = settings.routeTable
        routes = FixedTable(count: settings.routes.count) { index in
            let route = settings.routes[index]
            let policy = route.policy.map { settings.policies[$0] }
            return Route(
                name: route.name,
                rules: Rules(
                    policy: policy ?? Policy(name: "none"),
                    upstream: settings.upstreams[route.upstream].name),
                caches: policy != nil, upstream: route.upstream,
                methods: MethodGate(route.methods, caches: policy != nil))
        }
        forwardingFields = ForwardingFields(
            sends: settings.forwarded, trusted: settings.trustedProxies, cdnID: cdnID)
        let limits = settings.limits
        headLimits = HeadLimits(head: limits.requestHeadBytes, fields: limits.requestHeaders)
        requestBodyLimit = limits.requestBodyBytes.map { UInt64($0) } ?? .max
        headTimeout = UInt64(limits.headTimeoutMilliseconds)
        keepAlive = UInt64(limits.keepAliveMilliseconds)
        writeTimeout = UInt64(limits.keepAliveMilliseconds)
        bodyTimeout = UInt64(limits.keepAliveMilliseconds)
        drain = UInt64(limits.drainMilliseconds)
        clientLimit = plan.clientsPerThread
        fillLimit = max(1 << 20, limits.bufferBytes / threads)
    }

    func timeouts(_ server: Int) -> Timeouts { servers[server].timeouts }
}

extension Balancer {
    /// - Parameter servers: as `Rendezvous` takes them.
    init(_ upstream: Upstream, servers: [(identity: String, weight: Int)]) {
        switch upstream.balance {
        case .urlHash:
            self = .urlHash(BoundedHash(servers: servers, boundPercent: upstream.boundedLoadPercent))
        case .roundRobin: self = .roundRobin(Rotation(weights: servers.map(\.weight)))
        case .leastRequests: self = .leastRequests(LeastRequests(weights: servers.map(\.weight)))
        }
    }
}

/// A short name: inside `Site`, `Upstream` is the site's own type.
typealias Reuse = Upstream.Connections.Reuse
