/// The configuration file, key by key. Each declaration drives the parser, the JSON Schema, the reference in
/// `docs/configuration.md` and what `larder check` prints.

internal import Settings

enum Sections {
    /// Sizes and times beyond these are mistakes.
    static var longestMilliseconds: Int { 7 * 86_400_000 }

    static var file: Section<Draft> {
        Section(
            Draft(),
            [
                Key(
                    "listeners", listener.form().list(of: "listeners", atLeast: 1, atMost: 64),
                    "Where clients connect.", \.settings.listeners, isRequired: true),
                Key(
                    "admin", admin.form(), "Dashboard, metrics and the admin API.",
                    optional: \.settings.admin,
                    unbuilt: { _ in .note("there is no admin API yet, nothing listens there") }),
                Key(
                    "threads", .threads, "Threads of the worker; `auto`: as many as there are cores.",
                    \.settings.threads),
                Key("cache", cache, "The store.", \.settings.cache),
                Key(
                    "routes", route.form().list(of: "routes", atLeast: 1, atMost: 1024),
                    "Which requests go where. The first match wins; what no route takes is answered 404.",
                    \.routes, isRequired: true),
                Key(
                    "upstreams", upstreams, "Named groups of servers, or folders of files.",
                    \.settings.upstreams,
                    isRequired: true),
                Key(
                    "trustedProxies", .peers,
                    "Clients whose `Forwarded`, `X-Forwarded-*` and other fields that a proxy sets are "
                        + "believed, and passed on; `unix`: those of unix sockets. The last "
                        + "proxy's word on the scheme counts, and if it says none, the listener's. A request "
                        + "for which they name another host than `Host` does, or other schemes than that, "
                        + "bypasses the cache (`unkeyed`). IPv6 ranges hold no IPv4 clients. From all other "
                        + "clients such fields are dropped.",
                    \.settings.trustedProxies),
                Key(
                    "forwarded", .forwardedFields,
                    "What origins are told: `X-Forwarded-For`, `-Proto` and `-Host`; `Forwarded`; `Via`.",
                    \.settings.forwarded),
                Key(
                    "cdnId", .name,
                    "By what Larder knows a request that it has sent before, and answers 508: origins get it "
                        + "in `CDN-Loop` (RFC 8586). Two Larders that pass requests to each other must not "
                        + "have the same.", optional: \.settings.cdnID,
                    standard: "derived from machine and listeners"),
                Key("limits", limits, "Bounds on what clients can take.", \.settings.limits),
                Key("process", process, "Whom Larder runs as.", \.settings.process),
                Key("log", log, "The access log. Notices go to stderr.", \.settings.log),
            ])
    }

    static var listener: Section<Settings.Listener> {
        Section(
            Settings.Listener(bind: .tcp(IPAddress(ipv4: 0), port: 0)),
            [
                Key("bind", .bind, "Where to listen. Port 0: a free one.", \.bind, isRequired: true),
                Key(
                    "tls", listenerTLS.form().described(by: Schema.nothing),
                    "Terminate TLS; HTTP/2 and HTTP/1.1 by ALPN.", optional: \.tls,
                    unbuilt: { _ in .refuse("a listener cannot speak TLS yet") }),
                Key(
                    "proxyProtocol",
                    Form<Bool>.flag.described(by: .object(["enum": .list([.flag(false), "false"])])),
                    "Connections begin with a PROXY protocol header, version 1 or 2.",
                    \.proxyProtocol,
                    unbuilt: { $0 ? .refuse("a listener cannot read the PROXY protocol yet") : nil },
                    caveat: "`true` is not built yet."),
            ])
    }

    static var listenerTLS: Section<Settings.Listener.TLS> {
        Section(
            Settings.Listener.TLS(),
            [
                Key(
                    "certificates", Form<String>.path.list(of: "paths", atLeast: 1),
                    "PEM files, each with a chain and its key. With several, SNI chooses.", \.certificates,
                    isRequired: true)
            ])
    }

