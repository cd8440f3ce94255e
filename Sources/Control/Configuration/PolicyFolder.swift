/// The policies that a configuration can use: the files of the policy folder, and the shipped policies. Each
/// is read once, and `extends:` is resolved. A file of the folder replaces the shipped policy of the same
/// name.

internal import Settings

struct PolicyFolder {
    static var defaultPolicy: String { "pessimistic" }

    private enum State {
        case loading
        case failed
        case loaded(Loaded)
    }

    /// The largest number of policies in one `extends` chain.
    private static var longestChain: Int { 32 }
    /// The largest number of policy files in the folder.
    private static var mostFiles: Int { 1024 }

    struct Loaded {
        var draft: PolicyDraft
        /// The number of policies in its `extends` chain, itself included.
        var chain: Int
        /// The lines of its keys, for later checks, and its notes.
        var reader: FileReader
        var isShipped: Bool
    }

    let path: String
    /// The folder's name in messages. Empty: the current folder of the process.
    let shownPath: String
    let files: FileSource
    /// The names of the files in the folder.
    private let listing: Result<[String], FileSource.Failure>
    private var states: [String: State] = [:]
    /// The number of policies that are being read now: each is read because the one before extends it.
    private var depth = 0
    /// The shipped policies whose notes are in `problems`.
    private var noted: Set<String> = []
    private(set) var problems = ProblemList()

    /// - Parameter path: nil: there is no folder.
    init(path: String?, shownPath: String, files: FileSource) {
        self.path = path ?? ""
        self.shownPath = shownPath
        self.files = files
        listing = path.map(files.names) ?? .failure(.missing)
    }

    /// Why the folder cannot be read; nil: it can.
    var failure: FileSource.Failure? {
        if case .failure(let failure) = listing { failure } else { nil }
    }

    /// The names of all policies, sorted.
    var names: [String] { Set(fileNames).union(ShippedPolicies.names).sorted() }

    /// The names of the policies that are files of the folder.
    private var fileNames: [String] { entries.compactMap(Self.name) }

    private var entries: [String] { (try? listing.get()) ?? [] }

    /// The name of the policy in a file of a folder, or nil if the file's name is not valid for a policy.
    static func name(ofFile file: String) -> String? {
        guard file.hasSuffix(".yaml"), Naming.isName(String(file.dropLast(5))) else { return nil }
        return String(file.dropLast(5))
    }

    /// Reports each YAML file whose name is not valid for a policy: its author believes that it is in effect,
    /// while a shipped policy may be in effect instead. Other files, hidden files and the copies that editors
    /// make do not matter.
    mutating func checkNames() {
        let yaml = entries.filter { !$0.hasPrefix(".") && Self.isYAML($0) }
        if yaml.count > Self.mostFiles {
            report(nil, "found \(yaml.count) policy files; allowed: at most \(Self.mostFiles)")
        }
        for file in yaml where Self.name(ofFile: file) == nil {
            report(file, "found '\(file.shortened)'; \(Self.allowedFiles(for: file))")
        }
    }

    /// Reads all policies of the folder and all shipped policies.
    mutating func readAll() {
        guard entries.count(where: Self.isYAML) <= Self.mostFiles else { return }
        for name in names { _ = policy(name) }
    }

    /// - Parameter file: nil: the problem is in the folder itself.
    private mutating func report(_ file: String?, _ message: String) {
        let place = file.map(shown) ?? (shownPath.isEmpty ? "this folder" : shownPath)
        problems.add(Problem(kind: .error, file: place, line: nil, path: "", message: message))
    }

    /// The `allowed:` part of the message about a file whose name is not valid for a policy.
    static func allowedFiles(for file: String) -> String {
        let meant =
            isYAML(file) ? file.prefix(through: file.lastIndex(of: ".") ?? file.startIndex) + "yaml" : ""
        let hint = name(ofFile: String(meant)) != nil ? "; did you mean '\(meant)'?" : ""
        return "allowed: a policy file, NAME.yaml, where NAME is \(ValueFormat.name.allowed)\(hint)"
    }

    private static func isYAML(_ file: String) -> Bool {
        let lower = file.lowercased()
        return lower.hasSuffix(".yaml") || lower.hasSuffix(".yml")
    }

    /// The policy of that name. nil: there is no such policy (see `missing`), or a problem was reported.
    mutating func policy(_ name: String) -> PolicyDraft? {
        switch states[name] {
        case .loaded(let loaded): return loaded.draft
        case .failed, .loading: return nil
        case nil: break
        }
        guard Naming.isName(name) else { return nil }
        states[name] = .loading
        depth += 1
        let loaded = load(name)
        depth -= 1
        states[name] = loaded.map { .loaded($0) } ?? .failed
        return loaded?.draft
    }

    /// The same for a policy that a route or another policy uses. If it is a shipped policy, its notes are
    /// added to the problems. The notes of the default policy are left out: every configuration would show
    /// them.
    mutating func usedPolicy(_ name: String) -> PolicyDraft? {
        let draft = policy(name)
        if case .loaded(let loaded) = states[name], loaded.isShipped, name != Self.defaultPolicy,
            noted.insert(name).inserted
        {
            problems.add(loaded.reader.problems)
        }
        return draft
    }

    /// The policies that were read so far, in the order of their names.
    var loaded: [LoadedPolicy] {
        states.keys.sorted().compactMap { name in
            guard case .loaded(let loaded) = states[name] else { return nil }
            return LoadedPolicy(loaded)
        }
    }

