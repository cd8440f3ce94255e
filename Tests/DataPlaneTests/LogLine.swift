// Reads lines of the access log.

import Kernel
import DataPlane
import DataPlaneHarness
import Settings
import Testing

/// One line of `format: json`.
struct LogLine: CustomStringConvertible {
    let description: String

    /// A member of the line: a string without its quotes, or a number; nil if absent.
    subscript(_ name: String) -> String? {
        guard let start = description.range(of: "\"\(name)\":")?.upperBound else { return nil }
        let rest = description[start...]
        guard rest.first == "\"" else { return String(rest.prefix { $0 != "," && $0 != "}" }) }
        var text = ""
        var isEscaped = false
        for character in rest.dropFirst() {
            if character == "\"", !isEscaped { break }
            isEscaped = character == "\\" && !isEscaped
            text.append(character)
        }
        return text
    }

    var reasons: [String] {
        guard let start = description.range(of: "\"reasons\":[")?.upperBound else { return [] }
        return description[start...].prefix { $0 != "]" }.split(separator: ",").map {
            $0.filter { $0 != "\"" }
        }
    }

    var bytes: Int { Int(self["bytes"] ?? "") ?? -1 }
}

extension String {
    fileprivate func range(of text: String) -> Range<String.Index>? { firstRange(of: text) }
}

/// Sets up Larder in front of `origins` with an access log, and reads the log once Larder has ended.
func linesOf(
    _ origins: ScriptedOrigin..., servers: [SocketAddress]? = nil, clock: SteeredClock? = nil,
    settings change: (inout Settings) -> Void = { _ in }, _ body: (Stage) throws -> Void
) throws -> [LogLine] {
    let paths = SocketPaths(1)
    var lines: [LogLine] = []
    let open: (inout Settings) -> Void = { settings in
        settings.log.access = .file(paths.paths[0])
        change(&settings)
    }
    let run: (Stage) throws -> Void = { stage in
        try body(stage)
        stage.server.drain()
        stage.server.join()
        lines = try BalanceTests.lines(paths.paths[0]).map { LogLine(description: String($0)) }
    }
    switch origins.count {
    case 0: try withStage(servers: servers ?? [], clock: clock, settings: open, run)
    case 1: try withStage(origins[0], servers: servers, clock: clock, settings: open, run)
    default: preconditionFailure("one origin is enough for a line")
    }
    return lines
}
