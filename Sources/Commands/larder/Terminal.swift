/// Output for people: messages on stderr, and whether stdout and stderr are terminals that show colour.

internal import Configuration
internal import Foundation
internal import SystemPackage

enum Terminal {
    /// Does stderr show colour? Not if `NO_COLOR` is set (no-color.org), and not on a dumb terminal.
    static let hasColour = takesColour(2)
    /// Does stdout show colour?
    static let outputHasColour = takesColour(1)

    private static func takesColour(_ descriptor: Int32) -> Bool {
        let environment = ProcessInfo.processInfo.environment
        return isatty(descriptor) == 1 && (environment["NO_COLOR"] ?? "").isEmpty
            && environment["TERM"] != "dumb"
    }

    static func writeError(_ text: String) {
        // If stderr is closed, there is no place to report that.
        _ = try? FileDescriptor.standardError.writeAll((text + "\n").utf8)
    }

    /// `larder.yaml:12: error: cache.memory: …`
    static func report(_ problem: Problem) {
        guard hasColour else { return writeError(problem.description) }
        let colour =
            switch problem.kind {
            case .error: "\u{1b}[1;31m"
            case .warning: "\u{1b}[1;33m"
            case .note: "\u{1b}[1;36m"
            }
        let path = problem.path.isEmpty ? "" : "\u{1b}[1m\(problem.path)\u{1b}[0m: "
        writeError("\(problem.place): \(colour)\(problem.kind.rawValue)\u{1b}[0m: \(path)\(problem.message)")
    }
}
