/// `larder serve`: runs, by a file or by a few flags.

internal import ArgumentParser
internal import Configuration
internal import Foundation
internal import Logging

struct ServeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Serve, by a configuration file or by flags.",
        discussion: """
            Without -c and without --upstream or --files, larder.yaml of the current folder is read. With \
            flags the default policy is used; everything else is as the configuration file's defaults.
            """)

    @Option(
        name: [.customShort("c"), .customLong("config")],
        help: ArgumentHelp("The configuration file.", valueName: "file"))
    var file: String?

    @Option(
        help: ArgumentHelp(
            "Where to listen: address:port or unix:/path; may be repeated. "
                + "(default: \(FlagSettings.standardListener))",
            valueName: "address"))
    var listen: [String] = []

    @Option(
        help: ArgumentHelp(
            "The origin: http://host:port; may be repeated: each URL has its server.", valueName: "url"))
    var upstream: [String] = []

    @Option(
        help: ArgumentHelp(
            "A folder of files to serve, instead of --upstream; with Cache-Control: "
                + "\(FlagSettings.filesCacheControl).",
            valueName: "folder"))
    var files: String?

    @Option(help: ArgumentHelp("Memory of the store. (default: 256MiB)", valueName: "size"))
    var memory: String?

    @Option(help: ArgumentHelp("Threads. (default: auto, the number of cores)", valueName: "number"))
    var threads: String?

    @Option(
        help: ArgumentHelp("The access log: none, stdout or a file. (default: stdout)", valueName: "where"))
    var accessLog: String?

    func validate() throws {
        if file != nil, hasFlags {
            throw ValidationError("-c and the flags exclude each other; change the file instead.")
        }
        if !upstream.isEmpty, files != nil {
            throw ValidationError("--upstream and --files exclude each other.")
        }
        if file == nil, hasFlags, upstream.isEmpty, files == nil {
            throw ValidationError("Flags need --upstream or --files.")
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
        guard FileManager.default.fileExists(atPath: ConfigurationOptions.standardFile) else {
            throw ValidationError(
                "There is no larder.yaml here. Name a file with -c, or give --upstream URL or --files FOLDER."
            )
        }
        return try ConfigurationOptions.load(ConfigurationOptions.standardFile, everyPolicy: false)
    }
}
