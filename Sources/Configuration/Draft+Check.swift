/// Checks across the sections of a configuration.

internal import Settings

extension Draft {
    func check(_ reading: inout Reading) {
        checkBinds(&reading)
        checkRouteNames(&reading)
        checkReachability(&reading)
        for upstream in settings.upstreams
        where !routes.isEmpty && !routes.contains(where: { $0.upstream == upstream.name }) {
            reading.report(as: .warning, at: "upstreams.\(upstream.name)", "no route uses it")
        }
    }

    private func checkBinds(_ reading: inout Reading) {
        var seen: [(bind: BindAddress, path: String)] = []
        var binds = settings.listeners.enumerated().map { ($1.bind, "listeners[\($0)].bind") }
        if let admin = settings.admin { binds.append((admin.bind, "admin.bind")) }
        for (bind, path) in binds {
            if let other = seen.first(where: { $0.bind.excludes(bind) }) {
                reading.report(
                    at: path,
                    other.bind == bind
                        ? "found '\(bind)', which \(other.path) has; allowed: addresses that differ"
                        : "found '\(bind)', which '\(other.bind)' of \(other.path) holds as well; allowed: "
                            + "addresses of which none is part of another")
            }
            seen.append((bind, path))
        }
    }

    private func checkRouteNames(_ reading: inout Reading) {
        var seen: [String: Int] = [:]
        for (index, route) in routes.enumerated() {
            let name = route.effectiveName
            guard let first = seen[name] else {
                seen[name] = index
                continue
            }
            // Two routes of the same host and path without names: the second is never reached, which is said
            // already.
            if route.name == nil, routes[first].name == nil { continue }
            reading.report(
                at: "routes[\(index)].name",
                "found '\(name)', which routes[\(first)] has; allowed: names that differ")
        }
    }

    private func checkReachability(_ reading: inout Reading) {
        for (index, route) in routes.enumerated() {
            guard let first = routes[..<index].firstIndex(where: { $0.takesAll(of: route) }) else { continue }
            let isSame = routes[first].host == route.host && routes[first].path == route.path
            if isSame, route.name == nil, routes[first].name == nil {
                reading.report(
                    at: "routes[\(index)]",
                    "found the host and path of routes[\(first)]; allowed: routes that differ"
                )
            } else {
                reading.report(
                    as: .warning, at: "routes[\(index)]",
                    "never reached: routes[\(first)] '\(routes[first].effectiveName)' takes all its requests"
                )
            }
        }
    }

    /// Fills in routes and policies of `settings`.
    mutating func resolve(_ reading: inout Reading, _ policies: inout PolicyFolder) {
        settings.routes = []
        settings.policies = []
        for (index, draft) in routes.enumerated() {
            var policyIndex: Int?
            if let name = draft.policy {
                if let policy = policies.usedPolicy(name)?.policy {
                    policyIndex = settings.policies.firstIndex { $0.name == name }
                    if policyIndex == nil {
                        policyIndex = settings.policies.count
                        settings.policies.append(policy)
                    }
                } else if !policies.exists(name) {
                    reading.report(
                        at: "routes[\(index)].policy",
                        "found '\(name)', but there is no such policy; "
                            + policies.missing(name, orNone: true))
                }
            }
            if let upstream = settings.upstreams.firstIndex(where: { $0.name == draft.upstream }) {
                settings.routes.append(
                    Route(
                        name: draft.effectiveName, host: draft.host, path: draft.path, policy: policyIndex,
                        upstream: upstream))
            } else if !reading.isGiven("upstreams.\(draft.upstream)") {
                let names = settings.upstreams.map(\.name)
                reading.report(
                    at: "routes[\(index)].upstream",
                    "found '\(draft.upstream)', but there is no such upstream; allowed: "
                        + names.joined(separator: ", ") + Suggestion.text(for: draft.upstream, among: names))
            }
        }
    }

    /// A stored answer must leave room for others in its segment.
    func checkBodies(_ policies: inout PolicyFolder) {
        let limit = settings.cache.segmentBytes / 2
        for policy in settings.policies where policy.store.maxBodyBytes > limit {
            policies.report(
                policy.name, at: "store.maxBody",
                "found '\(ByteCount.format(policy.store.maxBodyBytes))'; allowed: at most "
                    + "\(ByteCount.format(limit)), half a store segment (cache.memory, which is "
                    + "\(ByteCount.format(settings.cache.memoryBytes)), ÷ 1024; from 64KiB to 2MiB)")
        }
    }
}

extension RouteDraft {
    /// Does this route, coming first, leave nothing to the other?
    fileprivate func takesAll(of other: RouteDraft) -> Bool {
        host.takesAll(of: other.host) && other.path.starts(with: path)
    }
}

extension HostPattern {
    fileprivate func takesAll(of other: HostPattern) -> Bool {
        switch (self, other) {
        case (.any, _): true
        case (.exact(let host), .exact(let otherHost)): host == otherHost
        case (.subdomains(let apex), .exact(let host)): host.hasSuffix(".\(apex)")
        case (.subdomains(let apex), .subdomains(let otherApex)):
            otherApex == apex || otherApex.hasSuffix(".\(apex)")
        case (.exact, _), (.subdomains, .any): false
        }
    }
}
