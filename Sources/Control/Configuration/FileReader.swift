/// The state while Larder reads one file: the present position, and the problems found so far. Larder
/// continues after a mistake, so that one run reports several.
struct FileReader {
    let file: String
    /// The folder at which the relative paths in the file start. Empty: they stay relative.
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

    /// The path of a key of the present map.
    func path(of key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

    /// Runs `body` with the position at a key.
    mutating func inside<T>(_ key: String, line: Int, _ body: (inout FileReader) -> T) -> T {
        inside(path: path(of: key.shortened), line, body)
    }

    /// Runs `body` with the position at an item of a list.
    mutating func inside<T>(item index: Int, line: Int, _ body: (inout FileReader) -> T) -> T {
        inside(path: "\(path)[\(index)]", line, body)
    }

    private mutating func inside<T>(path inner: String, _ line: Int, _ body: (inout FileReader) -> T) -> T {
        let outer = (path, self.line)
        path = inner
        self.line = line
        lines[path] = line
        let result = body(&self)
        (path, self.line) = outer
        return result
    }

    /// Reports a problem at the present position.
    mutating func report(
        as kind: Problem.Kind = .error, line: Int? = nil, _ message: @autoclosure () -> String
    ) {
        guard problems.hasRoom(for: kind) else { return problems.count(kind) }
        problems.add(
            Problem(kind: kind, file: file, line: line ?? self.line, path: path, message: message()))
    }

    /// Reports a problem at `path`. Its line is the line of `path`, or of the nearest enclosing path that the
    /// file has.
    mutating func report(
        as kind: Problem.Kind = .error, at path: String, _ message: @autoclosure () -> String
    ) {
        guard problems.hasRoom(for: kind) else { return problems.count(kind) }
        problems.add(problem(as: kind, at: path, message()))
    }

    /// Reports that the file is not valid YAML.
    mutating func report(_ error: YAMLNode.SyntaxError) {
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

    /// `path`, which may be relative to the folder of the file, as an absolute path.
    func resolve(_ path: String) -> String {
        if path.hasPrefix("/") || folder.isEmpty { return path }
        var rest = path[...]
        while rest.hasPrefix("./") { rest = rest.dropFirst(2) }
        if rest == "." || rest.isEmpty { return folder }
        return folder.hasSuffix("/") ? folder + rest : "\(folder)/\(rest)"
    }
}

enum Suggestion {
    /// `; did you mean 'x'?` for the candidate that is most similar to `word`, or an empty text if none is
    /// similar.
    static func text(for word: String, among candidates: some Sequence<String>) -> String {
        // All candidates are short, so a long word is similar to none.
        guard word.utf8.count <= 128 else { return "" }
        let lowered = word.lowercased()
        var best: (word: String, distance: Int)?
        for candidate in candidates {
            let other = candidate.lowercased()
            // A shortened or lengthened word: `public` for `public-only`, `sorted` for `sort`.
            let isPart =
                min(word.count, other.count) >= 3 && (other.hasPrefix(lowered) || lowered.hasPrefix(other))
            let letters = distance(Array(lowered.unicodeScalars), Array(other.unicodeScalars))
            let distance = isPart ? min(letters, 1) : letters
            if distance < best?.distance ?? .max { best = (candidate, distance) }
        }
        // At most a third of the letters may be wrong, or one letter of a short word.
        guard let best, best.distance <= max(1, min(word.count, best.word.count) / 3) else { return "" }
        return "; did you mean '\(best.word)'?"
    }

    /// The smallest number of insertions, deletions, replacements and swaps of neighbours that turn `a` into
    /// `b`.
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
