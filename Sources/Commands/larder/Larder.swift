/// The command line. Answers go to stdout, diagnostics to stderr. Exit codes: 0; 1: failure; 2: usage or
/// configuration. ArgumentParser would say 64 for wrong usage, so its errors are turned into codes here.

internal import ArgumentParser
internal import Configuration
internal import Foundation
internal import Kernel

@main
enum Main {
    /// Not `async`: the main thread of an async main only sleeps, with no signal blocked, and whatever is
    /// blocked later elsewhere is delivered to it: TERM would end the process instead of draining.
    static func main() {
        Program.fillStandardStreams()
        // Whoever sets the variable wants Swift's own report.
        if ProcessInfo.processInfo.environment["SWIFT_BACKTRACE"] == nil {
            Program.endAtCrash(named: "larder \(Larder.version)")
        }
        let arguments = Program.arguments
        if let refusal = Usage.refusal(of: arguments) {
            Terminal.writeError("Error: \(refusal)")
            Foundation.exit(Status.usage)
        }
        do {
            var command = try Larder.parseAsRoot(arguments)
            try command.run()
        } catch let error as ConfigurationError {
            for problem in error.problems { Terminal.report(problem) }
            Foundation.exit(Status.usage)
        } catch let error as ExitCode {
            Foundation.exit(error.rawValue)
        } catch {
            leave(error, arguments)
        }
    }

    /// Help and version are answers too; of errors ArgumentParser knows whether they are usage.
    private static func leave(_ error: any Error, _ arguments: [String]) -> Never {
        let text = Larder.fullMessage(for: error)
        switch Larder.exitCode(for: error) {
        case .success:
            if !text.isEmpty { print(text) }
            Foundation.exit(Status.success)
        case .validationFailure:
            Terminal.writeError(text)
            let hint = Usage.hint(for: arguments)
            if text.contains("nexpected argument"), !hint.isEmpty { Terminal.writeError("  \(hint)") }
            Foundation.exit(Status.usage)
        default:
            Terminal.writeError(text)
            Foundation.exit(Status.failure)
        }
    }
}

enum Status {
    static let success: Int32 = 0
    static let failure: Int32 = 1
    static let usage: Int32 = 2
}

struct Larder: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "larder",
        abstract: "A caching reverse proxy that is never wrong about what it stores.",
        version: "larder \(version)",
        subcommands: [ServeCommand.self, CheckCommand.self, PolicyCommand.self, ExplainCommand.self,
            ReasonsCommand.self,
        ])

    static let version = "0.1.0"

    func run() throws {
        throw ValidationError("A command is missing; `larder help` lists them.")
    }
}
