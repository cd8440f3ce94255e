/// The policies of a configuration: files of a folder and the shipped ones, `extends:` resolved, each read
/// once. A file of the folder goes before the shipped policy of its name.

internal import Settings

struct PolicyFolder {
    static var standardPolicy: String { "pessimistic" }

    private enum State {
        case loading
        case failed
        case loaded(Loaded)
    }

    struct Loaded {
        var draft: PolicyDraft
        /// How it was read: its lines, for checks that come later, and its notes.
        var reading: Reading
        var isShipped: Bool
    }

    let path: String
    /// The folder as messages name it; empty: the one that Larder was started in.
    let shownPath: String
    let files: FileSource
    private var states: [String: State] = [:]
    /// Shipped policies whose notes are among the problems.
    private var noted: Set<String> = []
    private(set) var problems: [Problem] = []

    init(path: String, shownPath: String, files: FileSource) {
        self.path = path
        self.shownPath = shownPath
        self.files = files
    }

    /// All names that have a policy, sorted.
    var names: [String] { Set(fileNames).union(ShippedPolicies.names).sorted() }

    /// The names that the folder has files for.
    private var fileNames: [String] { files.names(path).compactMap(Self.name) }

    /// The name of the policy in this file of a folder; nil where the file cannot be one.
    static func name(ofFile file: String) -> String? {
        guard file.hasSuffix(".yaml"), Naming.isName(String(file.dropLast(5))) else { return nil }
        return String(file.dropLast(5))
    }

    /// Reads all policies, of the folder and shipped. A YAML file that cannot be one is a mistake: whoever
    /// put it there would take it for checked and tested. Other files, hidden ones and the copies that
    /// editors make are no concern of ours.
    mutating func readAll() {
        for file in files.names(path) where !file.hasPrefix(".") {
            guard Self.isYAML(file), Self.name(ofFile: file) == nil else { continue }
            problems.append(
                Problem(
                    kind: .error, file: shown(file), line: nil, path: "",
                    message: "found '\(file)'; \(Self.allowedFiles(for: file))"))
        }
        for name in names { _ = policy(name) }
    }

    /// What a message says is allowed in the place of a file that cannot be a policy.
    static func allowedFiles(for file: String) -> String {
        let meant =
            isYAML(file) ? file.prefix(through: file.lastIndex(of: ".") ?? file.startIndex) + "yaml" : ""
        let hint = name(ofFile: String(meant)) != nil ? "; did you mean '\(meant)'?" : ""
        return "allowed: a policy file, NAME.yaml, where NAME is \(Form.name.allowed)\(hint)"
    }

    private static func isYAML(_ file: String) -> Bool {
        let lower = file.lowercased()
        return lower.hasSuffix(".yaml") || lower.hasSuffix(".yml")
    }

    /// nil: there is no such policy (then `missing` says so), or a problem was reported.
    mutating func policy(_ name: String) -> PolicyDraft? {
        switch states[name] {
        case .loaded(let loaded): return loaded.draft
        case .failed, .loading: return nil
        case nil: break
        }
        guard Naming.isName(name) else { return nil }
        states[name] = .loading
        let loaded = load(name)
        states[name] = loaded.map { .loaded($0) } ?? .failed
        return loaded?.draft
    }

    /// The same, for a policy that is in use: what is not in effect yet of a shipped one is worth a note
    /// then. The default policy is what everything starts from: its notes would come with every
    /// configuration.
    mutating func usedPolicy(_ name: String) -> PolicyDraft? {
        let draft = policy(name)
        if case .loaded(let loaded) = states[name], loaded.isShipped, name != Self.standardPolicy,
            noted.insert(name).inserted
        {
            problems += loaded.reading.problems
        }
        return draft
    }

    /// What was read so far, in the order of the names.
    var loaded: [LoadedPolicy] {
        states.keys.sorted().compactMap { name in
            guard case .loaded(let loaded) = states[name] else { return nil }
            return LoadedPolicy(loaded)
        }
    }

    func exists(_ name: String) -> Bool {
        Naming.isName(name)
            && (ShippedPolicies.names.contains(name) || files.text(file(name)) != .failure(.missing))
    }

