/// `larder explain`: one exchange, live or pasted, and every rule's verdict on it.

internal import ArgumentParser
internal import Bytes
internal import Configuration
internal import Foundation
internal import HTTP
internal import Settings

struct ExplainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Fetch or take an answer, and print what the cache makes of it, rule by rule.",
        discussion: """
            The request goes to the server that route and hash choose, as Larder would send it; without -c \
            straight to the URL's host. With --response nothing is fetched. In pasted heads lines may end in \
            LF alone. Any method but GET and HEAD is really sent, with all that it does there.
            """)

    @Argument(
        help: ArgumentHelp("http://host/path?query; left out where --request says it.", valueName: "url"))
    var url: String?

    @Option(
        name: [.customShort("H"), .customLong("header")],
        help: ArgumentHelp("A field of the request; may be repeated.", valueName: "Name: value"))
    var headers: [String] = []

    @Option(
        name: [.customShort("X"), .customLong("method")],
        help: ArgumentHelp("The method. (default: GET)", valueName: "method"))
    var method: String?

    @Option(
        name: [.customShort("c"), .customLong("config")],
        help: ArgumentHelp("The configuration file.", valueName: "file"))
    var file: String?

    @Option(help: ArgumentHelp("The policy, without a configuration file. (default: pessimistic)"))
    var policy: String?

    @Option(help: ArgumentHelp("A pasted request head; - for stdin.", valueName: "file"))
    var request: String?

    @Option(help: ArgumentHelp("A pasted response, its body or without; - for stdin.", valueName: "file"))
    var response: String?

    @Option(help: ArgumentHelp("The clock: seconds since 1970, or an HTTP date. (default: now)"))
    var at: String?

    @Option(help: ArgumentHelp("How long the fetch may take in all.", valueName: "duration"))
    var timeout = "10s"

    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        if file != nil, policy != nil {
            throw ValidationError("-c and --policy exclude each other: the route names its policy.")
        }
        if request == nil, url == nil { throw ValidationError("Give a URL, or a request by --request.") }
        if request != nil, url != nil || method != nil || !headers.isEmpty {
            throw ValidationError("--request is the whole request: no URL, -X or -H beside it.")
        }
        if request == "-", response == "-" { throw ValidationError("Only one of the two can be stdin.") }
        if let at, ExplainClock.parse(at) == nil {
            throw ValidationError(
                "--at: found '\(at)'; allowed: seconds since 1970, or a date like "
                    + "'Thu, 01 Jan 2026 00:00:00 GMT'.")
        }
        guard let milliseconds = Milliseconds.parse(timeout), milliseconds > 0, milliseconds <= 3_600_000
        else {
            throw ValidationError("--timeout: found '\(timeout)'; allowed: 1ms to 1h.")
        }
    }

    func run() throws {
        do {
            let report = try explain()
            print(
                json ? report.document.json : report.text(inColour: Terminal.outputHasColour), terminator: "")
            guard let failure = report.failure else { return }
            Terminal.writeError("larder explain: \(failure.description)")
            throw ExitCode(Status.failure)
        } catch let refusal as ExplainRefusal {
            Terminal.writeError("larder explain: \(refusal.description)")
            throw ExitCode(Status.usage)
        }
    }

    private func explain() throws -> ExplainReport {
        let clock = ExplainClock(at: at.flatMap(ExplainClock.parse))
        let input = try ExplainInput(
            url: url, method: method, headers: headers, request: request, response: response)
        let loaded = try load(for: input)
        for note in loaded.notes { Terminal.report(note) }
        return try Explainer(
            settings: loaded.settings, clock: clock,
            timeoutMilliseconds: UInt64(Milliseconds.parse(timeout) ?? 10_000)
        ).explain(input)
    }

    /// Whom to ask without a configuration: the URL's host.
    private static func server(for input: borrowing ExplainInput) throws -> String {
        let text = input.authority
        // A Host that is none is the parser's to refuse.
        guard let authority = HTTP.Authority(Array(text.utf8).span) else { return "localhost" }
        let host = String(decoding: Array(text.utf8)[authority.host], as: UTF8.self)
        let server = "\(host):\(authority.port ?? 80)"
        if ServerAddress(parsing: server) != nil { return authority.port == nil ? host : server }
        guard input.response == nil else { return "localhost" }
        throw ExplainRefusal(
            "found '\(text)', which is no host that can be connected to; name its server in a file with -c, "
                + "or paste its answer with --response.")
    }

    /// The configuration, or one made of the URL's host and a policy.
    private func load(for input: borrowing ExplainInput) throws -> LoadedConfiguration {
        if let file { return try ConfigurationOptions.load(file, everyPolicy: false) }
        var flags = FlagSettings()
        flags.upstreams = [try "http://\(Self.server(for: input))"]
        let folder = ConfigurationOptions.currentFolder
        var loaded = try flags.load(folder: folder, files: .disk)
        // Nobody asked for the notes on a configuration that nobody wrote.
        loaded.notes = []
        guard let policy else { return loaded }
        let name = loaded.settings.cache.policyFolder ?? Settings.Cache.standardPolicyFolder
        let policies = try ConfigurationFile.policies(
            inFolder: name.hasPrefix("/") ? name : "\(folder)/\(name)", shownFolder: name, files: .disk)
        guard let found = policies.first(where: { $0.policy.name == policy }) else {
            let names = policies.map(\.policy.name).joined(separator: ", ")
            throw ExplainRefusal("there is no policy '\(policy)'; there are: \(names).")
        }
        loaded.settings.policies = [loaded.effective(found).policy]
        for index in loaded.settings.routes.indices { loaded.settings.routes[index].policy = 0 }
        return loaded
    }
}
