/// What people read: stderr, and answers that are not for scripts, in colour where it is a terminal.

internal import Configuration
internal import Foundation
internal import SystemPackage

enum Terminal {
    /// `NO_COLOR` set, or a dumb terminal: no colour (no-color.org).
    static let hasColour = takesColour(2)
    /// As above, for stdout.
    static let outputHasColour = takesColour(1)

    private static func takesColour(_ descriptor: Int32) -> Bool {
        let environment = ProcessInfo.processInfo.environment
        return isatty(descriptor) == 1 && (environment["NO_COLOR"] ?? "").isEmpty
            && environment["TERM"] != "dumb"
    }

    static func writeError(_ text: String) {
        // Nobody is left to be told where stderr is gone.
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
