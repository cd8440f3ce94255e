/// The page of all reasons (`docs/reasons.md`), from the binary itself: what a code means, what the server
/// should send, and which line of a policy loosens the rule.

internal import CPolicies

public struct ReasonsPage: Sendable {
    public struct Entry: Sendable, Equatable {
        public let code: String
        /// Paragraphs as they stand, without the heading.
        public let text: String

        /// The first sentence of what the code means.
        public var summary: String {
            let line = text.split(separator: "\n").first.map(String.init) ?? ""
            return line.hasPrefix(Self.opening) ? String(line.dropFirst(Self.opening.count)) : line
        }

        private static var opening: String { "**Means:** " }
    }

    /// In the order of the page.
    public let entries: [Entry]

    /// The page that this program was built with.
    public static var shipped: ReasonsPage {
        // Safe: a string of the program's own data that ends in a zero byte.
        ReasonsPage(parsing: unsafe String(cString: larder_reasons_text()))
    }

    /// Reads sections under `### code`; what stands elsewhere belongs to none.
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
