/// How one kind of value is read, written, described to editors and documented. Settings are declared with
/// forms once (`Sections+*.swift`), and parser, JSON Schema, reference and `check` all follow from that
/// declaration.
struct Form<Value> {
    /// As the reference names it: `size`, `list of addresses`.
    var type: String
    /// What a message says is allowed.
    var allowed: String
    /// JSON Schema (draft 7).
    var schema: Tree
    /// The keys inside, their paths relative to this value (`.name`, `[].name`).
    var rows: [ReferenceRow] = []
    /// What was probably meant by a text that is not allowed, for the end of the message (`; did you mean
    /// …?`).
    var hint: (String) -> String = { _ in "" }
    /// nil: a problem was reported.
    var read: (Node, inout Reading) -> Value?
    var write: (Value) -> Tree
}

/// One key of the reference.
struct ReferenceRow {
    var path: String
    var type: String
    /// The default, as YAML; `required`; or nothing.
    var standard: String
    var meaning: String
}

extension Form {
    /// A value written as one scalar.
    /// - Parameter parse: nil for what is not allowed.
    init(
        scalar type: String, allowed: String, schema: Tree, parse: @escaping (String) -> Value?,
        hint: @escaping (String) -> String = { _ in "" }, write: @escaping (Value) -> Tree
    ) {
        self.init(
            type: type, allowed: allowed, schema: schema, hint: hint,
            read: { node, reading in
                guard case .text(let text) = node.content else {
                    reading.reportWrong(node, allowed: allowed)
                    return nil
                }
                guard let value = parse(text) else {
                    reading.reportWrong(node, allowed: allowed, hint: hint(text))
                    return nil
                }
                return value
            }, write: write)
    }

    /// The same form with a check of the value; its answer is the message, nil for none.
    func checked(_ check: @escaping (Value) -> String?) -> Form {
        var form = self
        form.read = { [read] node, reading in
            guard let value = read(node, &reading) else { return nil }
            guard let message = check(value) else { return value }
            reading.report(line: node.line, message)
            return nil
        }
        return form
    }

    /// The same form, which says what a value probably does not mean; nil for nothing.
    func warned(_ warning: @escaping (Value) -> String?) -> Form {
        var form = self
        form.read = { [read] node, reading in
            guard let value = read(node, &reading) else { return nil }
            if let message = warning(value) { reading.report(as: .warning, line: node.line, message) }
            return value
        }
        return form
    }

    /// The same value in another type.
    func map<Other>(_ from: @escaping (Value) -> Other, back: @escaping (Other) -> Value) -> Form<Other> {
        Form<Other>(
            type: type, allowed: allowed, schema: schema, rows: rows, hint: hint,
            read: { [read] node, reading in read(node, &reading).map(from) },
            write: { [write] other in write(back(other)) })
    }

    /// The value, or `none`.
    var orNone: Form<Value?> {
        Form<Value?>(
            type: "\(type) or `none`", allowed: "\(allowed), or none",
            schema: .object(["anyOf": .list([schema, .object(["const": "none"])])]), rows: rows,
            read: { [self] node, reading in
                if case .text("none") = node.content { return .some(nil) }
                // The message says `none` too: the value's own form does not know of it.
                var inner = reading
                if let value = read(node, &inner) { return .some(value) }
                var meant = ""
                if case .text(let text) = node.content {
                    meant = hint(text)
                    if meant.isEmpty { meant = Suggestion.text(for: text, among: ["none"]) }
                }
                reading.reportWrong(node, allowed: "\(allowed), or none", hint: meant)
                return nil
            },
            write: { [write] value in value.map(write) ?? "none" })
    }

    /// A list of such values.
    func list(of plural: String, atLeast minimum: Int = 0, atMost maximum: Int = 1024) -> Form<[Value]> {
        // The reference shows words as code, messages do not.
        let items = plural.filter { $0 != "`" }
        let allowed = minimum == 0 ? "a list of \(items)" : "a list of \(items), at least \(minimum)"
        var schema: [Tree.Entry] = [.init("type", "array"), .init("items", self.schema)]
        if minimum > 0 { schema.append(.init("minItems", .number(minimum))) }
        schema.append(.init("maxItems", .number(maximum)))
        return Form<[Value]>(
            type: "list of \(plural)", allowed: allowed, schema: .map(schema),
            rows: rows.map { row in
                var row = row
                row.path = "[]" + row.path
                return row
            },
            read: { [read] node, reading in
                guard case .list(let items) = node.content, items.count >= minimum else {
                    reading.reportWrong(node, allowed: allowed)
                    return nil
                }
                guard items.count <= maximum else {
                    let bound = minimum == 0 ? ", at most \(maximum)" : " and at most \(maximum)"
                    reading.report(
                        line: node.line, "found a list of \(items.count); allowed: \(allowed)\(bound)")
                    return nil
                }
                var values: [Value] = []
                for (index, item) in items.enumerated() {
                    let value = reading.inside(item: index, line: item.line) { read(item, &$0) }
                    if let value { values.append(value) }
                }
                return values.count == items.count ? values : nil
            },
            write: { [write] values in .list(values.map(write)) })
    }
}

extension Reading {
    /// `found …; allowed: …`.
    mutating func reportWrong(
        _ node: Node, allowed: @autoclosure () -> String, hint: @autoclosure () -> String = ""
    ) {
        report(line: node.line, "found \(node.found); allowed: \(allowed())\(hint())")
    }
}
