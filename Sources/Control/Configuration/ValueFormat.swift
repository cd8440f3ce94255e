/// One kind of value: how to read it, write it, describe it to editors, and document it. `Sections+*.swift`
/// declares each setting once, with a format. The parser, the JSON Schema, the reference and `check` all use
/// that declaration.
struct ValueFormat<Value> {
    /// The name of the type in the reference: `size`, `list of addresses`.
    var type: String
    /// The allowed values, in the words of a message.
    var allowed: String
    /// JSON Schema (draft 7).
    var schema: Document
    /// The keys inside this value. Their paths are relative to it (`.name`, `[].name`).
    var rows: [ReferenceRow] = []
    /// The end of the message for a text that is not allowed: a guess at its meaning (`; did you mean …?`).
    var hint: (String) -> String = { _ in "" }
    /// Returns nil after it has reported a problem.
    var read: (YAMLNode, inout FileReader) -> Value?
    var write: (Value) -> Document
}

/// One key of the reference.
struct ReferenceRow {
    var path: String
    var type: String
    /// The default as YAML, or `required`, or an empty text.
    var defaultText: String
    var meaning: String
}

extension ValueFormat {
    /// A value that is one scalar.
    /// - Parameter parse: returns nil for a text that is not allowed.
    init(
        scalar type: String, allowed: String, schema: Document, parse: @escaping (String) -> Value?,
        hint: @escaping (String) -> String = { _ in "" }, write: @escaping (Value) -> Document
    ) {
        self.init(
            type: type, allowed: allowed, schema: schema, hint: hint,
            read: { node, reader in
                guard case .text(let text) = node.content else {
                    reader.reportWrong(node, allowed: allowed)
                    return nil
                }
                guard let value = parse(text) else {
                    reader.reportWrong(node, allowed: allowed, hint: hint(text))
                    return nil
                }
                return value
            }, write: write)
    }

    /// The same format with a check of the value. `check` returns an error message, or nil for a good value.
    func checked(_ check: @escaping (Value) -> String?) -> ValueFormat {
        var format = self
        format.read = { [read] node, reader in
            guard let value = read(node, &reader) else { return nil }
            guard let message = check(value) else { return value }
            reader.report(line: node.line, message)
            return nil
        }
        return format
    }

    /// The same format with a warning about suspicious values. `warning` returns the message, or nil.
    func warned(_ warning: @escaping (Value) -> String?) -> ValueFormat {
        var format = self
        format.read = { [read] node, reader in
            guard let value = read(node, &reader) else { return nil }
            if let message = warning(value) { reader.report(as: .warning, line: node.line, message) }
            return value
        }
        return format
    }

    /// The same value in another type.
    func map<Other>(
        _ from: @escaping (Value) -> Other, back: @escaping (Other) -> Value
    ) -> ValueFormat<Other> {
        ValueFormat<Other>(
            type: type, allowed: allowed, schema: schema, rows: rows, hint: hint,
            read: { [read] node, reader in read(node, &reader).map(from) },
            write: { [write] other in write(back(other)) })
    }

    /// The value, or `none`.
    var orNone: ValueFormat<Value?> {
        ValueFormat<Value?>(
            type: "\(type) or `none`", allowed: "\(allowed), or none",
            schema: .object(["anyOf": .list([schema, .object(["const": "none"])])]), rows: rows,
            read: { [self] node, reader in
                if case .text("none") = node.content { return .some(nil) }
                // Discard the report of the inner format and report again: the inner format does not know
                // `none`.
                var inner = reader
                if let value = read(node, &inner) { return .some(value) }
                var meant = ""
                if case .text(let text) = node.content {
                    meant = hint(text)
                    if meant.isEmpty { meant = Suggestion.text(for: text, among: ["none"]) }
                }
                reader.reportWrong(node, allowed: "\(allowed), or none", hint: meant)
                return nil
            },
            write: { [write] value in value.map(write) ?? "none" })
    }

    /// A list of such values.
    func list(of plural: String, atLeast minimum: Int = 0, atMost maximum: Int = 1024) -> ValueFormat<[Value]>
    {
        // The reference marks words as code; messages do not.
        let items = plural.filter { $0 != "`" }
        let allowed = minimum == 0 ? "a list of \(items)" : "a list of \(items), at least \(minimum)"
        var schema: [Document.Entry] = [.init("type", "array"), .init("items", self.schema)]
        if minimum > 0 { schema.append(.init("minItems", .number(minimum))) }
        schema.append(.init("maxItems", .number(maximum)))
        return ValueFormat<[Value]>(
            type: "list of \(plural)", allowed: allowed, schema: .map(schema),
            rows: rows.map { row in
                var row = row
                row.path = "[]" + row.path
                return row
            },
            read: { [read] node, reader in
                guard case .list(let items) = node.content, items.count >= minimum else {
                    reader.reportWrong(node, allowed: allowed)
                    return nil
                }
                guard items.count <= maximum else {
                    let bound = minimum == 0 ? ", at most \(maximum)" : " and at most \(maximum)"
                    reader.report(
                        line: node.line, "found a list of \(items.count); allowed: \(allowed)\(bound)")
                    return nil
                }
                var values: [Value] = []
                for (index, item) in items.enumerated() {
                    let value = reader.inside(item: index, line: item.line) { read(item, &$0) }
                    if let value { values.append(value) }
                }
                return values.count == items.count ? values : nil
            },
            write: { [write] values in .list(values.map(write)) })
    }
}

extension FileReader {
    /// `found …; allowed: …`.
    mutating func reportWrong(
        _ node: YAMLNode, allowed: @autoclosure () -> String, hint: @autoclosure () -> String = ""
    ) {
        report(line: node.line, "found \(node.found); allowed: \(allowed())\(hint())")
    }
}
