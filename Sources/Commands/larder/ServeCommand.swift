/// `larder serve`: serves with a configuration file, or with a few flags instead.

internal import ArgumentParser
internal import Configuration
internal import Foundation
internal import Logging

struct ServeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Serve with a configuration file or with flags.",
        discussion: """
            Without -c and without flags, Larder reads larder.yaml in the current folder. With flags it uses \
            the default policy, and the defaults of the configuration file for everything else.
            """)

    @Option(
        name: [.customShort("c"), .customLong("config")],
        help: ArgumentHelp("The configuration file.", valueName: "file"))
    var file: String?

    @Option(
        help: ArgumentHelp(
            "The address to listen on, address:port or unix:/path. You can repeat this flag. "
                + "(default: \(FlagSettings.defaultListener))",
            valueName: "address"))
    var listen: [String] = []

    @Option(
        help: ArgumentHelp(
            "The origin, http://host:port. You can repeat this flag: a hash of the URL then selects the "
                + "server.", valueName: "url"))
    var upstream: [String] = []

    @Option(
        help: ArgumentHelp(
            "A folder of files to serve, instead of --upstream. Their Cache-Control is "
                + "\(FlagSettings.filesCacheControl).",
            valueName: "folder"))
    var files: String?

    @Option(help: ArgumentHelp("The memory of the store. (default: 256MiB)", valueName: "size"))
    var memory: String?

    @Option(
        help: ArgumentHelp(
            "The number of threads. (default: auto, one for each core)", valueName: "number"))
    var threads: String?

    @Option(
        help: ArgumentHelp("The access log: none, stdout or a file. (default: stdout)", valueName: "where"))
    var accessLog: String?

    func validate() throws {
        if file != nil, hasFlags {
            throw ValidationError("-c and other flags exclude each other; change the file instead.")
        }
        if !upstream.isEmpty, files != nil {
            throw ValidationError("--upstream and --files exclude each other.")
        }
        if file == nil, hasFlags, upstream.isEmpty, files == nil {
            throw ValidationError("The flags need --upstream or --files.")
        }
    }

    private var hasFlags: Bool {
        !listen.isEmpty || !upstream.isEmpty || files != nil || memory != nil || threads != nil
            || accessLog != nil
    }

    func run() throws {
        let loaded = try load()
        if let problem = loaded.userProblem(as: .error) { throw ConfigurationError(problems: [problem]) }
        LoggingSystem.bootstrap { _ in Notices() }
        let logger = Logger(label: "larder")
        for note in loaded.notes + loaded.loopProblems { Terminal.report(note) }
        let code = Serving.run(settings: loaded.settings, logger: logger)
        if code != Status.success { throw ExitCode(code) }
    }

    private func load() throws -> LoadedConfiguration {
        if let file { return try ConfigurationOptions.load(file, everyPolicy: false) }
        if hasFlags {
            var flags = FlagSettings()
            flags.listen = listen
            flags.upstreams = upstream
            flags.files = files
            flags.memory = memory
            flags.threads = threads
            flags.accessLog = accessLog
            return try flags.load(folder: ConfigurationOptions.currentFolder, files: .disk)
        }
        guard FileManager.default.fileExists(atPath: ConfigurationOptions.defaultFile) else {
            throw ValidationError(
                "There is no larder.yaml in this folder. Name a file with -c, or use --upstream URL or "
                    + "--files FOLDER.")
        }
        return try ConfigurationOptions.load(ConfigurationOptions.defaultFile, everyPolicy: false)
    }
}
