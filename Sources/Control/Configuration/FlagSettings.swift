/// The settings of `larder serve` without a file: one or more listeners, one upstream with one or more
/// servers or with a folder of files, and the default policy.

internal import Settings

public struct FlagSettings: Sendable {
    public static var defaultListener: String { "127.0.0.1:8080" }
    /// The `Cache-Control` for `--files`, so that a first try shows the cache at work. A configuration file
    /// has no such default.
    public static var filesCacheControl: String { "public, max-age=60" }

    public var listen: [String] = []
    /// The servers of the one upstream.
    public var upstreams: [String] = []
    public var files: String?
    public var memory: String?
    public var threads: String?
    public var accessLog: String?

    public init() {}

    /// - Parameter folder: the folder at which relative paths start.
    /// - Throws: all mistakes. Each names the flag in place of a file.
    public func load(
        folder: String, files source: FileSource
    ) throws(ConfigurationError)
        -> LoadedConfiguration
    {
        var draft = Draft()
        var problems: [Problem] = []
        func value<Value>(_ format: ValueFormat<Value>, _ flag: String, _ text: String) -> Value? {
            var reader = FileReader(file: flag, folder: folder)
            let value = format.read(
                YAMLNode(content: text.isEmpty ? .nothing : .text(text), line: 1), &reader)
            for var problem in reader.problems.errors(of: flag) {
                problem.line = nil
                problems.append(problem)
            }
            return value
        }
        func report(_ flag: String, _ message: String) {
            problems.append(Problem(kind: .error, file: flag, line: nil, path: "", message: message))
        }

        draft.settings.listeners = (listen.isEmpty ? [Self.defaultListener] : listen).compactMap { text in
            value(.bind, "--listen", text).map { Settings.Listener(bind: $0) }
        }
        if let bind = Self.repeated(draft.settings.listeners.map(\.bind)), bind.port != 0 {
            report("--listen", "found '\(bind)' twice; allowed: each address once")
        }
        if let memory, let bytes = value(.size(4 << 20...512 << 30), "--memory", memory) {
            draft.settings.cache.memory = bytes
        }
        if let threads, let count = value(.threads, "--threads", threads) { draft.settings.threads = count }
        if let accessLog { setAccessLog(accessLog, &draft, value, report) }
        switch (upstreams.isEmpty, files) {
        case (false, nil):
            let addresses = upstreams.compactMap { Self.address(of: $0, value, report) }
            if let address = Self.repeated(addresses) {
                report("--upstream", "found '\(address)' twice; allowed: each server once")
            }
            if !addresses.isEmpty {
                let servers = addresses.map { Upstream.Server($0) }
                draft.settings.upstreams = [Upstream(name: "upstream", origin: .servers(servers))]
                draft.routes = [RouteDraft(upstream: "upstream")]
            }
        case (true, .some(let path)):
            if let root = value(.path, "--files", path) {
                let absolute = FileReader(file: "", folder: folder).resolve(root)
                draft.settings.upstreams = [
                    Upstream(
                        name: "files",
                        origin: .files(
                            Upstream.Files(root: absolute, cacheControl: Self.filesCacheControl)))
                ]
                draft.routes = [RouteDraft(upstream: "files")]
            }
        default:
            report(
                "larder",
                "found \(upstreams.isEmpty ? "none" : "both") of --upstream and --files; allowed: one of them"
            )
        }
        if !problems.isEmpty { throw ConfigurationError(problems: problems) }
        return try ConfigurationFile.finish(
            draft, FileReader(file: "larder", folder: folder), everyPolicy: false, files: source)
    }

    /// The first element that appears twice.
    private static func repeated<Element: Hashable>(_ elements: [Element]) -> Element? {
        var seen: Set<Element> = []
        return elements.first { !seen.insert($0).inserted }
    }

    private func setAccessLog(
        _ text: String, _ draft: inout Draft,
        _ value: (ValueFormat<Settings.Log.Access>, String, String) -> Settings.Log.Access?,
        _ report: (String, String) -> Void
    ) {
        guard let access = value(Sections.resolvedAccessLog, "--access-log", text) else { return }
        if access == .syslog {
            report("--access-log", "not built yet: the access log cannot go to syslog yet")
        }
        draft.settings.log.access = access
    }

    /// `http://host[:port]` or `host:port`.
    private static func address(
        of url: String, _ value: (ValueFormat<ServerAddress>, String, String) -> ServerAddress?,
        _ report: (String, String) -> Void
    ) -> ServerAddress? {
        if url.lowercased().hasPrefix("https://") {
            report("--upstream", "not built yet: Larder cannot speak TLS to servers yet")
            return nil
        }
        guard url.lowercased().hasPrefix("http://") else { return value(.serverAddress, "--upstream", url) }
        var authority = url.dropFirst(7)
        if authority.hasSuffix("/") { authority = authority.dropLast() }
        if authority.isEmpty || authority.contains("/") || authority.contains("?") || authority.contains("@")
        {
            report("--upstream", "found '\(url)'; allowed: http://host:port without path, query or user")
            return nil
        }
        let hasPort = authority.hasPrefix("[") ? authority.contains("]:") : authority.contains(":")
        return value(.serverAddress, "--upstream", hasPort ? String(authority) : "\(authority):80")
    }
}
