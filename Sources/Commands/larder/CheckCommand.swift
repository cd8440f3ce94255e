/// `larder check`: validates the configuration, tries whether this machine can start it, and prints it.

internal import ArgumentParser
internal import Configuration
internal import Settings

struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Validate the configuration and print it with all defaults filled in.",
        discussion: """
            The output is a valid configuration file. Warnings and notes go to stderr. The command validates \
            all policies in the policy folder, used or not; `larder policy test` runs their decisions. Then \
            it tries what a start needs on this machine (ports, folders, names, the access log, memory) and \
            serves nothing. Exit codes: 2 if the configuration has errors, 1 if this machine cannot start it.
            """)

    enum SchemaName: String, ExpressibleByArgument, CaseIterable { case larder, policy }

    @Option(
        name: [.customShort("c"), .customLong("config")],
        help: ArgumentHelp("The configuration file.", valueName: "file"))
    var file = ConfigurationOptions.defaultFile

    @Flag(help: "Read the files only; do not try what a start needs on this machine.")
    var offline = false

    @Flag(help: "Print JSON that includes the problems.")
    var json = false

    @Option(
        help: ArgumentHelp("Print only this policy, with all values filled in.", valueName: "name"))
    var policy: String?

    @Option(help: "Print only the JSON Schema of the configuration file or of a policy file.")
    var schema: SchemaName?

    @Option(help: "Print only the reference of all keys, in Markdown.")
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
                let text = CheckReport.json(
                    settings: loaded.document, problems: problems, isStartable: offline ? nil : isStartable)
                print(text, terminator: "")
            } else {
                for problem in problems { Terminal.report(problem) }
                print(loaded.document.yaml, terminator: "")
            }
            if !isStartable { throw ExitCode(Status.failure) }
        } catch let error as ConfigurationError where json {
            print(CheckReport.json(settings: nil, problems: error.problems), terminator: "")
            throw ExitCode(Status.usage)
        }
    }
}
