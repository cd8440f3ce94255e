/// Turns YAML into `YAMLNode`. Only this file uses libyaml, the parser inside Yams.
///
/// The nodes are made from libyaml's events, so that the limits hold before a tree exists. Nine lists that
/// each contain ten aliases of the list before are 400 bytes of text and a billion values. `Limit` has all
/// limits; a real configuration is far below each of them. The cost is linear in the size of the file.

internal import CYaml

extension YAMLNode {
    enum Limit {
        static var bytes: Int { 1 << 20 }
        /// The number of texts, lists and maps, keys included.
        static var values: Int { 100_000 }
        /// The number of values that all aliases together stand for.
        static var aliasedValues: Int { 10_000 }
        /// The depth of lists and maps inside each other.
        static var depth: Int { 32 }
        /// The number of lines that begin with `%`. libyaml compares each `%TAG` with all before it, so their
        /// cost is quadratic.
        static var directives: Int { 16 }
    }

    /// The bytes are not YAML, or exceed a limit. The first line is 1; nil: the mistake has no line.
    struct SyntaxError: Error, Equatable {
        var line: Int?
        var message: String
    }

    static var tooDeep: String {
        "found lists and maps inside each other, deeper than Larder reads; allowed: \(Limit.depth)"
    }

    /// The root of the one document in the file. An empty document is `.nothing`.
    static func parse(_ bytes: [UInt8]) throws(SyntaxError) -> YAMLNode {
        let text = try SourceText(bytes)
        var composer = Composer(text)
        return try composer.document()
    }
}

/// Makes nodes from events and checks the limits.
private struct Composer: ~Copyable {
    private struct Anchor {
        var node: YAMLNode
        /// The number of values in it, itself included.
        var values: Int
    }

    private let events: YAMLEvents
    private var anchors: [String: Anchor] = [:]
    /// The number of values so far. An alias counts as the values that it stands for.
    private var values = 0
    private var aliasedValues = 0

    init(_ text: SourceText) { events = YAMLEvents(text) }

    mutating func document() throws(YAMLNode.SyntaxError) -> YAMLNode {
        // The first event is the start of the stream.
        _ = try events.next()
        guard case .documentStart = try events.next().kind else {
            return YAMLNode(content: .nothing, line: 1)
        }
        let root = try node(events.next(), depth: 0)
        // The next event is the end of the document.
        _ = try events.next()
        let end = try events.next()
        guard case .streamEnd = end.kind else {
            throw YAMLNode.SyntaxError(
                line: end.line, message: "found a second document ('---'); allowed: one document a file")
        }
        return root
    }

    private mutating func node(
        _ event: YAMLEvents.Event, depth: Int
    ) throws(YAMLNode.SyntaxError) -> YAMLNode {
        try checkTag(event)
        let before = values
        values += 1
        guard values <= YAMLNode.Limit.values else {
            throw YAMLNode.SyntaxError(
                line: event.line,
                message: "found more values than Larder reads; allowed: \(YAMLNode.Limit.values)")
        }
        guard depth <= YAMLNode.Limit.depth else {
            throw YAMLNode.SyntaxError(line: event.line, message: YAMLNode.tooDeep)
        }
        var node = YAMLNode(content: .nothing, line: event.line)
        switch event.kind {
        case .alias(let name): return try aliased(name, event.line)
        case .scalar(let text, let isPlain):
            node.content = text.isEmpty && isPlain ? .nothing : .text(text)
        case .listStart: node.content = .list(try list(depth))
        case .mapStart: node.content = .entries(try entries(depth))
        case .listEnd, .mapEnd, .documentStart, .documentEnd, .streamStart, .streamEnd:
            preconditionFailure("libyaml sends an end only for the list, map or document that is open")
        }
        if let name = event.anchor { anchors[name] = Anchor(node: node, values: values - before) }
        return node
    }

    private mutating func list(_ depth: Int) throws(YAMLNode.SyntaxError) -> [YAMLNode] {
        var items: [YAMLNode] = []
        while true {
            let event = try events.next()
            if case .listEnd = event.kind { return items }
            items.append(try node(event, depth: depth + 1))
        }
    }

    private mutating func entries(_ depth: Int) throws(YAMLNode.SyntaxError) -> [YAMLNode.Entry] {
        var entries: [YAMLNode.Entry] = []
        var last: [String: Int] = [:]
        while true {
            let event = try events.next()
            if case .mapEnd = event.kind { return entries }
            let key: String
            switch try node(event, depth: depth + 1).content {
            case .text(let text): key = text
            case .nothing: key = ""
            case .list, .entries:
                throw YAMLNode.SyntaxError(
                    line: event.line, message: "found a list or a map as a key; allowed: a text")
            }
            let value = try node(events.next(), depth: depth + 1)
            if let earlier = last.updateValue(entries.count, forKey: key) {
                entries[earlier].repeatedOnLine = event.line
            }
            entries.append(YAMLNode.Entry(key: key, line: event.line, node: value))
        }
    }

    private mutating func aliased(_ name: String, _ line: Int) throws(YAMLNode.SyntaxError) -> YAMLNode {
        guard let anchor = anchors[name] else {
            throw YAMLNode.SyntaxError(
                line: line,
                message:
                    "found '*\(name.prefix(60))', an alias without an anchor '&\(name.prefix(60))' before "
                    + "it; a text that begins with '*' needs quotes")
        }
        aliasedValues += anchor.values
        values += anchor.values - 1
        guard aliasedValues <= YAMLNode.Limit.aliasedValues else {
            throw YAMLNode.SyntaxError(
                line: line,
                message: "found aliases that stand for more values than Larder reads; allowed: "
                    + "\(YAMLNode.Limit.aliasedValues) in all")
        }
        return anchor.node
    }

