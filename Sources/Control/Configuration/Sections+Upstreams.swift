/// The keys of `upstreams:`.

internal import Settings

extension Sections {
    /// A map from names to upstreams, in the order of the file.
    static var upstreams: ValueFormat<[Upstream]> {
        let format = upstream.format()
        let allowed = "a map from names to upstreams"
        return ValueFormat<[Upstream]>(
            type: "map of upstreams", allowed: allowed,
            schema: .object([
                "type": "object", "propertyNames": .object(["pattern": .text("^\(Pattern.name)$")]),
                "additionalProperties": format.schema, "minProperties": .number(1),
            ]),
            rows: format.rows.map { row in
                var row = row
                row.path = ".NAME\(row.path)"
                return row
            },
            read: { node, reader in
                guard case .entries(let entries) = node.content, !entries.isEmpty else {
                    reader.reportWrong(node, allowed: allowed)
                    return nil
                }
                return entries.compactMap { entry in
                    reader.inside(entry.key, line: entry.line) { reader in
                        if let line = entry.repeatedOnLine {
                            reader.report(line: line, "the key appears twice; first on line \(entry.line)")
                        } else if !Naming.isName(entry.key) {
                            reader.report(
                                "found '\(entry.key)'; allowed: \(ValueFormat<String>.name.allowed)")
                        }
                        var upstream = format.read(entry.node, &reader)?.upstream
                        upstream?.name = entry.key
                        return upstream
                    }
                }
            },
            write: { upstreams in
                .map(upstreams.map { Document.Entry($0.name, format.write(UpstreamDraft($0))) })
            })
    }

    static var upstream: Section<UpstreamDraft> {
        Section(
            UpstreamDraft(),
            [
                Key(
                    "servers", server.list(of: "servers", atLeast: 1, atMost: 256),
                    "The servers. Each is `host:port`, `unix:/path`, or a map.", optional: \.servers),
                Key(
                    "files", .path, "A folder. Larder answers from its files; it replaces `servers`.",
                    optional: \.files),
                Key(
                    "cacheControl", ValueFormat<String>.fieldValue.orNone,
                    "The `Cache-Control` of the responses from `files`. `none`: they have no "
                        + "`Cache-Control`, "
                        + "and the default policy does not store them.",
                    defaultText: "`none`", get: { $0.files == nil ? nil : .some($0.cacheControl) },
                    set: { $0.cacheControl = $1 }),
                Key(
                    "fallback", .sitePage,
                    "A file below `files`. Larder sends it with status 200 for a page that has no file: "
                        + "`/index.html` for a single-page application.",
                    optional: \.fallback),
                Key(
                    "notFound", .sitePage,
                    "A file below `files`. It is the body of each 404: `/404.html`.",
                    optional: \.notFound),
                forServers(
                    "balance", .choice,
                    "How Larder chooses a server. `url-hash`: by a hash of host, path and keyed query. "
                        + "`round-robin`: in turn. `least-requests`: the least busy server.",
                    \.balance),
                forServers(
                    "boundedLoad", ValueFormat<Int>.percent(101...10_000).orNone,
                    "For `url-hash`: a server takes at most this percentage of the mean load. Beyond it, a "
                        + "request goes to the next server of its key. For any other `balance`: `none`.",
                    \.boundedLoadPercent),
                forServers(
                    "connections", connections.format(), "The idle connections that Larder keeps.",
                    \.connections),
                forServers(
                    "timeouts", timeouts.format(), "The longest times that Larder waits for a server.",
                    \.timeouts),
                forServers(
                    "retries", .count(0...10),
                    "The number of further servers that Larder tries for a request that can be repeated.",
                    \.retries),
                Key(
                    "health", health.format(), "Health probes. Without this key there are none.",
                    optional: \.upstream.health,
                    unbuilt: { _ in .note("Larder does not probe servers; all count as healthy") }),
                Key(
                    "tls", upstreamTLS.format().described(by: Schema.nothing), "Use TLS to the servers.",
                    optional: \.upstream.tls,
                    unbuilt: { _ in .refuse("Larder cannot speak TLS to servers yet") }),
            ],
            constraints: [
                Schema.oneOf([
                    ("servers", without: ["files"] + keysOfFiles),
                    ("files", without: ["servers"] + keysOfServers),
                ]),
                .init(
                    "if",
                    .object([
                        "required": .texts(["balance"]),
                        "properties": .object(["balance": .object(["not": .object(["const": "url-hash"])])]),
                    ])),
                .init(
                    "then", .object(["properties": .object(["boundedLoad": .object(["const": "none"])])])),
            ]
        ) { draft, reader in
            finish(&draft, &reader)
        }
    }

    private static var keysOfFiles: [String] { ["cacheControl", "fallback", "notFound"] }
    private static var keysOfServers: [String] {
        ["balance", "boundedLoad", "connections", "timeouts", "retries", "health", "tls"]
    }

