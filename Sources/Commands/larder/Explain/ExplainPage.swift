/// The layout of the report for people: sections, lines, columns and colours.

internal import Bytes
internal import Caching

struct ExplainPage {
    private(set) var text = ""
    private let inColour: Bool

    init(inColour: Bool) { self.inColour = inColour }

    /// The longest text of a value that comes from a message, in characters.
    private static let valueLimit = 100

    mutating func title(_ title: String, note: String) {
        text += "\(painted(Self.shown(title), "1"))   \(painted(note, "2"))\n"
    }

    mutating func section(_ title: String) { text += "\n\(painted(title, "1"))\n" }

    mutating func line(_ line: String, note: String? = nil) {
        text += "  \(Self.shown(line, limit: 400))" + (note.map { "   " + painted($0, "2") } ?? "") + "\n"
    }

    mutating func pair(_ name: String, _ value: String, note: String? = nil, width: Int = 9) {
        var line = "  \(Self.padded(name, width)) "
        if let note {
            line += Self.padded(Self.shown(value), 30) + " " + painted(Self.shown(note), "2")
        } else {
            line += Self.shown(value)
        }
        text += line + "\n"
    }

    /// `  refused  set-cookie         no Set-Cookie     RFC 9111 §7.3     Set-Cookie: id=1`
    mutating func finding(_ finding: Finding) {
        let colour =
            switch finding.verdict {
            case .satisfied: "32"
            case .refused: "1;31"
            case .atUse: "33"
            case .notApplicable: "2"
            }
        let verdict = Self.padded(finding.verdict.word, 8)
        var line = painted(verdict, colour) + Self.padded(finding.code ?? "", 19)
        line += Self.padded(finding.rule.demand, 41) + Self.padded(finding.rule.section, 20)
        line += finding.value.map { Self.shown($0, limit: Self.valueLimit) } ?? ""
        while line.last == " " { line.removeLast() }
        text += "  \(line)\n"
    }

    private func painted(_ text: String, _ colour: String) -> String {
        inColour ? "\u{1b}[\(colour)m\(text)\u{1b}[0m" : text
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }

    /// The text with control characters escaped, so that it cannot control a terminal, and cut to `limit`.
    private static func shown(_ text: String, limit: Int = 400) -> String {
        var shown = ""
        for scalar in text.unicodeScalars {
            if scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value) {
                shown += "\\x" + (scalar.value < 0x10 ? "0" : "") + String(scalar.value, radix: 16)
            } else {
                shown.unicodeScalars.append(scalar)
            }
        }
        return shown.count > limit ? shown.prefix(limit - 1) + "…" : shown
    }

    /// Milliseconds since the Unix epoch as an HTTP date.
    static func date(_ milliseconds: Int64) -> String {
        var date = ByteBuffer(capacity: HTTPDate.length)
        HTTPDate.append(milliseconds / 1000, to: &date)
        return date.span.string
    }
}
