/// `larder explain`: prints the verdict of every rule on one exchange, which is fetched or pasted.

internal import ArgumentParser
internal import Bytes
internal import Configuration
internal import Foundation
internal import HTTP
internal import Settings

struct ExplainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Explain rule by rule whether the cache answers a request and stores its response.",
        discussion: """
            With -c the request goes to the server that route and hash choose. Without -c it goes to the \
            host of the URL. Larder sends the request as it sends a client's request, so a POST has its \
            effect on the server. With --response nothing is sent. Lines of a pasted head may end with LF \
            alone.
            """)

    @Argument(
        help: ArgumentHelp("The URL, http://host/path?query. Not with --request.", valueName: "url"))
    var url: String?

    @Option(
        name: [.customShort("H"), .customLong("header")],
        help: ArgumentHelp(
            "A field of the request. You can repeat this option.", valueName: "Name: value"))
    var headers: [String] = []

    @Option(
        name: [.customShort("X"), .customLong("method")],
        help: ArgumentHelp("The method. (default: GET)", valueName: "method"))
    var method: String?

    @Option(
        name: [.customShort("c"), .customLong("config")],
        help: ArgumentHelp("The configuration file.", valueName: "file"))
    var file: String?

    @Option(help: ArgumentHelp("The policy, if there is no -c. (default: pessimistic)"))
    var policy: String?

    @Option(help: ArgumentHelp("A file with a pasted request head; - is stdin.", valueName: "file"))
    var request: String?

    @Option(
        help: ArgumentHelp(
            "A file with a pasted response, with or without its body; - is stdin.", valueName: "file"))
    var response: String?

    @Option(help: ArgumentHelp("The present time: seconds since 1970, or an HTTP date. (default: now)"))
    var at: String?

    @Option(help: ArgumentHelp("The longest time of the whole fetch.", valueName: "duration"))
    var timeout = "10s"

    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        if file != nil, policy != nil {
            throw ValidationError("-c and --policy exclude each other: the route names its policy.")
        }
        if request == nil, url == nil {
            throw ValidationError("The URL is missing; give a URL, or a request with --request.")
        }
        if request != nil, url != nil || method != nil || !headers.isEmpty {
            throw ValidationError("--request contains the whole request; do not add a URL, -X or -H.")
        }
        if request == "-", response == "-" {
            throw ValidationError("--request and --response cannot both be stdin.")
        }
        if let at, ExplainClock.parse(at) == nil {
            throw ValidationError(
                "--at: found '\(at)'; allowed: seconds since 1970, or a date such as "
                    + "'Thu, 01 Jan 2026 00:00:00 GMT'.")
        }
        guard let milliseconds = Milliseconds.parse(timeout), milliseconds > 0, milliseconds <= 3_600_000
        else {
            throw ValidationError("--timeout: found '\(timeout)'; allowed: a duration from 1ms to 1h.")
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

    /// The server to ask if there is no configuration: the host of the URL.
    private static func server(for input: borrowing ExplainInput) throws -> String {
        let text = input.authority
        // The parser refuses an invalid Host later.
        guard let authority = HTTP.Authority(Array(text.utf8).span) else { return "localhost" }
        let host = String(decoding: Array(text.utf8)[authority.host], as: UTF8.self)
        let server = "\(host):\(authority.port ?? 80)"
        if ServerAddress(parsing: server) != nil { return authority.port == nil ? host : server }
        guard input.response == nil else { return "localhost" }
        throw ExplainRefusal(
            "found '\(text)', which is not a host that Larder can connect to; name the server in a "
                + "configuration file (-c), or paste the response with --response.")
    }

    /// The configuration of `-c`, or a configuration made of the host of the URL and a policy.
    private func load(for input: borrowing ExplainInput) throws -> LoadedConfiguration {
        if let file { return try ConfigurationOptions.load(file, everyPolicy: false) }
        var flags = FlagSettings()
        flags.upstreams = [try "http://\(Self.server(for: input))"]
        let folder = ConfigurationOptions.currentFolder
        var loaded = try flags.load(folder: folder, files: .disk)
        // The user wrote no configuration, so notes about it are of no use.
        loaded.notes = []
        guard let policy else { return loaded }
        let name = loaded.settings.cache.policyFolder ?? Settings.Cache.defaultPolicyFolder
        let policies = try ConfigurationFile.policies(
            inFolder: name.hasPrefix("/") ? name : "\(folder)/\(name)", shownFolder: name, files: .disk)
        guard let found = policies.first(where: { $0.policy.name == policy }) else {
            let names = policies.map(\.policy.name).joined(separator: ", ")
            throw ExplainRefusal("there is no policy '\(policy)'; the policies are \(names).")
        }
        loaded.settings.policies = [loaded.effective(found).policy]
        for index in loaded.settings.routes.indices { loaded.settings.routes[index].policy = 0 }
        return loaded
    }
}
