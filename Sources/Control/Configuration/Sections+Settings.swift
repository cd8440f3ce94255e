/// The keys of the configuration file. One declaration of a key serves the parser, the JSON Schema, the
/// tables in `docs/configuration.md` and the output of `larder check`.

internal import Settings

enum Sections {
    /// 7 days: the longest duration that most keys allow.
    static var longestMilliseconds: Int { 7 * 86_400_000 }

    static var file: Section<Draft> {
        Section(
            Draft(),
            [
                Key(
                    "listeners", listener.format().list(of: "listeners", atLeast: 1, atMost: 64),
                    "The addresses that clients connect to.", \.settings.listeners, isRequired: true),
                Key(
                    "admin", admin.format(), "The dashboard, the metrics and the admin API.",
                    optional: \.settings.admin,
                    unbuilt: { _ in .note("there is no admin API yet; Larder does not listen there") }),
                Key(
                    "threads", .threads, "The number of worker threads. `auto`: one for each core.",
                    \.settings.threads),
                Key("cache", cache, "The store, which holds the responses.", \.settings.cache),
                Key(
                    "routes", route.format().list(of: "routes", atLeast: 1, atMost: 1024),
                    "Each route names a policy and an upstream for some requests. The first route that "
                        + "matches a request takes it. A request that no route takes gets a 404.",
                    \.routes, isRequired: true),
                Key(
                    "upstreams", upstreams,
                    "The origins by name: groups of servers, and folders of files.",
                    \.settings.upstreams,
                    isRequired: true),
                Key(
                    "trustedProxies", .peers,
                    "The addresses of the proxies in front of Larder. From these clients Larder believes "
                        + "`Forwarded`, `X-Forwarded-*` and the other fields that a proxy sets, and passes "
                        + "them on. From all other clients it drops these fields. `unix`: the clients of "
                        + "unix sockets. The request's scheme is the one that the last proxy names; without "
                        + "one it is the listener's. A request bypasses the cache (`unkeyed`) if the fields "
                        + "name a host that differs from `Host`, or schemes that differ from the request's. "
                        + "An IPv6 range contains no IPv4 clients.",
                    \.settings.trustedProxies),
                Key(
                    "forwarded", .forwardedFields,
                    "The fields that Larder adds to a request for an origin. `x-forwarded`: "
                        + "`X-Forwarded-For`, `-Proto` and `-Host`.",
                    \.settings.forwarded),
                Key(
                    "cdnId", .name,
                    "The name of this Larder in `CDN-Loop` (RFC 8586), which it sends to origins. A request "
                        + "that arrives with this name has been here before: it gets a 508. Two Larders that "
                        + "send requests to each other need different names.", optional: \.settings.cdnID,
                    defaultText: "derived from machine and listeners"),
                Key("limits", limits, "Limits on sizes, counts and times of clients.", \.settings.limits),
                Key("process", process, "The process of Larder.", \.settings.process),
                Key("log", log, "The access log. Notices go to stderr.", \.settings.log),
            ])
    }

    static var listener: Section<Settings.Listener> {
        Section(
            Settings.Listener(bind: .tcp(IPAddress(ipv4: 0), port: 0)),
            [
                Key(
                    "bind", .bind, "The address to listen on. Port 0: the kernel chooses a free port.",
                    \.bind, isRequired: true),
                Key(
                    "tls", listenerTLS.format().described(by: Schema.nothing),
                    "Accept TLS connections; ALPN selects HTTP/2 or HTTP/1.1.", optional: \.tls,
                    unbuilt: { _ in .refuse("a listener cannot speak TLS yet") }),
                Key(
                    "proxyProtocol",
                    ValueFormat<Bool>.flag.described(by: .object(["enum": .list([.flag(false), "false"])])),
                    "`true`: each connection begins with a header of the PROXY protocol, version 1 or 2.",
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
                    "certificates", ValueFormat<String>.path.list(of: "paths", atLeast: 1),
                    "PEM files. Each contains a certificate chain and its key. SNI selects one of several.",
                    \.certificates,
                    isRequired: true)
            ])
    }

