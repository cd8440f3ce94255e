internal import Balancing
internal import Bytes
internal import Caching
internal import Files
internal import HTTP
internal import Kernel
internal import Loop
internal import Settings

/// Settings compiled for serving: names resolved to indices, policies to rules, servers to addresses. Never
/// changed, and made for each thread anew: every request counts references to its tables, and threads that
/// count the same ones wait for each other.
final class Site: Sendable {
    /// Not copyable, so that its rules are lent, and no request counts a reference to them.
    struct Route: ~Copyable, Sendable {
        let name: String
        let rules: Rules
        /// False for a route without a policy: nothing is looked up and nothing stored.
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

    /// As `Route`, for the tables of its balancer.
    struct Upstream: ~Copyable, Sendable {
        let name: String
        /// Indices in `Site.servers`, in the balancer's order.
        let servers: Range<Int>
        let balancer: Balancer
        /// As the balancer's, of which a copy would have to be asked.
        let needsLoads: Bool
        /// There is no choice: one server, which has a weight.
        let hasOneServer: Bool
        let reuse: Reuse
        let idleConnections: Int
        let timeouts: Timeouts
        let retries: Int
    }

    struct Server: Sendable {
        let name: String
        /// What it gets as Host where the client named none: its own address.
        let authority: [UInt8]
        let upstream: Int
        /// Its place in the upstream's balancer.
        let index: Int
        /// Never empty, unless `files` is set.
        let addresses: [SocketAddress]
        let files: FilesOrigin?
        /// Its upstream's.
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
    /// How long a client may take nothing of what is sent, or send nothing of a body.
    let writeTimeout: UInt64
    let bodyTimeout: UInt64
    let lingerTimeout: UInt64 = 2_000
    let drain: UInt64
    /// Per thread, of the clients and of bodies in hand.
    let clientLimit: Int
    let fillLimit: Int

    /// - Parameters:
    ///   - addresses: of each server, by upstream and server, resolved.
    ///   - files: the origins of upstreams that serve a folder, by upstream.
    ///   - cdnID: this Larder's own.
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
                            upstream: index,
                            index: place,
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

/// `Upstream` is also the name of the site's own view of one.
typealias Reuse = Upstream.Connections.Reuse
