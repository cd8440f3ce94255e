/// The content of a configuration file. Its routes refer to upstreams and policies by name; `Settings`, which
/// is made from it, refers to them by index.

internal import Settings

struct Draft: Equatable {
    /// Everything except the routes and the policies.
    var settings = Settings()
    var routes: [RouteDraft] = []
}

struct RouteDraft: Equatable {
    /// nil: `effectiveName` is made of host and path.
    var name: String?
    var host = HostPattern.any
    var path: [UInt8] = []
    /// nil: the file says `none`.
    var policy: String? = PolicyFolder.defaultPolicy
    var upstream = ""
    var methods = Route.Methods()

    var effectiveName: String {
        if let name { return name }
        let path = String(decoding: path, as: UTF8.self)
        return host == .any ? (path.isEmpty ? "*" : path) : host.description + path
    }
}

/// An upstream before the check that it has either `servers:` or `files:`.
struct UpstreamDraft {
    var upstream = Upstream(name: "", origin: .servers([]))
    var servers: [Upstream.Server]?
    var files: String?
    var cacheControl: String?
    var fallback: String?
    var notFound: String?
}

struct ServerDraft {
    var name: String?
    var address: ServerAddress?
    var dns: ServerAddress?
    var srv: String?
    var slots = 8
    var weight = 1
    var maxConnections: Int?
}

extension Draft {
    init(_ settings: Settings) {
        self.settings = settings
        routes = settings.routes.map { route in
            RouteDraft(
                name: route.name, host: route.host, path: route.path,
                policy: route.policy.map { settings.policies[$0].name },
                upstream: settings.upstreams[route.upstream].name, methods: route.methods)
        }
    }
}

extension UpstreamDraft {
    init(_ upstream: Upstream) {
        self.upstream = upstream
        switch upstream.origin {
        case .servers(let servers): self.servers = servers
        case .files(let files):
            self.files = files.root
            cacheControl = files.cacheControl
            fallback = files.fallback
            notFound = files.notFound
        }
    }
}

extension ServerDraft {
    init(_ server: Upstream.Server) {
        name = server.name
        weight = server.weight
        maxConnections = server.maxConnections
        switch server.address {
        case .host, .unix: address = server.address
        case .dns(_, _, let slots):
            dns = server.address
            self.slots = slots
        case .srv(let name, let slots):
            srv = name
            self.slots = slots
        }
    }
}
