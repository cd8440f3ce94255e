/// The checks that compare several sections of a configuration, and the step from `Draft` to `Settings`.

internal import Settings

extension Draft {
    func check(_ reader: inout FileReader) {
        checkBinds(&reader)
        checkRouteNames(&reader)
        checkReachability(&reader)
        for upstream in settings.upstreams
        where !routes.isEmpty && !routes.contains(where: { $0.upstream == upstream.name }) {
            reader.report(as: .warning, at: "upstreams.\(upstream.name)", "no route uses this upstream")
        }
    }

    private func checkBinds(_ reader: inout FileReader) {
        var seen: [(bind: BindAddress, path: String)] = []
        var binds = settings.listeners.enumerated().map { ($1.bind, "listeners[\($0)].bind") }
        if let admin = settings.admin { binds.append((admin.bind, "admin.bind")) }
        for (bind, path) in binds {
            if let other = seen.first(where: { $0.bind.excludes(bind) }) {
                reader.report(
                    at: path,
                    other.bind == bind
                        ? "found '\(bind)', which \(other.path) has too; allowed: addresses that differ"
                        : "found '\(bind)', which overlaps with '\(other.bind)' of \(other.path); allowed: "
                            + "addresses that do not overlap")
            }
            seen.append((bind, path))
        }
    }

    private func checkRouteNames(_ reader: inout FileReader) {
        var seen: [String: Int] = [:]
        for (index, route) in routes.enumerated() {
            let name = route.effectiveName
            guard let first = seen[name] else {
                seen[name] = index
                continue
            }
            // Two routes without names have the same host and path: `checkReachability` reports that.
            if route.name == nil, routes[first].name == nil { continue }
            reader.report(
                at: "routes[\(index)].name",
                "found '\(name)', which routes[\(first)] has too; allowed: names that differ")
        }
    }

    private func checkReachability(_ reader: inout FileReader) {
        for (index, route) in routes.enumerated() {
            guard let first = routes[..<index].firstIndex(where: { $0.takesAll(of: route) }) else { continue }
            let isSame = routes[first].host == route.host && routes[first].path == route.path
            if isSame, route.name == nil, routes[first].name == nil {
                reader.report(
                    at: "routes[\(index)]",
                    "found the same host and path as in routes[\(first)]; allowed: routes that differ")
            } else {
                reader.report(
                    as: .warning, at: "routes[\(index)]",
                    "no request reaches this route: routes[\(first)] '\(routes[first].effectiveName)' takes "
                        + "all of them")
            }
        }
    }

    /// Fills in `settings.routes` and `settings.policies`: names become indexes.
    mutating func resolve(_ reader: inout FileReader, _ policies: inout PolicyFolder) {
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
                    reader.report(
                        at: "routes[\(index)].policy",
                        "found '\(name)', but there is no such policy; "
                            + policies.missing(name, orNone: true))
                }
            }
            if let upstream = settings.upstreams.firstIndex(where: { $0.name == draft.upstream }) {
                settings.routes.append(
                    Route(
                        name: draft.effectiveName, host: draft.host, path: draft.path, policy: policyIndex,
                        upstream: upstream, methods: draft.methods))
            } else if !reader.isGiven("upstreams.\(draft.upstream)") {
                let names = settings.upstreams.map(\.name)
                reader.report(
                    at: "routes[\(index)].upstream",
                    "found '\(draft.upstream)', but there is no such upstream; allowed: "
                        + names.joined(separator: ", ") + Suggestion.text(for: draft.upstream, among: names))
            }
        }
    }

    /// Reports a policy folder that the file names but that cannot be read. Without this check a shipped
    /// policy could silently replace a stricter policy of that folder.
    mutating func checkFolder(_ failure: FileSource.Failure?, _ reader: inout FileReader) {
        let path = "cache.policies"
        guard let failure, let folder = settings.cache.policyFolder?.shortened else { return }
        settings.cache.policyFolder = nil
        switch failure {
        case .missing where !reader.isGiven(path): break
        case .missing:
            reader.report(
                at: path,
                "found '\(folder)', but there is no such folder; allowed: a folder of policy files, or none")
        case .unreadable(let why):
            reader.report(
                at: path,
                "found '\(folder)', which cannot be read: \(why); allowed: a folder of policy files")
        }
    }

    /// Lowers `maxBody` to half a segment of the store, so that a stored response leaves room for others in
    /// its segment.
    mutating func lowerBodies(_ reader: inout FileReader, _ policies: inout PolicyFolder) {
        let most = settings.cache.largestBodyBytes
        for index in settings.policies.indices {
            let policy = settings.policies[index]
            let wanted = policy.store.maxBodyBytes
            guard wanted > most else { continue }
            settings.policies[index].store.maxBodyBytes = most
            let remedy =
                Settings.Cache.memory(forBodies: wanted).map {
                    "'cache.memory: \(ByteCount.format($0))' allows it"
                } ?? "no store accepts more than \(ByteCount.format(Settings.Cache.mostBodyBytes))"
            let words =
                "lowered from \(ByteCount.format(wanted)) to \(ByteCount.format(most)), half a segment "
                + "of a store of \(ByteCount.format(settings.cache.memoryBytes)); \(remedy)"
            if !policies.note(policy.name, at: "store.maxBody", words) {
                reader.report(
                    as: .note, at: "cache.memory",
                    "store.maxBody of the shipped policy '\(policy.name)' is \(words)")
            }
        }
    }
}

extension RouteDraft {
    /// Does this route match every request that `other` matches?
    fileprivate func takesAll(of other: RouteDraft) -> Bool {
        // Compare the last byte first: paths differ there most often.
        guard other.path.count >= path.count, path.isEmpty || other.path[path.count - 1] == path.last else {
            return false
        }
        return host.takesAll(of: other.host) && other.path.starts(with: path)
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
