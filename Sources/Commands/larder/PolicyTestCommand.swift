/// `larder policy test`: runs decision tables through the rules that serve traffic. Exit codes: 0 if every
/// row passed, 1 if a row failed, 2 if a file or a row cannot be read.

internal import ArgumentParser
internal import Caching
internal import Configuration
internal import Settings

extension PolicyCommand {
    struct TestCommand: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "test", abstract: "Run the decision tables of policies.",
            discussion: """
                Without files, the command runs the tables of the policy folder. If that folder has no \
                files, it runs the tables of the shipped policies. If a file extends a policy, Larder \
                searches for that policy in the folder of the file, then among the shipped policies.
                """)

        @OptionGroup var source: Source

        @Argument(help: ArgumentHelp("The policy files to test.", valueName: "file"))
        var files: [String] = []

        @Flag(help: "Print JSON.")
        var json = false

        func validate() throws {
            if source.file != nil, !files.isEmpty {
                throw ValidationError("-c and policy files exclude each other.")
            }
        }

        func run() throws {
            let results: [PolicyResult]
            do {
                results = try PolicyResult.all(of: policies())
            } catch let error as ConfigurationError where json {
                print(CheckReport.json(settings: nil, problems: error.problems), terminator: "")
                throw ExitCode(Status.usage)
            }
            if json {
                print(PolicyResult.document(results).json, terminator: "")
            } else {
                for result in results { print(result.text, terminator: "") }
            }
            if results.contains(where: { !$0.failures.isEmpty }) { throw ExitCode(Status.failure) }
        }

        private func policies() throws -> [LoadedPolicy] {
            if files.isEmpty {
                let all = try ConfigurationOptions.policies(source.file)
                let own = all.filter { !$0.isShipped }
                return own.isEmpty ? all : own
            }
            var policies: [LoadedPolicy] = []
            var problems: [Problem] = []
            for file in files {
                do throws(ConfigurationError) {
                    policies.append(
                        try ConfigurationFile.policy(
                            path: file, folder: ConfigurationOptions.folder(of: file), files: .disk))
                } catch {
                    // Several files may extend the same policy: report its mistakes once.
                    problems += error.problems.filter { !problems.contains($0) }
                }
            }
            guard problems.isEmpty else { throw ConfigurationError(problems: problems) }
            return policies
        }
    }
}

/// The result of a policy's decision table.
private struct PolicyResult {
    struct Failure {
        var line: Int
        var name: String
        var differences: [PolicyDecision.Difference]
    }

    var policy: LoadedPolicy
    var failures: [Failure] = []

    var passed: Int { policy.decisions.count - failures.count }

    /// - Throws: the rows that are not valid exchanges.
    static func all(of policies: [LoadedPolicy]) throws(ConfigurationError) -> [PolicyResult] {
        var results: [PolicyResult] = []
        var problems: [Problem] = []
        for policy in policies {
            var result = PolicyResult(policy: policy)
            for (index, decision) in policy.decisions.enumerated() {
                let line = policy.decisionLines[index]
                do throws(Decision.Invalid) {
                    let outcome = try Decision.evaluate(decision, policy: policy.policy)
                    let differences = decision.differences(from: outcome)
                    if !differences.isEmpty {
                        result.failures.append(
                            Failure(line: line, name: decision.name, differences: differences))
                    }
                } catch {
                    problems.append(
                        Problem(
                            kind: .error, file: policy.file, line: line, path: "decisions[\(index)]",
                            message: error.description))
                }
            }
            results.append(result)
        }
        guard problems.isEmpty else { throw ConfigurationError(problems: problems) }
        return results
    }

    /// One line for the policy. Then, for each failed row, its place, its name and the differences.
    var text: String {
        let count = policy.decisions.count
        let rows = count == 0 ? "no decisions" : "\(passed) of \(count) decisions passed"
        var text = "\(policy.policy.name) (\(policy.file)): \(rows)\n"
        for failure in failures {
            text += "  \(policy.file):\(failure.line): \(failure.name)\n"
            for difference in failure.differences { text += "    \(difference)\n" }
        }
        return text
    }

    static func document(_ results: [PolicyResult]) -> Document {
        .map([
            .init("passed", .flag(results.allSatisfy(\.failures.isEmpty))),
            .init("policies", .list(results.map(\.document))),
        ])
    }

    private var document: Document {
        .map([
            .init("name", .text(policy.policy.name)), .init("file", .text(policy.file)),
            .init("decisions", .number(policy.decisions.count)), .init("passed", .number(passed)),
            .init("failures", .list(failures.map(\.document))),
        ])
    }
}

extension PolicyResult.Failure {
    fileprivate var document: Document {
        .map([
            .init("line", .number(line)), .init("name", .text(name)),
            .init(
                "differences",
                .list(
                    differences.map { difference in
                        var entries: [Document.Entry] = [
                            .init("what", .text(difference.what)),
                            .init("expected", .text(difference.expected)),
                        ]
                        if let found = difference.found { entries.append(.init("found", .text(found))) }
                        return .map(entries)
                    })),
        ])
    }
}
