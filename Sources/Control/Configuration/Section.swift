/// A map with known keys, declared once: `Section` reads it, writes it, and describes it to editors and
/// readers.
struct Section<Root> {
    var keys: [Key<Root>]
    /// The defaults; what the reader starts from.
    var initial: Root
    /// Runs after a map without mistakes: checks across keys, and defaults that depend on other keys.
    var finish: (inout Root, inout Reading) -> Void
    /// What the JSON Schema says of several keys together.
    var constraints: [Tree.Entry]

    init(
        _ initial: Root, _ keys: [Key<Root>], constraints: [Tree.Entry] = [],
        finish: @escaping (inout Root, inout Reading) -> Void = { _, _ in }
    ) {
        self.keys = keys
        self.initial = initial
        self.constraints = constraints
        self.finish = finish
    }

    /// Reads the map over `root`; false if there was a mistake.
    func read(_ node: Node, into root: inout Root, _ reading: inout Reading) -> Bool {
        let errorsBefore = reading.errorCount
        guard case .entries(let entries) = node.content else {
            reading.reportWrong(node, allowed: "a map with the keys \(keyList)")
            return false
        }
        for entry in entries {
            if let line = entry.repeatedOnLine {
                reading.inside(entry.key, line: entry.line) {
                    $0.report(line: line, "given twice; first on line \(entry.line)")
                }
                continue
            }
            guard let key = keys.first(where: { $0.name == entry.key }) else {
                reading.inside(entry.key, line: entry.line) { $0.report(unknown(entry.key)) }
                continue
            }
            reading.inside(entry.key, line: entry.line) { key.read(entry.node, &root, &$0) }
        }
        for key in keys where key.isRequired && !entries.contains(where: { $0.key == key.name }) {
            reading.report(line: node.line, "'\(key.name)' is missing: \(key.allowed)")
        }
        guard reading.errorCount == errorsBefore else { return false }
        finish(&root, &reading)
        return reading.errorCount == errorsBefore
    }

    private func unknown(_ key: String) -> String {
        // YAML 1.1 had it, 1.2 has not, and readers differ.
        if key == "<<" { return "merge keys are not read; repeat the keys, or alias each value" }
        return "unknown key; allowed: \(keyList)" + Suggestion.text(for: key, among: keys.map(\.name))
    }

    func write(_ root: Root) -> Tree {
        .map(keys.compactMap { key in key.write(root).map { Tree.Entry(key.name, $0) } })
    }

    var keyList: String { keys.map(\.name).joined(separator: ", ") }

    var schema: Tree {
        var entries: [Tree.Entry] = [
            .init("type", "object"),
            .init("properties", .map(keys.map { Tree.Entry($0.name, $0.schema(initial)) })),
        ]
        let required = keys.filter(\.isRequired).map(\.name)
        if !required.isEmpty { entries.append(.init("required", .texts(required))) }
        entries.append(.init("additionalProperties", .flag(false)))
        return .map(entries + constraints)
    }

    /// The keys and what is inside them, paths beginning with `.`.
    var rows: [ReferenceRow] { keys.flatMap { $0.rows(initial) } }

    /// A value of its own that such a map gives.
    func form(_ type: String = "map") -> Form<Root> {
        Form(
            type: type, allowed: "a map with the keys \(keyList)", schema: schema, rows: rows,
            read: { node, reading in
                var root = initial
                return read(node, into: &root, &reading) ? root : nil
            }, write: write)
    }
}

/// What becomes of a setting whose part of Larder is not built yet.
enum Unbuilt {
    /// Validated, without effect; what that means.
    case note(String)
    /// There is no strict way to do without it.
    case refuse(String)
}

/// One key of a section.
struct Key<Root> {
    let name: String
    let isRequired: Bool
    let allowed: String
    let read: (Node, inout Root, inout Reading) -> Void
    let write: (Root) -> Tree?
    let schema: (Root) -> Tree
    let rows: (Root) -> [ReferenceRow]

