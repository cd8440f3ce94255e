/// A document that Larder writes as JSON or YAML: the output of `check`, or a JSON Schema. Maps keep their
/// order.
public indirect enum Document: Sendable, Equatable {
    case text(String)
    case number(Int)
    case flag(Bool)
    case list([Document])
    case map([Entry])

    public struct Entry: Sendable, Equatable {
        public var key: String
        public var value: Document
        public init(_ key: String, _ value: Document) {
            self.key = key
            self.value = value
        }
    }

    static func object(_ pairs: KeyValuePairs<String, Document>) -> Document {
        .map(pairs.map { Entry($0.key, $0.value) })
    }

    static func texts(_ texts: some Sequence<String>) -> Document { .list(texts.map { .text($0) }) }
}

extension Document: ExpressibleByStringLiteral {
    public init(stringLiteral value: String) { self = .text(value) }
}

// MARK: JSON

extension Document {
    /// Indented JSON with a newline at its end. A list of scalars and an empty map are on one line.
    public var json: String {
        var out = ""
        writeJSON(into: &out, indent: "")
        return out + "\n"
    }

    private func writeJSON(into out: inout String, indent: String) {
        switch self {
        case .text(let text): out += Self.quoted(text)
        case .number(let number): out += String(number)
        case .flag(let flag): out += flag ? "true" : "false"
        case .list(let items) where items.allSatisfy(\.isScalar):
            out += "["
            for (index, item) in items.enumerated() {
                if index > 0 { out += ", " }
                item.writeJSON(into: &out, indent: indent)
            }
            out += "]"
        case .list(let items):
            out += "["
            for (index, item) in items.enumerated() {
                out += (index > 0 ? ",\n" : "\n") + indent + "  "
                item.writeJSON(into: &out, indent: indent + "  ")
            }
            out += "\n" + indent + "]"
        case .map(let entries):
            out += "{"
            for (index, entry) in entries.enumerated() {
                out += (index > 0 ? ",\n" : "\n") + indent + "  " + Self.quoted(entry.key) + ": "
                entry.value.writeJSON(into: &out, indent: indent + "  ")
            }
            out += entries.isEmpty ? "}" : "\n" + indent + "}"
        }
    }

    var isScalar: Bool {
        switch self {
        case .text, .number, .flag: true
        case .list, .map: false
        }
    }

    /// A double-quoted string that is valid in JSON and in YAML.
    static func quoted(_ text: String) -> String {
        var out = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case "\t": out += "\\t"
            case "\r": out += "\\r"
            default:
                if scalar.value < 0x20 || scalar.value == 0x7f {
                    let hex = String(scalar.value, radix: 16)
                    out += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
                } else {
                    out.unicodeScalars.append(scalar)
                }
            }
        }
        return out + "\""
    }
}

// MARK: YAML

extension Document {
    /// Block YAML. A list of scalars is written `[a, b]`. A text that another parser could read as a number
    /// or a boolean is quoted.
    public var yaml: String {
        var out = ""
        writeBlock(into: &out, indent: "")
        return out
    }

    /// YAML on one line, for the documentation.
    var inlineYAML: String {
        switch self {
        case .text(let text): Self.scalarYAML(text)
        case .number(let number): String(number)
        case .flag(let flag): flag ? "true" : "false"
        case .list(let items): "[" + items.map(\.inlineYAML).joined(separator: ", ") + "]"
        case .map(let entries) where entries.isEmpty: "{}"
        case .map(let entries):
            "{ "
                + entries.map { Self.scalarYAML($0.key) + ": " + $0.value.inlineYAML }.joined(separator: ", ")
                + " }"
        }
    }

    private func writeBlock(into out: inout String, indent: String) {
        switch self {
        case .map(let entries) where !entries.isEmpty:
            for entry in entries {
                out += indent + Self.scalarYAML(entry.key) + ":"
                entry.value.writeValue(into: &out, indent: indent)
            }
        case .list(let items) where !items.allSatisfy(\.isScalar):
            for item in items {
                // Write the item as a block, and replace the indent of its first line by the dash.
                var block = ""
                item.writeBlock(into: &block, indent: indent + "  ")
                out += indent + "- " + block.dropFirst(indent.count + 2)
            }
        default: out += indent + inlineYAML + "\n"
        }
    }

    private func writeValue(into out: inout String, indent: String) {
        switch self {
        case .map(let entries) where !entries.isEmpty:
            out += "\n"
            writeBlock(into: &out, indent: indent + "  ")
        case .list(let items) where !items.allSatisfy(\.isScalar):
            out += "\n"
            writeBlock(into: &out, indent: indent + "  ")
        default: out += " " + inlineYAML + "\n"
        }
    }

    static func scalarYAML(_ text: String) -> String {
        if isPlain(text) { return text }
        if text.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7f }) {
            return quoted(text)
        }
        return "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''")
            + "'"
    }

    /// Does a parser read the text without quotes as the same text, in block style and in flow style?
    private static func isPlain(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        guard let first = bytes.first, isWord(first) || first == 0x2f || first == 0x2e else { return false }
        for (index, byte) in bytes.enumerated() where !isWord(byte) {
            switch byte {
            case UInt8(ascii: "/"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "%"),
                UInt8(ascii: "+"),
                UInt8(ascii: "*"):
                break
            case UInt8(ascii: ":"):
                guard index + 1 < bytes.count, isWord(bytes[index + 1]) || bytes[index + 1] == 0x2f else {
                    return false
                }
            default: return false
            }
        }
        let words = ["true", "false", "yes", "no", "on", "off", "y", "n", "null"]
        return !words.contains(text.lowercased()) && !isNumberLike(bytes)
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        (byte | 0x20) &- 0x61 < 26 || byte &- 0x30 < 10 || byte == UInt8(ascii: "_")
    }

    /// Could a parser of YAML 1.1 or 1.2 read the text as a number? Hexadecimal and sexagesimal numbers
    /// count.
    private static func isNumberLike(_ bytes: [UInt8]) -> Bool {
        guard let first = bytes.first, first &- 0x30 < 10 || first == UInt8(ascii: ".") else { return false }
        if first == 0x30, bytes.count > 1, "xXoO".utf8.contains(bytes[1]) { return true }
        return bytes.count { $0 == UInt8(ascii: ".") } <= 1
            && bytes.allSatisfy { $0 &- 0x30 < 10 || "+-._:eE".utf8.contains($0) }
    }
}
