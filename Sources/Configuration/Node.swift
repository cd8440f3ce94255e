/// A parsed YAML document: texts, lists and maps, each with its line. The one file that knows Yams.
///
/// Scalars are their text, never YAML's booleans, numbers or nulls. Yams refuses a document with a repeated
/// key without saying where in it that is; here each earlier occurrence is renamed (its mark is known) and
/// the document parsed again, so that repeated keys are reported like all other mistakes, with path and line.

internal import Yams

struct Node {
    enum Content {
        /// `key:` with nothing behind it.
        case nothing
        case text(String)
        case list([Node])
        case entries([Entry])
    }

    struct Entry {
        var key: String
        var line: Int
        var node: Node
        /// The line where the same key comes again in the map; that occurrence counts.
        var repeatedOnLine: Int?
    }

    var content: Content
    var line: Int

    /// As a message says what was found; long texts are cut.
    var found: String {
        switch content {
        case .nothing: "nothing"
        case .text(let text): text.count <= 80 ? "'\(text)'" : "'\(text.prefix(60))…'"
        case .list(let items): items.isEmpty ? "an empty list" : "a list"
        case .entries(let entries): entries.isEmpty ? "an empty map" : "a map"
        }
    }

    /// Why a text is no YAML.
    struct SyntaxError: Error {
        var line: Int
        var message: String
    }

    private static var mark: Character { "\u{E000}" }

    /// The document's root; an empty document is `.nothing`.
    static func parse(_ text: String) throws(SyntaxError) -> Node {
        if let line = lines(of: text).firstIndex(where: { $0.contains(mark) }) {
            throw SyntaxError(line: line + 1, message: "the character U+E000 may not occur")
        }
        var text = text
        // More repeated keys than this are reported in a second run.
        for _ in 0..<64 {
            do {
                guard let root = try Yams.compose(yaml: text, Resolver.basic) else {
                    return Node(content: .nothing, line: 1)
                }
                return Node(root)
            } catch YamlError.duplicatedKeysInMapping(_, let context) {
                text = renamed(text, at: context.mark)
            } catch {
                throw SyntaxError(error)
            }
        }
        throw SyntaxError(line: 1, message: "more than 64 keys are given twice")
    }

    /// By any line break, as Yams counts lines: CRLF is one `Character`, and not the one that LF is.
    private static func lines(of text: String) -> [Substring] {
        text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
    }

    /// The text with the key at `position` renamed; line breaks become LF.
    private static func renamed(_ text: String, at position: Mark) -> String {
        var lines = lines(of: text).map(String.init)
        guard lines.indices.contains(position.line - 1) else { return text }
        var scalars = Array(lines[position.line - 1].unicodeScalars)
        var column = min(position.column - 1, scalars.count)
        if column < scalars.count, scalars[column] == "'" || scalars[column] == "\"" { column += 1 }
        scalars.insert(contentsOf: String(mark).unicodeScalars, at: column)
        var line = ""
        line.unicodeScalars.append(contentsOf: scalars)
        lines[position.line - 1] = line
        return lines.joined(separator: "\n")
    }

    init(content: Content, line: Int) {
        self.content = content
        self.line = line
    }

    private init(_ node: Yams.Node) {
        line = node.mark?.line ?? 1
        switch node {
        case .scalar(let scalar):
            content = scalar.string.isEmpty && scalar.style == .plain ? .nothing : .text(scalar.string)
        case .sequence(let sequence): content = .list(sequence.map { Node($0) })
        case .mapping(let mapping): content = .entries(Self.entries(mapping))
        case .alias: content = .nothing
        }
    }

    private static func entries(_ mapping: Yams.Node.Mapping) -> [Entry] {
        var entries: [Entry] = []
        for (key, value) in mapping {
            // A map or list as a key is no key that is known: its place in the message is enough.
            let text = key.scalar?.string ?? "?"
            entries.append(
                Entry(
                    key: String(text.drop { $0 == mark }), line: key.mark?.line ?? value.mark?.line ?? 1,
                    node: Node(value)))
        }
        for index in entries.indices {
            let later = entries[(index + 1)...].first { $0.key == entries[index].key }
            entries[index].repeatedOnLine = later?.line
        }
        return entries
    }
}

extension Node.SyntaxError {
    fileprivate init(_ error: any Error) {
        switch error {
        case YamlError.scanner(_, let problem, let mark, _), YamlError.parser(_, let problem, let mark, _),
            YamlError.composer(_, let problem, let mark, _):
            self.init(line: mark.line, message: "no valid YAML: \(problem)")
        case YamlError.reader(let problem, _, _, _): self.init(line: 1, message: "no valid YAML: \(problem)")
        default: self.init(line: 1, message: "no valid YAML: \(error)")
        }
    }
}
