/// `larder policy`: the policies that a configuration can name.

internal import ArgumentParser
internal import Configuration
internal import Settings

struct PolicyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "policy", abstract: "List, show and test cache policies.",
        subcommands: [ListCommand.self, ShowCommand.self, TestCommand.self])

    struct Source: ParsableArguments {
        @Option(
            name: [.customShort("c"), .customLong("config")],
            help: ArgumentHelp(
                "The configuration file that names the policy folder. (default: larder.yaml; without such a "
                    + "file, the folder cache-policies)",
                valueName: "file"))
        var file: String?
    }

    struct ListCommand: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List the policies: name, file, description.")

        @OptionGroup var source: Source

        @Flag(help: "Print JSON.")
        var json = false

        func run() throws {
            let policies = try ConfigurationOptions.policies(source.file)
            if json { return print(Self.document(policies).json, terminator: "") }
            let width = policies.map(\.policy.name.count).max() ?? 0
            let fileWidth = policies.map { Self.origin($0).count }.max() ?? 0
            for policy in policies {
                let name = Self.padded(policy.policy.name, width)
                let origin = Self.padded(Self.origin(policy), fileWidth)
                let line = "\(name)  \(origin)  \(policy.policy.description)"
                print(String(line.reversed().drop { $0 == " " }.reversed()))
            }
        }

        private static func origin(_ policy: LoadedPolicy) -> String {
            policy.isShipped ? "shipped" : policy.file
        }

        private static func padded(_ text: String, _ width: Int) -> String {
            text + String(repeating: " ", count: max(0, width - text.count))
        }

        private static func document(_ policies: [LoadedPolicy]) -> Document {
            .list(
                policies.map { policy in
                    .map([
                        .init("name", .text(policy.policy.name)), .init("shipped", .flag(policy.isShipped)),
                        .init("file", .text(policy.file)),
                        .init("description", .text(policy.policy.description)),
                        .init("decisions", .number(policy.decisions.count)),
                    ])
                })
        }
    }

    struct ShowCommand: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show", abstract: "Print a policy with all values filled in.")

        @OptionGroup var source: Source

        @Argument(help: "The name of the policy.")
        var name: String

        @Flag(help: "Leave the decisions out.")
        var settings = false

        @Flag(help: "Print JSON.")
        var json = false

        func run() throws {
            let policies = try ConfigurationOptions.policies(source.file)
            try Self.print(name, of: policies, json: json, settings: settings)
        }

        static func print(
            _ name: String, of policies: [LoadedPolicy], json: Bool, settings: Bool = false
        ) throws {
            guard var policy = policies.first(where: { $0.policy.name == name }) else {
                let names = policies.map(\.policy.name).joined(separator: ", ")
                throw ValidationError("There is no policy '\(name)'; the policies are \(names).")
            }
            if settings { policy.decisions = [] }
            Swift.print(json ? policy.document.json : policy.document.yaml, terminator: "")
        }
    }
}