    /// A key for `servers:` only: it is not written for `files:`.
    private static func forServers<Value>(
        _ name: String, _ format: ValueFormat<Value>, _ meaning: String,
        _ place: WritableKeyPath<Upstream, Value>,
        unbuilt: ((Value) -> Unbuilt?)? = nil
    ) -> Key<UpstreamDraft> {
        Key(
            name, format, meaning, unbuilt: unbuilt,
            get: { $0.files == nil ? $0.upstream[keyPath: place] : nil },
            set: { $0.upstream[keyPath: place] = $1 })
    }

    private static func finish(_ draft: inout UpstreamDraft, _ reader: inout FileReader) {
        switch (draft.servers, draft.files) {
        case (nil, nil): reader.report("found neither 'servers' nor 'files'; allowed: one of them")
        case (.some, .some):
            reader.report(at: reader.path(of: "files"), "found beside 'servers'; allowed: one of them")
        case (.some(let servers), nil):
            draft.upstream.origin = .servers(servers)
            for key in keysOfFiles where reader.isGiven(reader.path(of: key)) {
                reader.report(at: reader.path(of: key), "found beside 'servers'; allowed: beside 'files'")
            }
            boundLoad(of: &draft.upstream, &reader)
            var seen: [String: Int] = [:]
            for (index, server) in servers.enumerated() {
                if let first = seen[server.name] {
                    reader.report(
                        at: reader.path(of: "servers[\(index)]"),
                        "found the name '\(server.name)', which servers[\(first)] has too; allowed: a name "
                            + "that differs")
                } else {
                    seen[server.name] = index
                }
            }
            if servers.allSatisfy({ $0.weight == 0 }) {
                reader.report(
                    at: reader.path(of: "servers"),
                    "found only weights of 0; allowed: at least one weight above 0")
            }
        case (nil, .some(let root)):
            var files = Upstream.Files(root: root, cacheControl: draft.cacheControl)
            files.fallback = draft.fallback
            files.notFound = draft.notFound
            draft.upstream.origin = .files(files)
            for key in keysOfServers where reader.isGiven(reader.path(of: key)) {
                reader.report(at: reader.path(of: key), "found beside 'files'; allowed: beside 'servers'")
            }
        }
    }

    /// `boundedLoad` belongs to `url-hash`. With any other balance it becomes nil, and a value in the file is
    /// a mistake.
    private static func boundLoad(of upstream: inout Upstream, _ reader: inout FileReader) {
        guard upstream.balance != .urlHash, let percent = upstream.boundedLoadPercent else { return }
        let path = reader.path(of: "boundedLoad")
        if reader.isGiven(path) {
            reader.report(
                at: path,
                "found '\(percent)%' beside 'balance: \(upstream.balance.rawValue)'; allowed: none, or a "
                    + "percentage beside 'balance: url-hash'")
        }
        upstream.boundedLoadPercent = nil
    }

    /// An address, or a map that has an address.
    static var server: ValueFormat<Upstream.Server> {
        let full = serverMap.format()
        let address = ValueFormat<ServerAddress>.serverAddress
        return ValueFormat<Upstream.Server>(
            type: "server", allowed: "\(address.allowed), or a map with one of address, dns, srv",
            schema: .object(["anyOf": .list([address.schema, full.schema])]), rows: full.rows,
            read: { node, reader in
                if case .entries = node.content {
                    return full.read(node, &reader).flatMap { server(of: $0, &reader) }
                }
                return address.read(node, &reader).map { Upstream.Server($0) }
            },
            write: { full.write(ServerDraft($0)) })
    }

