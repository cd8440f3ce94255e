/// The command line. Results go to stdout, messages to stderr. Exit codes: 0 success, 1 failure, 2 wrong
/// usage or configuration. ArgumentParser exits with 64 for wrong usage, so this file maps its errors to
/// these codes.

internal import ArgumentParser
internal import Configuration
internal import Foundation
internal import Kernel

@main
enum Main {
    /// Not `async`. With an async main, the main thread sleeps with no signal blocked, so the kernel delivers
    /// TERM to it, which ends the process instead of draining it.
    static func main() {
        Program.fillStandardStreams()
        // A user who sets the variable wants the crash report of Swift.
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

    /// Prints the error and exits. ArgumentParser reports help and version as errors too, with the exit code
    /// of success.
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
        subcommands: [
            ServeCommand.self, CheckCommand.self, PolicyCommand.self, ExplainCommand.self,
            ReasonsCommand.self,
        ])

    static let version = "0.1.0"

    func run() throws {
        throw ValidationError("A command is missing; `larder help` lists them.")
    }
}
