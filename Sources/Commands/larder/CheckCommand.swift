/// `larder check`: validates, and prints the effective configuration.

internal import ArgumentParser
internal import Configuration
internal import Settings

struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Validate the configuration and print it with all defaults filled in.",
        discussion: """
            The printed configuration can be used as a file. Warnings, and notes about settings that are not \
            in effect yet, go to stderr. All policies in the policy folder are validated, used or not; \
            `larder policy test` runs their decisions. Then everything that a start needs of this machine is \
            tried, and nothing served: ports, folders, names, the access log, memory. Exit codes: 2 for a \
            configuration that cannot be used, 1 for one that this machine cannot serve.
            """)

    enum SchemaName: String, ExpressibleByArgument, CaseIterable { case larder, policy }

    @Option(
        name: [.customShort("c"), .customLong("config")],
        help: ArgumentHelp("The configuration file.", valueName: "file"))
    var file = ConfigurationOptions.standardFile

    @Flag(help: "Read the files only, and try nothing of this machine.")
    var offline = false

    @Flag(help: "Print JSON, problems included.")
    var json = false

    @Option(help: ArgumentHelp("Print this policy, extended and filled in, instead.", valueName: "name"))
    var policy: String?

    @Option(help: "Print the JSON Schema of the configuration file or of a policy file instead.")
    var schema: SchemaName?

    @Option(help: "Print the reference of all keys, as Markdown, instead.")
    var reference: SchemaName?

    func run() throws {
        switch (schema, reference) {
        case (.larder, _): return print(Reference.configurationSchema.json, terminator: "")
        case (.policy, _): return print(Reference.policySchema.json, terminator: "")
        case (nil, .larder): return print(Reference.configurationTables, terminator: "")
        case (nil, .policy): return print(Reference.policyTables, terminator: "")
        case (nil, nil): break
        }
        do {
            let loaded = try ConfigurationOptions.load(file, everyPolicy: true)
            if let policy {
                let policies = loaded.policies.map(loaded.effective)
                return try PolicyCommand.ShowCommand.print(policy, of: policies, json: json)
            }
            let problems =
                loaded.notes + loaded.trustNotes
                + (offline ? [] : loaded.loopProblems + StartTrial.run(loaded))
            let isStartable = !problems.contains { $0.kind == .error }
            if json {
                let text = Report.json(
                    settings: loaded.document, problems: problems, isStartable: offline ? nil : isStartable)
                print(text, terminator: "")
            } else {
                for problem in problems { Terminal.report(problem) }
                print(loaded.document.yaml, terminator: "")
            }
            if !isStartable { throw ExitCode(Status.failure) }
        } catch let error as ConfigurationError where json {
            print(Report.json(settings: nil, problems: error.problems), terminator: "")
            throw ExitCode(Status.usage)
        }
    }
}
