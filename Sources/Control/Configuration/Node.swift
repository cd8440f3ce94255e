/// A parsed YAML document: texts, lists and maps, each with its line.
///
/// Scalars are their text, never YAML's booleans, numbers or nulls. A key that is given twice stays in its
/// map twice, so that it is reported like all other mistakes, with path and line.

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
        case .text(let text): "'\(text.shortened)'"
        case .list(let items): items.isEmpty ? "an empty list" : "a list"
        case .entries(let entries): entries.isEmpty ? "an empty map" : "a map"
        }
    }

    init(content: Content, line: Int) {
        self.content = content
        self.line = line
    }
}