    static var admin: Section<Settings.Admin> {
        Section(
            Settings.Admin(bind: .tcp(IPAddress(ipv4: 0x7f00_0001), port: 9900)),
            [
                Key(
                    "bind", .bind, "The address to listen on. Keep it away from the public.", \.bind,
                    isRequired: true)
            ])
    }

    static var cache: Section<Settings.Cache> {
        Section(
            Settings.Cache(),
            [
                Key(
                    "memory", .size(4 << 20...512 << 30),
                    "The memory for stored responses, their index included. The default is smaller if the "
                        + "machine or its control group (the limit of a container) has little memory. If a "
                        + "value that you set does not fit, Larder does not start.",
                    optional: \.memory, defaultText: "256MiB, or what fits"),
                Key(
                    "memoryMax", .size(4 << 20...1 << 40),
                    "The size to which a reload can raise `memory` and keep the stored responses.",
                    optional: \.memoryMax, defaultText: "2 × `memory`"),
                Key(
                    "policies", ValueFormat<String>.path.orNone,
                    "The folder of the policy files. A folder that you name must exist. `none`, or no folder "
                        + "`cache-policies`: Larder uses only the policies that it ships with.",
                    \.policyFolder),
            ]
        ) { cache, reader in
            guard let most = cache.memoryMax, let memory = cache.memory, most < memory else { return }
            reader.report(
                at: reader.path(of: "memoryMax"),
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
                    "The route's name in logs and metrics.", optional: \.name, defaultText: "host and path"),
                Key(
                    "host", .hostPattern.warned(LiteralWarning.host),
                    "A host. `*.example.com`: every host below the domain, with one or more labels in front; "
                        + "the domain itself does not match. Letter case, the port and a dot at the end do "
                        + "not matter.",
                    defaultText: "any", get: { $0.host == .any ? nil : $0.host }, set: { $0.host = $1 }),
                Key(
                    "path", .pathPrefix.warned(LiteralWarning.path),
                    "A prefix of the path. Larder compares the bytes of the request line and decodes no "
                        + "percent-encoding.",
                    defaultText: "any", get: { $0.path.isEmpty ? nil : $0.path }, set: { $0.path = $1 }),
                Key(
                    "policy", ValueFormat<String>.name.orNone,
                    "The name of the cache policy. `none`: this route does not use the store.",
                    \.policy),
                Key(
                    "upstream", .name,
                    "The upstream that answers the requests that the store cannot answer.", \.upstream,
                    isRequired: true),
                Key(
                    "methods", methods.format(), "The methods that clients may use.",
                    get: { $0.methods == Route.Methods() ? nil : $0.methods },
                    set: { $0.methods = $1 }),
            ])
    }

    static var methods: Section<Route.Methods> {
        Section(
            Route.Methods(),
            [
                Key(
                    "allow", ValueFormat<String>.method.list(of: "methods", atLeast: 1, atMost: 64),
                    "The methods that all clients may use. Any other method gets a 405. GET does not include "
                        + "HEAD. `purge`, not this list, allows the methods that manage a cache.",
                    optional: \.allow, defaultText: "any"),
                Key(
                    "purge", .peers,
                    "The addresses of the clients that may send methods that manage a cache: PURGE, BAN, "
                        + "REFRESH, and methods that are named after them. Behind a trusted proxy the "
                        + "client's own address counts. Other clients get a 403; if this list is missing or "
                        + "empty, every client gets a 405. Larder sends an allowed request on to the "
                        + "upstream, and deletes all that it has stored for the URL.",
                    optional: \.purge,
                    defaultText: "no client; with `policy: none`: every client"),
            ])
    }

    static var limits: Section<Settings.Limits> {
        Section(
            Settings.Limits(),
            [
                Key(
                    "requestHead", .size(1 << 10...60 << 10),
                    "The largest request head, request line included. A larger head gets a 431, a target "
                        + "beyond this size a 414, a method beyond it a 501.",
                    \.requestHeadBytes),
                Key(
                    "requestHeaders", .count(1...128),
                    "The largest number of field lines in a request head. More lines get a 431.",
                    \.requestHeaders),
                Key(
                    "requestBody", ValueFormat<Int>.size(0...1 << 40).orNone,
                    "The largest request body. A larger body gets a 413.",
                    \.requestBodyBytes),
                Key(
                    "connections", .count(1...10_000_000),
                    "The largest number of client connections at a time, in all threads together. At the "
                        + "limit, a new connection replaces the one that has been idle longest. If none is "
                        + "idle, the new client waits in the kernel's queue until a request ends. Above nine "
                        + "tenths of the limit, each new connection also closes the one that has been idle "
                        + "longest, and answers say `Connection: close`. Each connection needs an open file. "
                        + "Larder raises its limit of open files to the hard limit and keeps a quarter of "
                        + "them for origins. If that leaves fewer connections than this key asks for, a "
                        + "notice says so.",
                    \.connections),
                Key(
                    "buffers", .size(1 << 20...1 << 40),
                    "The memory for three things: bodies on their way into the store, compression of bodies "
                        + "as they pass, and bytes that connections have received or prepared and not yet "
                        + "sent. The threads share it equally (each has 1MiB at least). If it is used up, "
                        + "Larder passes bodies on but does not store them (`pressure`) or does not compress "
                        + "them. To free memory it first drops the bodies that it collects for the store, "
                        + "then the clients that have taken nothing for five seconds. The default is smaller "
                        + "if there is little memory. A value that you set is lowered, with a notice, to "
                        + "what fits beside `cache.memory`.",
                    optional: \.buffers, defaultText: "256MiB, or what fits"),
                Key(
                    "headTimeout", .duration(1...longestMilliseconds),
                    "The longest time from the first byte of a request to the end of its head. After it the "
                        + "client gets a 408.",
                    \.headTimeoutMilliseconds),
                Key(
                    "keepAlive", .duration(1...longestMilliseconds),
                    "The time after which an idle client connection is closed.",
                    \.keepAliveMilliseconds),
                Key(
                    "drain", .duration(0...longestMilliseconds),
                    "The longest time that requests may go on after Larder is told to drain.",
                    \.drainMilliseconds),
            ])
    }

    static var process: Section<Settings.Process> {
        Section(
            Settings.Process(),
            [
                Key(
                    "user", .name,
                    "The user that Larder must run as. Larder does not start as a different user, and does "
                        + "not change the user itself. Let systemd do that (`User=`).",
                    optional: \.user,
                    defaultText: "any user"),
                Key(
                    "runFolder", .absolutePath, "The folder for sockets and state.", optional: \.runFolder,
                    defaultText: "none",
                    unbuilt: { _ in .note("Larder keeps nothing there yet") }),
            ])
    }

    static var log: Section<Settings.Log> {
        Section(
            Settings.Log(),
            [
                Key(
                    "access", resolvedAccessLog, "The destination of the access log.", \.access,
                    unbuilt: { $0 == .syslog ? .refuse("the access log cannot go to syslog yet") : nil },
                    caveat: "`syslog` is not built yet."),
                Key(
                    "format", .logFormat,
                    "The format of the access log, which has one line for each request. `json`: a JSON "
                        + "object. `combined`: the combined format of Apache and nginx. `combined+cache`: "
                        + "the same with the cache result and the duration at the end. See [logs](logs.md).",
                    \.format,
                    unbuilt: { format in
                        if case .template = format { return .refuse("the access log has no templates yet") }
                        return nil
                    },
                    caveat: "Templates are not built yet."),
            ])
    }

    static var resolvedAccessLog: ValueFormat<Settings.Log.Access> {
        var format = ValueFormat<Settings.Log.Access>.accessLog
        format.read = { [read = format.read] node, reader in
            guard let access = read(node, &reader) else { return nil }
            if case .file(let path) = access { return .file(reader.resolve(path)) }
            return access
        }
        return format
    }
}