    private static var serverMap: Section<ServerDraft> {
        let hasSlots: (ServerDraft) -> Bool = { $0.dns != nil || $0.srv != nil || $0.address == nil }
        return Section(
            ServerDraft(),
            [
                Key(
                    "name",
                    .text(
                        "name", allowed: "a name of at most 128 bytes, without '/'",
                        pattern:
                            "(?:unix:/[^\\u0000-\\u001f\\u007f]{0,122}|[^\\u0000-\\u001f\\u007f/]{1,128})"
                    ) {
                        $0.utf8.count <= 128
                            && ($0.hasPrefix("unix:/") || !$0.utf8.contains(UInt8(ascii: "/")))
                    }, "The server's name in logs and metrics. `url-hash` computes its hash over this name.",
                    optional: \.name,
                    defaultText: "the address"),
                Key(
                    "address", .serverAddress, "The server's address: `host:port` or `unix:/path`.",
                    optional: \.address),
                Key(
                    "dns", ValueFormat<ServerAddress>.dnsName.described(by: Schema.nothing),
                    "Instead of `address`: every address (A, AAAA) of a name is a server.",
                    optional: \.dns,
                    unbuilt: { _ in .refuse("servers cannot be found by DNS yet; name their addresses") }),
                Key(
                    "srv", ValueFormat<String>.hostName.described(by: Schema.nothing),
                    "Instead of `address`: every target of an SRV record is a server.",
                    optional: \.srv,
                    unbuilt: { _ in .refuse("servers cannot be found by DNS yet; name their addresses") }),
                Key(
                    "slots", .count(1...256), "With `dns` or `srv`: the largest number of servers.",
                    get: { hasSlots($0) ? $0.slots : nil }, set: { $0.slots = $1 }),
                Key(
                    "weight", .count(0...256),
                    "The server's share of keys or requests, relative to the weights of the upstream's "
                        + "other servers. 0: no share.",
                    \.weight),
                Key(
                    "maxConnections", ValueFormat<Int>.count(1...1_000_000).orNone,
                    "The largest number of connections to this server at a time.",
                    \.maxConnections,
                    unbuilt: { $0 == nil ? nil : .note("Larder does not count connections to a server") }),
            ],
            constraints: [
                Schema.oneOf([
                    ("address", without: ["dns", "srv", "slots"]), ("dns", without: ["address", "srv"]),
                    ("srv", without: ["address", "dns"]),
                ])
            ])
    }

    private static func server(of draft: ServerDraft, _ reader: inout FileReader) -> Upstream.Server? {
        var found: [ServerAddress] = []
        if let address = draft.address { found.append(address) }
        if case .dns(let host, let port, _) = draft.dns {
            found.append(.dns(host, port: port, slots: draft.slots))
        }
        if let name = draft.srv { found.append(.srv(name, slots: draft.slots)) }
        guard let address = found.first, found.count == 1 else {
            reader.report(
                "found \(found.isEmpty ? "none" : "several") of address, dns, srv; allowed: one of them")
            return nil
        }
        if draft.address != nil, reader.isGiven(reader.path(of: "slots")) {
            reader.report(
                at: reader.path(of: "slots"), "found beside 'address'; allowed: beside 'dns' or 'srv'")
            return nil
        }
        var server = Upstream.Server(address)
        if let name = draft.name { server.name = name }
        server.weight = draft.weight
        server.maxConnections = draft.maxConnections
        return server
    }

    static var connections: Section<Upstream.Connections> {
        Section(
            Upstream.Connections(),
            [
                Key(
                    "reuse", .choice,
                    "The requests that may use an idle connection. `safe`: only a request that can be "
                        + "repeated, because the server may be about to close the connection. `always`: "
                        + "every request. `never`: no request.",
                    \.reuse),
                Key(
                    "idle", .count(0...65_536),
                    "The largest number of idle connections for each server and thread.", \.idle),
                Key(
                    "idleTimeout", .duration(1...longestMilliseconds),
                    "The time after which Larder closes an idle connection. Set it lower than the idle "
                        + "limit of the servers.",
                    \.idleTimeoutMilliseconds),
            ])
    }

    static var timeouts: Section<Upstream.Timeouts> {
        Section(
            Upstream.Timeouts(),
            [
                Key(
                    "connect", .duration(1...longestMilliseconds),
                    "The longest time to establish a connection.", \.connectMilliseconds),
                Key(
                    "response", .duration(1...longestMilliseconds),
                    "The longest time from the end of the request to the head of the response.",
                    \.responseMilliseconds),
                Key(
                    "idle", .duration(1...longestMilliseconds),
                    "The longest pause within a request body or a response body.",
                    \.idleMilliseconds),
                Key(
                    "tunnel", .duration(1...longestMilliseconds),
                    "The longest pause on a WebSocket connection.",
                    \.tunnelMilliseconds),
            ])
    }

    static var health: Section<Upstream.Health> {
        Section(
            Upstream.Health(),
            [
                Key(
                    "path",
                    ValueFormat<[UInt8]>.pathPrefix.map(
                        { String(decoding: $0, as: UTF8.self) }, back: { Array($0.utf8) }),
                    "The path that a probe requests.", \.path),
                Key(
                    "interval", .duration(100...longestMilliseconds), "The time between two probes.",
                    \.intervalMilliseconds),
                Key(
                    "rise", .count(1...100),
                    "The number of successful probes after which a server counts as up.", \.rise),
                Key(
                    "fall", .count(1...100),
                    "The number of failed probes after which a server counts as down.", \.fall),
            ])
    }

    static var upstreamTLS: Section<Upstream.TLS> {
        Section(
            Upstream.TLS(),
            [
                Key("verify", .flag, "`true`: Larder verifies the servers' certificates.", \.verify),
                Key(
                    "serverName", .hostName, "The server name in SNI and in the certificate.",
                    optional: \.serverName,
                    defaultText: "the server's host"),
            ])
    }
}