    static var admin: Section<Settings.Admin> {
        Section(
            Settings.Admin(bind: .tcp(IPAddress(ipv4: 0x7f00_0001), port: 9900)),
            [
                Key("bind", .bind, "Where to listen; not for the public.", \.bind, isRequired: true)
            ])
    }

    static var cache: Section<Settings.Cache> {
        Section(
            Settings.Cache(),
            [
                Key(
                    "memory", .size(4 << 20...512 << 30),
                    "Memory for stored answers, index and all. Without it Larder takes less than the default "
                        + "where the machine or its control group (a container's limit) has little memory; "
                        + "with it, what does not fit is refused at the start.",
                    optional: \.memory, standard: "256MiB, or what fits"),
                Key(
                    "memoryMax", .size(4 << 20...1 << 40),
                    "What a reload can grow `memory` to without a cold start.",
                    optional: \.memoryMax, standard: "2 × `memory`"),
                Key(
                    "policies", Form<String>.path.orNone,
                    "The folder of the policy files. One that is named must be there; without one, and with "
                        + "`none`, the shipped policies are used.", \.policyFolder),
            ]
        ) { cache, reading in
            guard let most = cache.memoryMax, let memory = cache.memory, most < memory else { return }
            reading.report(
                at: reading.path(of: "memoryMax"),
                "found '\(ByteCount.format(most))'; allowed: at least 'memory', which is "
                    + "\(ByteCount.format(memory))")
        }
    }

    static var route: Section<RouteDraft> {
        Section(
            RouteDraft(),
            [
                Key(
                    "name",
                    .text(
                        "name", allowed: "a name of at most 128 bytes",
                        pattern: "[^\\u0000-\\u001f\\u007f]{1,128}"
                    ) { $0.utf8.count <= 128 },
                    "For logs and figures.", optional: \.name, standard: "host and path"),
                Key(
                    "host", .hostPattern.warned(Literal.host),
                    "A host, or `*.` and a domain: one or more labels before it, not the domain itself. "
                        + "Case, port and a dot at the end do not matter.",
                    standard: "any", get: { $0.host == .any ? nil : $0.host }, set: { $0.host = $1 }),
                Key(
                    "path", .pathPrefix.warned(Literal.path),
                    "A prefix of the path's bytes as they come, percent signs and all.",
                    standard: "any", get: { $0.path.isEmpty ? nil : $0.path }, set: { $0.path = $1 }),
                Key(
                    "policy", Form<String>.name.orNone, "A policy by name; `none`: the store is not used.",
                    \.policy),
                Key("upstream", .name, "Who answers what the store does not.", \.upstream, isRequired: true),
                Key(
                    "methods", methods.form(), "Which methods are taken, and from whom.",
                    get: { $0.methods == Route.Methods() ? nil : $0.methods },
                    set: { $0.methods = $1 }),
            ])
    }

    static var methods: Section<Route.Methods> {
        Section(
            Route.Methods(),
            [
                Key(
                    "allow", Form<String>.method.list(of: "methods", atLeast: 1, atMost: 64),
                    "Other methods are answered 405. HEAD does not follow from GET. Methods that manage a "
                        + "cache are not listed here: `purge` says who may send them.",
                    optional: \.allow, standard: "any"),
                Key(
                    "purge", .peers,
                    "Who may send methods that manage a cache: PURGE, BAN, REFRESH and what is named after "
                        + "them. The client is meant, where a trusted proxy tells its address. From all "
                        + "others they are answered 403, and 405 where nobody may send them. One that is "
                        + "allowed goes on to the upstream, and takes all that Larder has stored for its "
                        + "URL.",
                    optional: \.purge,
                    standard: "nobody; with `policy: none`: anybody"),
            ])
    }

