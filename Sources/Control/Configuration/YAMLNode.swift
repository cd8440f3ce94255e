/// A parsed YAML document: texts, lists and maps, each with its line.
///
/// A scalar is always a text, never a boolean, number or null of YAML. A key that appears twice stays in its
/// map twice: `Section` reports it with path and line, as it reports all other mistakes.

struct YAMLNode {
    enum Content {
        /// `key:` without a value.
        case nothing
        case text(String)
        case list([YAMLNode])
        case entries([Entry])
    }

    struct Entry {
        var key: String
        var line: Int
        var node: YAMLNode
        /// The line of the next entry with the same key, if there is one.
        var repeatedOnLine: Int?
    }

    var content: Content
    var line: Int

    /// The content in the words of a message. A long text is cut.
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
