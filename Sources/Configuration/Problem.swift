/// What is wrong with, or worth knowing about, a configuration.
public struct Problem: Sendable, Equatable, CustomStringConvertible {
    public enum Kind: String, Sendable {
        /// The configuration cannot be used.
        case error
        /// It can be used, and probably does not do what was meant.
        case warning
        /// A setting that is not in effect yet.
        case note
    }

    public var kind: Kind
    /// As it was named to Larder.
    public var file: String
    /// From 1; nil where no file has it (flags, defaults).
    public var line: Int?
    /// `upstreams.assets.servers[0].weight`; empty for the file as a whole.
    public var path: String
    public var message: String

    public init(kind: Kind, file: String, line: Int?, path: String, message: String) {
        self.kind = kind
        self.file = file
        self.line = line
        self.path = path
        self.message = message
    }

    /// `larder.yaml:12`
    public var place: String { line.map { "\(file):\($0)" } ?? file }

    /// `larder.yaml:12: error: cache.memory: found …`
    public var description: String {
        "\(place): \(kind.rawValue): " + (path.isEmpty ? message : "\(path): \(message)")
    }
}

/// A configuration that cannot be used; at least one of the problems is an error.
public struct ConfigurationError: Error, Equatable, CustomStringConvertible {
    public var problems: [Problem]

    public init(problems: [Problem]) { self.problems = problems }

    public var description: String { problems.map(\.description).joined(separator: "\n") }
}
