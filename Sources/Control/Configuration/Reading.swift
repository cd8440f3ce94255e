/// The state of reading one file: where the reader is, and all it found. Reading goes on after a mistake, so
/// that several are reported at once.
struct Reading {
    let file: String
    /// What relative paths in the file are relative to; empty: left as they are.
    let folder: String
    private(set) var path = ""
    private(set) var line = 1
    private(set) var problems = ProblemList()
    /// The line of each path that the file gives.
    private(set) var lines: [String: Int] = [:]

    init(file: String, folder: String) {
        self.file = file
        self.folder = folder
    }

    var errorCount: Int { problems.errorCount }

    func isGiven(_ path: String) -> Bool { lines[path] != nil }

    /// The path of a key of the map being read.
    func path(of key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

    /// Reads something inside a key.
    mutating func inside<T>(_ key: String, line: Int, _ body: (inout Reading) -> T) -> T {
        inside(path: path(of: key.shortened), line, body)
    }

    /// Reads something inside a list.
    mutating func inside<T>(item index: Int, line: Int, _ body: (inout Reading) -> T) -> T {
        inside(path: "\(path)[\(index)]", line, body)
    }

    private mutating func inside<T>(path inner: String, _ line: Int, _ body: (inout Reading) -> T) -> T {
        let outer = (path, self.line)
        path = inner
        self.line = line
        lines[path] = line
        let result = body(&self)
        (path, self.line) = outer
        return result
    }

    /// A problem with what is being read.
    mutating func report(
        as kind: Problem.Kind = .error, line: Int? = nil, _ message: @autoclosure () -> String
    ) {
        guard problems.hasRoom(for: kind) else { return problems.count(kind) }
        problems.add(
            Problem(kind: kind, file: file, line: line ?? self.line, path: path, message: message()))
    }

    /// A problem found afterwards with what `path` gives, on its line or that of the nearest path around it.
    mutating func report(
        as kind: Problem.Kind = .error, at path: String, _ message: @autoclosure () -> String
    ) {
        guard problems.hasRoom(for: kind) else { return problems.count(kind) }
        problems.add(problem(as: kind, at: path, message()))
    }

    /// The file as a whole is none.
    mutating func report(_ error: Node.SyntaxError) {
        problems.add(
            Problem(kind: .error, file: file, line: error.line, path: "", message: error.message))
    }

    func problem(as kind: Problem.Kind, at path: String, _ message: String) -> Problem {
        var nearest = path[...]
        while lines[String(nearest)] == nil, let end = nearest.lastIndex(where: { $0 == "." || $0 == "[" }) {
            nearest = nearest[..<end]
        }
        let line = lines[String(nearest)]
        return Problem(kind: kind, file: file, line: line, path: path, message: message)
    }

    /// `path` as seen from the configuration file's folder.
    func resolve(_ path: String) -> String {
        if path.hasPrefix("/") || folder.isEmpty { return path }
        var rest = path[...]
        while rest.hasPrefix("./") { rest = rest.dropFirst(2) }
        if rest == "." || rest.isEmpty { return folder }
        return folder.hasSuffix("/") ? folder + rest : "\(folder)/\(rest)"
    }
}

enum Suggestion {
    /// `; did you mean 'x'?` for the nearest of the candidates, or nothing where none is near.
    static func text(for word: String, among candidates: some Sequence<String>) -> String {
        // Names are short; what is long is none of them.
        guard word.utf8.count <= 128 else { return "" }
        let lowered = word.lowercased()
        var best: (word: String, distance: Int)?
        for candidate in candidates {
            let other = candidate.lowercased()
            // A word cut short or drawn out: `public` for `public-only`, `sorted` for `sort`.
            let isPart =
                min(word.count, other.count) >= 3 && (other.hasPrefix(lowered) || lowered.hasPrefix(other))
            let letters = distance(Array(lowered.unicodeScalars), Array(other.unicodeScalars))
            let distance = isPart ? min(letters, 1) : letters
            if distance < best?.distance ?? .max { best = (candidate, distance) }
        }
        // A third of the letters may be wrong; of short words, one.
        guard let best, best.distance <= max(1, min(word.count, best.word.count) / 3) else { return "" }
        return "; did you mean '\(best.word)'?"
    }

    /// The number of insertions, deletions, replacements and swaps of neighbours between two words.
    static func distance(_ a: [Unicode.Scalar], _ b: [Unicode.Scalar]) -> Int {
        var beforeLast: [Int] = []
        var last = Array(0...b.count)
        for i in a.indices {
            var row = [i + 1]
            for j in b.indices {
                var best = min(last[j + 1] + 1, row[j] + 1, last[j] + (a[i] == b[j] ? 0 : 1))
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
                    best = min(best, beforeLast[j - 1] + 1)
                }
                row.append(best)
            }
            beforeLast = last
            last = row
        }
        return last[b.count]
    }
}