    func exists(_ name: String) -> Bool {
        Naming.isName(name)
            && (ShippedPolicies.names.contains(name) || fileNames.contains(name))
    }

    /// The `allowed:` part of the message about a name that no policy has.
    func missing(_ name: String, orNone: Bool = false) -> String {
        let shipped = "a shipped policy (\(ShippedPolicies.names.joined(separator: ", ")))"
        let names = names
        var own = fileNames.prefix(20).joined(separator: ", ")
        if fileNames.count > 20 { own += ", and \(fileNames.count - 20) more" }
        let folder = shownPath.isEmpty ? "this folder" : shownPath
        var allowed = own.isEmpty ? [shipped] : ["a policy of \(folder) (\(own))", shipped]
        if orNone { allowed.insert("none", at: 0) }
        let last = allowed.removeLast()
        return "allowed: " + (allowed.isEmpty ? last : allowed.joined(separator: ", ") + ", or " + last)
            + Suggestion.text(for: name, among: names)
    }

    /// Adds a note about a setting of a policy file, with its line. Returns false for a shipped policy,
    /// because the user has no such file.
    mutating func note(_ name: String, at setting: String, _ message: String) -> Bool {
        guard case .loaded(let loaded) = states[name], !loaded.isShipped else { return false }
        problems.add(loaded.reader.problem(as: .note, at: setting, message))
        return true
    }

    private func file(_ name: String) -> String { "\(path)/\(name).yaml" }

    private func shown(_ file: String) -> String { shownPath.isEmpty ? file : "\(shownPath)/\(file)" }

    private mutating func load(_ name: String) -> Loaded? {
        guard entries.contains("\(name).yaml") else { return Self.shipped(name) }
        let shownFile = shown("\(name).yaml")
        switch files.bytes(file(name)) {
        case .success(let bytes): return read(bytes, name, FileReader(file: shownFile, folder: path))
        case .failure(.missing):
            report("\(name).yaml", "the file cannot be read: it is a link to a file that does not exist")
            return nil
        case .failure(let failure):
            report("\(name).yaml", failure.description)
            return nil
        }
    }

    private mutating func read(_ bytes: [UInt8], _ name: String, _ reader: consuming FileReader) -> Loaded? {
        var reader = reader
        defer { problems.add(reader.problems) }
        guard let node = reader.parse(bytes), let base = base(of: node, name, &reader),
            let draft = Self.draft(of: node, name, from: base.policy, &reader)
        else { return nil }
        return Loaded(draft: draft, chain: base.chain + 1, reader: reader, isShipped: false)
    }

    private static func draft(
        of node: YAMLNode, _ name: String, from base: Policy, _ reader: inout FileReader
    ) -> PolicyDraft? {
        var base = base
        base.name = name
        base.description = ""
        let section = Sections.policy(from: base)
        var draft = section.initial
        return section.read(node, into: &draft, &reader) ? draft : nil
    }

    /// The policy that the file extends, and the number of policies in that chain. nil: a problem was
    /// reported.
    private mutating func base(
        of node: YAMLNode, _ name: String, _ reader: inout FileReader
    ) -> (policy: Policy, chain: Int)? {
        guard case .entries(let entries) = node.content,
            let entry = entries.first(where: { $0.key == "extends" }),
            case .text(let baseName) = entry.node.content
        else { return (Policy(name: name), 0) }
        // A file that replaces a shipped policy may extend that shipped policy.
        if baseName == name, let shipped = Self.shipped(name) { return (shipped.draft.policy, shipped.chain) }
        let isTooDeep = depth > Self.longestChain
        if !isTooDeep, let base = usedPolicy(baseName), case .loaded(let loaded) = states[baseName],
            loaded.chain < Self.longestChain
        {
            return (base.policy, loaded.chain)
        }
        let message: String
        if isTooDeep || isLoaded(baseName) {
            message =
                "found a chain of more than \(Self.longestChain) policies that extend each other; "
                + "allowed: at most \(Self.longestChain)"
        } else if case .loading = states[baseName] {
            message = "found '\(baseName)', which extends this policy; allowed: a policy that does not"
        } else if exists(baseName) {
            message = "found '\(baseName)', which has mistakes"
        } else {
            message = "found '\(baseName)', but there is no such policy; " + missing(baseName)
        }
        reader.inside("extends", line: entry.line) { $0.report(message) }
        return nil
    }

    private func isLoaded(_ name: String) -> Bool {
        if case .loaded = states[name] { true } else { false }
    }
}

// MARK: Shipped policies

extension PolicyFolder {
    /// The default policy. It is read once, because every configuration needs it.
    private static let defaultLoaded = readShipped(defaultPolicy)

    /// The shipped policy of that name, or nil.
    private static func shipped(_ name: String) -> Loaded? {
        name == defaultPolicy ? defaultLoaded : readShipped(name)
    }

    /// Reads a shipped policy. Shipped policies extend no policy, so the files of a folder cannot change
    /// them. A test checks that, and that they have no mistakes.
    private static func readShipped(_ name: String) -> Loaded? {
        guard let text = ShippedPolicies.text(name) else { return nil }
        var reader = FileReader(file: "shipped policy \(name)", folder: "")
        guard let node = reader.parse(Array(text.utf8)),
            let draft = draft(of: node, name, from: Policy(name: name), &reader)
        else { return nil }
        return Loaded(draft: draft, chain: 1, reader: reader, isShipped: true)
    }
}