    /// - Parameters:
    ///   - get: nil: the key is not written.
    ///   - standard: the default for the reference, where what `get` gives of the section's defaults does
    ///     not say it.
    ///   - unbuilt: for values whose part of Larder is not built yet.
    ///   - caveat: what the reference says of these values.
    init<Value>(
        _ name: String, _ form: Form<Value>, _ meaning: String, isRequired: Bool = false,
        standard: String? = nil,
        unbuilt: ((Value) -> Unbuilt?)? = nil, caveat: String = "Not built yet.",
        get: @escaping (Root) -> Value?,
        set: @escaping (inout Root, Value) -> Void
    ) {
        self.init(
            name, form, meaning, isRequired: isRequired, standard: standard, unbuilt: unbuilt, caveat: caveat,
            get: get,
            read: { node, root, reading in
                let value = form.read(node, &reading)
                if let value { set(&root, value) }
                return value
            })
    }

    private init<Value>(
        _ name: String, _ form: Form<Value>, _ meaning: String, isRequired: Bool, standard: String?,
        unbuilt: ((Value) -> Unbuilt?)?, caveat: String, get: @escaping (Root) -> Value?,
        read: @escaping (Node, inout Root, inout Reading) -> Value?
    ) {
        self.name = name
        self.isRequired = isRequired
        allowed = form.allowed
        self.read = { node, root, reading in
            guard let value = read(node, &root, &reading) else { return }
            switch unbuilt?(value) {
            case .note(let text): reading.report(as: .note, "not in effect yet: \(text)")
            case .refuse(let text): reading.report("not built yet: \(text)")
            case nil: break
            }
        }
        write = { root in get(root).map(form.write) }
        let standardValue: (Root) -> Tree? = { root in isRequired ? nil : get(root).map(form.write) }
        schema = { root in
            guard case .map(var entries) = form.schema else { return form.schema }
            entries.insert(.init("description", .text(meaning)), at: 0)
            if let value = standardValue(root), standard == nil, form.rows.isEmpty {
                entries.append(.init("default", value))
            }
            return .map(entries)
        }
        rows = { root in
            var text = standard ?? ""
            if isRequired {
                text = "required"
            } else if standard == nil, form.rows.isEmpty, let value = standardValue(root) {
                text = "`\(value.inlineYAML)`"
            }
            let row = ReferenceRow(
                path: ".\(name)", type: form.type, standard: text,
                meaning: unbuilt == nil ? meaning : "\(meaning) *\(caveat)*")
            return [row]
                + form.rows.map { inner in
                    var inner = inner
                    inner.path = ".\(name)\(inner.path)"
                    return inner
                }
        }
    }

    init<Value>(
        _ name: String, _ form: Form<Value>, _ meaning: String, _ place: WritableKeyPath<Root, Value>,
        isRequired: Bool = false, standard: String? = nil, unbuilt: ((Value) -> Unbuilt?)? = nil,
        caveat: String = "Not built yet."
    ) {
        self.init(
            name, form, meaning, isRequired: isRequired, standard: standard, unbuilt: unbuilt, caveat: caveat,
            get: { $0[keyPath: place] }, set: { $0[keyPath: place] = $1 })
    }

    /// A value that may be left out.
    init<Value>(
        _ name: String, _ form: Form<Value>, _ meaning: String, optional place: WritableKeyPath<Root, Value?>,
        standard: String? = nil, unbuilt: ((Value) -> Unbuilt?)? = nil
    ) {
        self.init(
            name, form, meaning, standard: standard, unbuilt: unbuilt, get: { $0[keyPath: place] },
            set: { $0[keyPath: place] = $1 })
    }

    /// A section inside, read over what is there: keys that are left out keep their value.
    init<Inner>(
        _ name: String, _ section: Section<Inner>, _ meaning: String, _ place: WritableKeyPath<Root, Inner>
    ) {
        self.init(
            name, section.form(), meaning, isRequired: false, standard: nil, unbuilt: nil, caveat: "",
            get: { $0[keyPath: place] },
            read: { node, root, reading in
                section.read(node, into: &root[keyPath: place], &reading) ? root[keyPath: place] : nil
            })
    }
}