    /// What a message says is allowed in the place of a name that has no policy.
    func missing(_ name: String, orNone: Bool = false) -> String {
        let shipped = "a shipped one (\(ShippedPolicies.names.joined(separator: ", ")))"
        let own = fileNames.joined(separator: ", ")
        let folder = shownPath.isEmpty ? "this folder" : shownPath
        var allowed = own.isEmpty ? [shipped] : ["a policy of \(folder) (\(own))", shipped]
        if orNone { allowed.insert("none", at: 0) }
        let last = allowed.removeLast()
        return "allowed: " + (allowed.isEmpty ? last : allowed.joined(separator: ", ") + ", or " + last)
            + Suggestion.text(for: name, among: names)
    }

    /// A problem with a setting of a policy that was found from outside; at the file's line, if it is there.
    mutating func report(_ name: String, at setting: String, _ message: String) {
        guard case .loaded(let loaded) = states[name] else { return }
        problems.append(loaded.reading.problem(as: .error, at: setting, message))
    }

    private func file(_ name: String) -> String { "\(path)/\(name).yaml" }

    private func shown(_ file: String) -> String { shownPath.isEmpty ? file : "\(shownPath)/\(file)" }

    private mutating func load(_ name: String) -> Loaded? {
        let shownFile = shown("\(name).yaml")
        switch files.text(file(name)) {
        case .success(let text): return read(text, name, Reading(file: shownFile, folder: path))
        case .failure(.missing): return Self.shipped(name)
        case .failure(.unreadable(let why)):
            problems.append(Problem(kind: .error, file: shownFile, line: nil, path: "", message: why))
            return nil
        }
    }

    private mutating func read(_ text: String, _ name: String, _ reading: consuming Reading) -> Loaded? {
        var reading = reading
        defer { problems += reading.problems }
        guard let node = reading.parse(text), let base = base(of: node, name, &reading),
            let draft = Self.draft(of: node, name, from: base, &reading)
        else { return nil }
        return Loaded(draft: draft, reading: reading, isShipped: false)
    }

    private static func draft(
        of node: Node, _ name: String, from base: Policy, _ reading: inout Reading
    ) -> PolicyDraft? {
        var base = base
        base.name = name
        base.description = ""
        let section = Sections.policy(from: base)
        var draft = section.initial
        return section.read(node, into: &draft, &reading) ? draft : nil
    }

    /// What the file starts from; nil: a problem was reported.
    private mutating func base(of node: Node, _ name: String, _ reading: inout Reading) -> Policy? {
        guard case .entries(let entries) = node.content,
            let entry = entries.first(where: { $0.key == "extends" }),
            case .text(let baseName) = entry.node.content
        else { return Policy(name: name) }
        // A file in the place of a shipped policy may start from that one.
        if baseName == name, let shipped = Self.shipped(name) { return shipped.draft.policy }
        if let base = usedPolicy(baseName) { return base.policy }
        let message: String
        if case .loading = states[baseName] {
            message = "found '\(baseName)', which starts from this policy; allowed: a policy that does not"
        } else if exists(baseName) {
            message = "found '\(baseName)', which has mistakes"
        } else {
            message = "found '\(baseName)', but there is no such policy; " + missing(baseName)
        }
        reading.inside("extends", line: entry.line) { $0.report(message) }
        return nil
    }
}

// MARK: Shipped policies

extension PolicyFolder {
    /// Every configuration starts from it.
    private static let standard = readShipped(standardPolicy)

    /// nil for a name that is not shipped.
    private static func shipped(_ name: String) -> Loaded? {
        name == standardPolicy ? standard : readShipped(name)
    }

    /// Shipped policies extend none, so that what a folder holds cannot change them; a test holds them to it,
    /// and to have no mistakes.
    private static func readShipped(_ name: String) -> Loaded? {
        guard let text = ShippedPolicies.text(name) else { return nil }
        var reading = Reading(file: "shipped policy \(name)", folder: "")
        guard let node = reading.parse(text),
            let draft = draft(of: node, name, from: Policy(name: name), &reading)
        else { return nil }
        return Loaded(draft: draft, reading: reading, isShipped: true)
    }
}

extension Reading {
    /// nil: the problem was reported.
    fileprivate mutating func parse(_ text: String) -> Node? {
        do throws(Node.SyntaxError) { return try Node.parse(text) } catch {
            report(line: error.line, error.message)
            return nil
        }
    }
}
