/// A map with known keys. One declaration of the keys lets `Section` read the map, write it, describe it to
/// editors (JSON Schema) and document it (reference).
struct Section<Root> {
    var keys: [Key<Root>]
    /// The value before the first key is read: the defaults.
    var initial: Root
    /// Runs after a map without mistakes. It checks keys against each other, and sets defaults that depend on
    /// other keys.
    var finish: (inout Root, inout FileReader) -> Void
    /// The entries of the JSON Schema that concern several keys together.
    var constraints: [Document.Entry]

    init(
        _ initial: Root, _ keys: [Key<Root>], constraints: [Document.Entry] = [],
        finish: @escaping (inout Root, inout FileReader) -> Void = { _, _ in }
    ) {
        self.keys = keys
        self.initial = initial
        self.constraints = constraints
        self.finish = finish
    }

    /// Reads the map into `root`: a key that is missing keeps its value. Returns false after a mistake.
    func read(_ node: YAMLNode, into root: inout Root, _ reader: inout FileReader) -> Bool {
        let errorsBefore = reader.errorCount
        guard case .entries(let entries) = node.content else {
            reader.reportWrong(node, allowed: "a map with the keys \(keyList)")
            return false
        }
        for entry in entries {
            if let line = entry.repeatedOnLine {
                reader.inside(entry.key, line: entry.line) {
                    $0.report(line: line, "the key appears twice; first on line \(entry.line)")
                }
                continue
            }
            guard let key = keys.first(where: { $0.name == entry.key }) else {
                reader.inside(entry.key, line: entry.line) { $0.report(unknown(entry.key)) }
                continue
            }
            reader.inside(entry.key, line: entry.line) { key.read(entry.node, &root, &$0) }
        }
        for key in keys where key.isRequired && !entries.contains(where: { $0.key == key.name }) {
            reader.report(line: node.line, "the key '\(key.name)' is missing; allowed: \(key.allowed)")
        }
        guard reader.errorCount == errorsBefore else { return false }
        finish(&root, &reader)
        return reader.errorCount == errorsBefore
    }

    private func unknown(_ key: String) -> String {
        // YAML 1.1 has merge keys, YAML 1.2 does not, and parsers differ.
        if key == "<<" {
            return "Larder does not read merge keys; repeat the keys, or use an alias for each value"
        }
        return "unknown key; allowed: \(keyList)" + Suggestion.text(for: key, among: keys.map(\.name))
    }

    func write(_ root: Root) -> Document {
        .map(keys.compactMap { key in key.write(root).map { Document.Entry(key.name, $0) } })
    }

    var keyList: String { keys.map(\.name).joined(separator: ", ") }

    var schema: Document {
        var entries: [Document.Entry] = [
            .init("type", "object"),
            .init("properties", .map(keys.map { Document.Entry($0.name, $0.schema(initial)) })),
        ]
        let required = keys.filter(\.isRequired).map(\.name)
        if !required.isEmpty { entries.append(.init("required", .texts(required))) }
        entries.append(.init("additionalProperties", .flag(false)))
        return .map(entries + constraints)
    }

    /// The keys and the keys inside them. The paths begin with `.`.
    var rows: [ReferenceRow] { keys.flatMap { $0.rows(initial) } }

    /// The format of a value that is written as this map.
    func format(_ type: String = "map") -> ValueFormat<Root> {
        ValueFormat(
            type: type, allowed: "a map with the keys \(keyList)", schema: schema, rows: rows,
            read: { node, reader in
                var root = initial
                return read(node, into: &root, &reader) ? root : nil
            }, write: write)
    }
}

/// How Larder treats a setting whose part of Larder is not built yet.
enum Unbuilt {
    /// Larder checks the setting and then ignores it, which is safe. The text says what that means.
    case note(String)
    /// Larder refuses the setting, because ignoring it is not safe. The text says what Larder cannot do.
    case refuse(String)
}

/// One key of a section.
struct Key<Root> {
    let name: String
    let isRequired: Bool
    let allowed: String
    let read: (YAMLNode, inout Root, inout FileReader) -> Void
    let write: (Root) -> Document?
    let schema: (Root) -> Document
    let rows: (Root) -> [ReferenceRow]