    /// Accepts a tag that fits its value, because it changes nothing: values are texts. Refuses any other
    /// tag: Larder would have to ignore it, and the value would not mean what its author wrote.
    private func checkTag(_ event: YAMLEvents.Event) throws(YAMLNode.SyntaxError) {
        guard let tag = event.tag, tag != "!" else { return }
        let prefix = "tag:yaml.org,2002:"
        let names: [String] =
            switch event.kind {
            case .scalar: ["str", "int", "float", "bool", "null"]
            case .listStart: ["seq"]
            case .mapStart: ["map"]
            default: []
            }
        if tag.hasPrefix(prefix), names.contains(String(tag.dropFirst(prefix.count))) { return }
        let shown = tag.hasPrefix(prefix) ? "!!" + tag.dropFirst(prefix.count) : tag[...]
        throw YAMLNode.SyntaxError(
            line: event.line, message: "found the tag '\(shown.prefix(60))'; allowed: values without tags")
    }
}

/// The events of libyaml, one at a time. Their texts are copies.
///
/// `init` allocates `parser` and `input`, only this value uses them, and `deinit` frees them.
@safe private struct YAMLEvents: ~Copyable {
    enum Kind {
        case streamStart, streamEnd, documentStart, documentEnd, listStart, listEnd, mapStart, mapEnd
        case alias(String)
        case scalar(String, isPlain: Bool)
    }

    struct Event {
        var kind: Kind
        var anchor: String?
        var tag: String?
        /// The first line is 1.
        var line: Int
    }

    private let text: SourceText
    private let parser: UnsafeMutablePointer<yaml_parser_t>
    /// The bytes to parse. libyaml keeps a pointer to them.
    private let input: UnsafeMutableBufferPointer<UInt8>

    init(_ text: SourceText) {
        self.text = text
        unsafe parser = .allocate(capacity: 1)
        unsafe parser.initialize(to: yaml_parser_t())
        unsafe input = .allocate(capacity: max(1, text.bytes.count))
        _ = unsafe input.initialize(from: text.bytes)
        precondition(unsafe yaml_parser_initialize(parser) == 1, "no memory for a parser")
        unsafe yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        unsafe yaml_parser_set_input_string(parser, input.baseAddress, text.bytes.count)
    }

    deinit {
        unsafe yaml_parser_delete(parser)
        unsafe parser.deallocate()
        unsafe input.deallocate()
    }

    /// The next event. Do not call this after `.streamEnd`.
    func next() throws(YAMLNode.SyntaxError) -> Event {
        var event = unsafe yaml_event_t()
        guard unsafe yaml_parser_parse(parser, &event) == 1 else { throw failure() }
        // Frees libyaml's texts; the event returned has copies.
        defer { unsafe yaml_event_delete(&event) }
        let line = Int(unsafe event.start_mark.line) + 1
        var anchor: UnsafeMutablePointer<yaml_char_t>?
        var tag: UnsafeMutablePointer<yaml_char_t>?
        let kind: Kind
        // Safe: a member of the union is read only for the event type that sets it.
        switch unsafe event.type {
        case YAML_STREAM_START_EVENT: kind = .streamStart
        case YAML_STREAM_END_EVENT: kind = .streamEnd
        case YAML_DOCUMENT_START_EVENT: kind = .documentStart
        case YAML_DOCUMENT_END_EVENT: kind = .documentEnd
        case YAML_ALIAS_EVENT: kind = .alias(unsafe Self.copy(event.data.alias.anchor) ?? "")
        case YAML_SCALAR_EVENT:
            unsafe (anchor, tag) = unsafe (event.data.scalar.anchor, event.data.scalar.tag)
            let bytes = unsafe UnsafeBufferPointer(
                start: event.data.scalar.value, count: event.data.scalar.length)
            kind = .scalar(
                unsafe String(decoding: bytes, as: UTF8.self),
                isPlain: unsafe event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE)
        case YAML_SEQUENCE_START_EVENT:
            unsafe (anchor, tag) = unsafe (event.data.sequence_start.anchor, event.data.sequence_start.tag)
            kind = .listStart
        case YAML_SEQUENCE_END_EVENT: kind = .listEnd
        case YAML_MAPPING_START_EVENT:
            unsafe (anchor, tag) = unsafe (event.data.mapping_start.anchor, event.data.mapping_start.tag)
            kind = .mapStart
        case YAML_MAPPING_END_EVENT: kind = .mapEnd
        default: preconditionFailure("libyaml has no other event types")
        }
        return Event(kind: kind, anchor: unsafe Self.copy(anchor), tag: unsafe Self.copy(tag), line: line)
    }

    /// - Parameter text: nil, or a text that ends with a zero byte.
    private static func copy(_ text: UnsafeMutablePointer<yaml_char_t>?) -> String? {
        unsafe text.map { unsafe String(cString: $0) }
    }

    private func failure() -> YAMLNode.SyntaxError {
        // Safe: the problem is a string constant of libyaml, or nil if there was no memory.
        let problem = unsafe parser.pointee.problem.map { unsafe String(cString: $0) } ?? "no memory"
        let mark = unsafe parser.pointee.problem_mark
        var context = unsafe parser.pointee.context.map { unsafe String(cString: $0) }
        let contextLine = Int(unsafe parser.pointee.context_mark.line) + 1
        let line = min(Int(mark.line) + 1, text.lineCount)
        if contextLine != line, let words = context { context = "\(words), from line \(contextLine) on" }
        return YAMLNode.SyntaxError(
            line: line, message: text.explained(problem, context, line: line, column: Int(mark.column) + 1))
    }
}
