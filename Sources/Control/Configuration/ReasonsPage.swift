/// The page of all reasons (`docs/reasons.md`), which is part of the program. For each code it says what the
/// code means, what the server should send, and which line of a policy loosens the rule.

internal import CPolicies

public struct ReasonsPage: Sendable {
    public struct Entry: Sendable, Equatable {
        public let code: String
        /// The Markdown text of the section without its heading.
        public let text: String

        /// The first line of the section without `**Means:**`.
        public var summary: String {
            let line = text.split(separator: "\n").first.map(String.init) ?? ""
            return line.hasPrefix(Self.opening) ? String(line.dropFirst(Self.opening.count)) : line
        }

        private static var opening: String { "**Means:** " }
    }

    /// The entries in the order of the page.
    public let entries: [Entry]

    /// The page in this program.
    public static var shipped: ReasonsPage {
        // Safe: the function returns a string constant of the program that ends with a zero byte.
        ReasonsPage(parsing: unsafe String(cString: larder_reasons_text()))
    }

    /// Reads the sections under `### code`. Text outside these sections belongs to no entry.
    public init(parsing page: String) {
        var entries: [Entry] = []
        var code: String?
        var lines: [Substring] = []
        func end() {
            guard let code else { return }
            let text = lines.drop { $0.isEmpty }.reversed().drop { $0.isEmpty }.reversed()
            entries.append(Entry(code: code, text: text.joined(separator: "\n")))
        }
        for line in page.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("#") {
                end()
                (code, lines) = (nil, [])
                if line.hasPrefix("### ") { code = String(line.dropFirst(4)) }
            } else {
                lines.append(line)
            }
        }
        end()
        self.entries = entries
    }
}