    /// - Parameters:
    ///   - get: returns the value to write, or nil to leave the key out.
    ///   - defaultText: the default in the reference. Without it the reference shows the value that `get`
    ///     returns for the section's defaults.
    ///   - unbuilt: returns non-nil for a value whose part of Larder is not built yet.
    ///   - caveat: the sentence of the reference about such values.
    init<Value>(
        _ name: String, _ format: ValueFormat<Value>, _ meaning: String, isRequired: Bool = false,
        defaultText: String? = nil,
        unbuilt: ((Value) -> Unbuilt?)? = nil, caveat: String = "Not built yet.",
        get: @escaping (Root) -> Value?,
        set: @escaping (inout Root, Value) -> Void
    ) {
        self.init(
            name, format, meaning, isRequired: isRequired, defaultText: defaultText, unbuilt: unbuilt,
            caveat: caveat,
            get: get,
            read: { node, root, reader in
                let value = format.read(node, &reader)
                if let value { set(&root, value) }
                return value
            })
    }

    private init<Value>(
        _ name: String, _ format: ValueFormat<Value>, _ meaning: String, isRequired: Bool,
        defaultText: String?,
        unbuilt: ((Value) -> Unbuilt?)?, caveat: String, get: @escaping (Root) -> Value?,
        read: @escaping (YAMLNode, inout Root, inout FileReader) -> Value?
    ) {
        self.name = name
        self.isRequired = isRequired
        allowed = format.allowed
        self.read = { node, root, reader in
            guard let value = read(node, &root, &reader) else { return }
            switch unbuilt?(value) {
            case .note(let text): reader.report(as: .note, "not in effect yet: \(text)")
            case .refuse(let text): reader.report("not built yet: \(text)")
            case nil: break
            }
        }
        write = { root in get(root).map(format.write) }
        let defaultValue: (Root) -> Document? = { root in isRequired ? nil : get(root).map(format.write) }
        schema = { root in
            guard case .map(var entries) = format.schema else { return format.schema }
            entries.insert(.init("description", .text(meaning)), at: 0)
            if let value = defaultValue(root), defaultText == nil, format.rows.isEmpty {
                entries.append(.init("default", value))
            }
            return .map(entries)
        }
        rows = { root in
            var text = defaultText ?? ""
            if isRequired {
                text = "required"
            } else if defaultText == nil, format.rows.isEmpty, let value = defaultValue(root) {
                text = "`\(value.inlineYAML)`"
            }
            let row = ReferenceRow(
                path: ".\(name)", type: format.type, defaultText: text,
                meaning: unbuilt == nil ? meaning : "\(meaning) *\(caveat)*")
            return [row]
                + format.rows.map { inner in
                    var inner = inner
                    inner.path = ".\(name)\(inner.path)"
                    return inner
                }
        }
    }

    init<Value>(
        _ name: String, _ format: ValueFormat<Value>, _ meaning: String,
        _ place: WritableKeyPath<Root, Value>,
        isRequired: Bool = false, defaultText: String? = nil, unbuilt: ((Value) -> Unbuilt?)? = nil,
        caveat: String = "Not built yet."
    ) {
        self.init(
            name, format, meaning, isRequired: isRequired, defaultText: defaultText, unbuilt: unbuilt,
            caveat: caveat,
            get: { $0[keyPath: place] }, set: { $0[keyPath: place] = $1 })
    }

    /// An optional key.
    init<Value>(
        _ name: String, _ format: ValueFormat<Value>, _ meaning: String,
        optional place: WritableKeyPath<Root, Value?>,
        defaultText: String? = nil, unbuilt: ((Value) -> Unbuilt?)? = nil
    ) {
        self.init(
            name, format, meaning, defaultText: defaultText, unbuilt: unbuilt, get: { $0[keyPath: place] },
            set: { $0[keyPath: place] = $1 })
    }

    /// A section inside this one. Its keys are read into the present value: a key that is missing keeps its
    /// value.
    init<Inner>(
        _ name: String, _ section: Section<Inner>, _ meaning: String, _ place: WritableKeyPath<Root, Inner>
    ) {
        self.init(
            name, section.format(), meaning, isRequired: false, defaultText: nil, unbuilt: nil, caveat: "",
            get: { $0[keyPath: place] },
            read: { node, root, reader in
                section.read(node, into: &root[keyPath: place], &reader) ? root[keyPath: place] : nil
            })
    }
}
