/// One message about a configuration: an error, a warning or a note.
public struct Problem: Sendable, Equatable, CustomStringConvertible {
    public enum Kind: String, Sendable {
        /// The configuration cannot be used.
        case error
        /// The configuration can be used, but probably does not do what its author wants.
        case warning
        /// Something to know: for example, a setting is not in effect yet, or has a lower value in effect.
        case note
    }

    public var kind: Kind
    /// The file's name as the user gave it to Larder.
    public var file: String
    /// The first line is 1. nil: the problem is in no line of a file (flags, defaults).
    public var line: Int?
    /// The path of the key, `upstreams.assets.servers[0].weight`. Empty: the file as a whole.
    public var path: String
    public var message: String

    public init(kind: Kind, file: String, line: Int?, path: String, message: String) {
        self.kind = kind
        self.file = file
        self.line = line
        self.path = path.withoutControls
        self.message = message.withoutControls
    }

    /// `larder.yaml:12`
    public var place: String { line.map { "\(file):\($0)" } ?? file }

    /// `larder.yaml:12: error: cache.memory: found …`
    public var description: String {
        "\(place): \(kind.rawValue): " + (path.isEmpty ? message : "\(path): \(message)")
    }
}

/// The configuration cannot be used. At least one of the problems is an error.
public struct ConfigurationError: Error, Equatable, CustomStringConvertible {
    public var problems: [Problem]

    public init(problems: [Problem]) { self.problems = problems }

    public var description: String { problems.map(\.description).joined(separator: "\n") }
}

/// Problems in the order of their discovery. Beyond a limit the list only counts them, so that a file with a
/// hundred thousand mistakes costs little.
struct ProblemList {
    private static var mostErrors: Int { 50 }
    private static var mostNotes: Int { 200 }

    private var shown: [Problem] = []
    private(set) var errorCount = 0
    private var noteCount = 0

    /// Does the list keep one more problem of this kind, or only count it?
    func hasRoom(for kind: Problem.Kind) -> Bool {
        kind == .error ? errorCount < Self.mostErrors : noteCount < Self.mostNotes
    }

    mutating func add(_ problem: Problem) {
        if hasRoom(for: problem.kind) { shown.append(problem) }
        count(problem.kind)
    }

    /// Counts a problem.
    mutating func count(_ kind: Problem.Kind) {
        if kind == .error { errorCount += 1 } else { noteCount += 1 }
    }

    mutating func add(_ list: ProblemList) {
        let (errors, notes) = (errorCount + list.errorCount, noteCount + list.noteCount)
        for problem in list.shown { add(problem) }
        (errorCount, noteCount) = (errors, notes)
    }

    /// The errors that the list keeps. If there were more, a last entry says how many.
    func errors(of file: String) -> [Problem] { list(file, errorCount, "error") { $0.kind == .error } }

    /// The warnings and notes, in the same way.
    func notes(of file: String) -> [Problem] {
        list(file, noteCount, "warning or note") { $0.kind != .error }
    }

    private func list(
        _ file: String, _ count: Int, _ noun: String, _ belongs: (Problem) -> Bool
    ) -> [Problem] {
        var problems = shown.filter(belongs)
        let more = count - problems.count
        guard more > 0, let kind = problems.last?.kind else { return problems }
        let nouns = more == 1 ? noun : noun == "error" ? "errors" : "warnings and notes"
        problems.append(
            Problem(kind: kind, file: file, line: nil, path: "", message: "and \(more) more \(nouns)"))
        return problems
    }
}

extension String {
    /// The text with its control characters escaped, so that they cannot control a terminal.
    var withoutControls: String {
        guard unicodeScalars.contains(where: Self.isControl) else { return self }
        var out = ""
        for scalar in unicodeScalars {
            if Self.isControl(scalar) {
                out += "\\u{\(String(scalar.value, radix: 16))}"
            } else {
                out.unicodeScalars.append(scalar)
            }
        }
        return out
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value)
            || (0x202a...0x202e).contains(scalar.value) || (0x2066...0x2069).contains(scalar.value)
    }

    /// The text for a message: a long text is cut.
    var shortened: String {
        // The number of bytes is known; the characters of a long text are expensive to count.
        let isShort = utf8.count <= 80 || (utf8.count <= 320 && count <= 80)
        return isShort ? self : "\(prefix(60))…"
    }
}
