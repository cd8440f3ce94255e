/// What is wrong with, or worth knowing about, a configuration.
public struct Problem: Sendable, Equatable, CustomStringConvertible {
    public enum Kind: String, Sendable {
        /// The configuration cannot be used.
        case error
        /// It can be used, and probably does not do what was meant.
        case warning
        /// A setting that is not in effect yet, or is in effect with another value.
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

/// A configuration that cannot be used; at least one of the problems is an error.
public struct ConfigurationError: Error, Equatable, CustomStringConvertible {
    public var problems: [Problem]

    public init(problems: [Problem]) { self.problems = problems }

    public var description: String { problems.map(\.description).joined(separator: "\n") }
}

/// Problems in the order that they were found. Beyond a bound they are only counted: a file with a hundred
/// thousand mistakes is told from its first ones.
struct ProblemList {
    private static var mostErrors: Int { 50 }
    private static var mostNotes: Int { 200 }

    private var shown: [Problem] = []
    private(set) var errorCount = 0
    private var noteCount = 0

    /// Would one more problem of this kind be shown?
    func hasRoom(for kind: Problem.Kind) -> Bool {
        kind == .error ? errorCount < Self.mostErrors : noteCount < Self.mostNotes
    }

    mutating func add(_ problem: Problem) {
        if hasRoom(for: problem.kind) { shown.append(problem) }
        count(problem.kind)
    }

    /// Counts a problem for which there is no room.
    mutating func count(_ kind: Problem.Kind) {
        if kind == .error { errorCount += 1 } else { noteCount += 1 }
    }

    mutating func add(_ list: ProblemList) {
        let (errors, notes) = (errorCount + list.errorCount, noteCount + list.noteCount)
        for problem in list.shown { add(problem) }
        (errorCount, noteCount) = (errors, notes)
    }

    /// The errors; then, where they are not all, one that says how many more there are.
    func errors(of file: String) -> [Problem] { list(file, errorCount, "error") { $0.kind == .error } }

    /// The warnings and notes, likewise.
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
    /// With control characters written out: a terminal that shows the text obeys none of them.
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

    /// As a message shows it: long texts are cut.
    var shortened: String {
        // Counting the characters of a long text costs more than its bytes.
        let isShort = utf8.count <= 80 || (utf8.count <= 320 && count <= 80)
        return isShort ? self : "\(prefix(60))…"
    }
}
