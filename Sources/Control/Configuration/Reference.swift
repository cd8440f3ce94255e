/// The documents that are generated from the declarations of the keys: the tables of `docs/configuration.md`
/// for people, and the JSON Schemas for editors. Tests compare the committed files with them.

internal import Settings

public enum Reference {
    /// JSON Schema (draft 7) of the configuration file.
    public static var configurationSchema: Document { schema(Sections.file.schema, "larder.yaml") }

    /// JSON Schema (draft 7) of a policy file.
    public static var policySchema: Document {
        schema(
            Sections.policy(from: Policy(name: PolicyFolder.defaultPolicy)).schema,
            "A cache policy of Larder")
    }

    private static func schema(_ schema: Document, _ title: String) -> Document {
        guard case .map(let entries) = schema else { preconditionFailure("a section's schema is an object") }
        return .map(
            [
                .init("$schema", "http://json-schema.org/draft-07/schema#"), .init("title", .text(title)),
            ] + entries)
    }

    /// The tables of all keys of the configuration file, in Markdown.
    public static var configurationTables: String { tables(Sections.file.rows) }

    /// The tables of all keys of a policy file, in Markdown.
    public static var policyTables: String {
        tables(Sections.policy(from: Policy(name: PolicyFolder.defaultPolicy)).rows)
    }

    /// One table for each top-level key that has keys inside, and one table for all other top-level keys.
    private static func tables(_ rows: [ReferenceRow]) -> String {
        var tops: [(row: ReferenceRow, inner: [ReferenceRow])] = []
        for row in rows {
            if row.path.dropFirst().contains(where: { $0 == "." || $0 == "[" }) {
                tops[tops.count - 1].inner.append(row)
            } else {
                tops.append((row, []))
            }
        }
        var out = ""
        for (row, inner) in tops where !inner.isEmpty {
            out += "### `\(row.path.dropFirst())`\n\n\(row.meaning)"
            if row.defaultText == "required" { out += " Required." }
            out += "\n\n" + table(inner) + "\n"
        }
        let plain = tops.filter(\.inner.isEmpty).map(\.row)
        if !plain.isEmpty { out += "### Single keys\n\n" + table(plain) + "\n" }
        return String(out.dropLast())
    }

    private static func table(_ rows: [ReferenceRow]) -> String {
        var out = "| key | type | default | meaning |\n|---|---|---|---|\n"
        for row in rows {
            let cells = ["`\(row.path.dropFirst())`", row.type, row.defaultText, row.meaning]
            out +=
                "| "
                + cells.map { $0.split(separator: "|").joined(separator: "\\|") }.joined(separator: " | ")
                + " |\n"
        }
        return out
    }
}