    static var limits: Section<Settings.Limits> {
        Section(
            Settings.Limits(),
            [
                Key(
                    "requestHead", .size(1 << 10...60 << 10),
                    "Bytes of a head, from the request line on; beyond: 431, of a target 414, of a "
                        + "method 501.",
                    \.requestHeadBytes),
                Key(
                    "requestHeaders", .count(1...128), "Field lines of a head; beyond: 431.", \.requestHeaders
                ),
                Key(
                    "requestBody", Form<Int>.size(0...1 << 40).orNone,
                    "Bytes of a request's body; beyond: 413.",
                    \.requestBodyBytes),
                Key(
                    "connections", .count(1...10_000_000),
                    "Client connections at a time, of all threads together. At the limit, the connection "
                        + "that has been idle longest is closed for a new one; where none is idle, the new "
                        + "client waits in the kernel's queue until a request ends. Above nine tenths of "
                        + "the limit a new connection closes the one that has been idle longest as well, "
                        + "and answers say `Connection: close`. Each is an open file: Larder raises its "
                        + "limit of these to the hard limit, keeps a quarter for origins, and says so where "
                        + "fewer clients are let in than this.",
                    \.connections),
                Key(
                    "buffers", .size(1 << 20...1 << 40),
                    "Memory for bodies on their way into the store, for compressing them as they pass, and "
                        + "for what connections have received or composed and not got rid of; divided among "
                        + "the threads (1MiB each at least). Where it is used up, bodies are passed on, and "
                        + "not stored (`pressure`) or not compressed; what is being gathered for the store "
                        + "goes first, then clients that have taken nothing for five seconds. Without it, "
                        + "less where there is little memory; with it, lowered to what fits beside "
                        + "`cache.memory`, with a notice.",
                    optional: \.buffers, standard: "256MiB, or what fits"),
                Key(
                    "headTimeout", .duration(1...longestMilliseconds),
                    "From the first byte of a request to the end of its head; beyond: 408.",
                    \.headTimeoutMilliseconds),
                Key(
                    "keepAlive", .duration(1...longestMilliseconds),
                    "How long an idle client connection is kept.",
                    \.keepAliveMilliseconds),
                Key(
                    "drain", .duration(0...longestMilliseconds),
                    "How long requests may go on once Larder is told to stop.",
                    \.drainMilliseconds),
            ])
    }

    static var process: Section<Settings.Process> {
        Section(
            Settings.Process(),
            [
                Key(
                    "user", .name,
                    "The user that Larder runs as: started as another, it refuses. It changes to none by "
                        + "itself; systemd does, by `User=`.", optional: \.user,
                    standard: "whoever starts it"),
                Key(
                    "runFolder", .absolutePath, "The folder of sockets and state.", optional: \.runFolder,
                    standard: "none",
                    unbuilt: { _ in .note("nothing is kept there yet") }),
            ])
    }

    static var log: Section<Settings.Log> {
        Section(
            Settings.Log(),
            [
                Key(
                    "access", resolvedAccessLog, "Where the access log goes.", \.access,
                    unbuilt: { $0 == .syslog ? .refuse("the access log cannot go to syslog yet") : nil },
                    caveat: "`syslog` is not built yet."),
                Key(
                    "format", .logFormat,
                    "One line a request: JSON, or the combined format of the web servers, alone or with the "
                        + "cache's part and the duration behind it. See [logs](logs.md).", \.format,
                    unbuilt: { format in
                        if case .template = format { return .refuse("the access log has no templates yet") }
                        return nil
                    },
                    caveat: "Templates are not built yet."),
            ])
    }

    static var resolvedAccessLog: Form<Settings.Log.Access> {
        var form = Form<Settings.Log.Access>.accessLog
        form.read = { [read = form.read] node, reading in
            guard let access = read(node, &reading) else { return nil }
            if case .file(let path) = access { return .file(reading.resolve(path)) }
            return access
        }
        return form
    }
}
