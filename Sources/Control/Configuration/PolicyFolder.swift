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

    /// Policies of one `extends` chain.
    private static var longestChain: Int { 32 }
    /// Policy files of a folder.
    private static var mostFiles: Int { 1024 }

    struct Loaded {
        var draft: PolicyDraft
        /// The policies that it starts from, itself included.
        var chain: Int
        /// How it was read: its lines, for checks that come later, and its notes.
        var reading: Reading
        var isShipped: Bool
    }

    let path: String
    /// The folder as messages name it; empty: the one that Larder was started in.
    let shownPath: String
    let files: FileSource
    /// What the folder holds.
    private let listing: Result<[String], FileSource.Failure>
    private var states: [String: State] = [:]
    /// How many policies are being read, each because the one before starts from it.
    private var depth = 0
    /// Shipped policies whose notes are among the problems.
    private var noted: Set<String> = []
    private(set) var problems = ProblemList()

    /// - Parameter path: nil: there is no folder.
    init(path: String?, shownPath: String, files: FileSource) {
        self.path = path ?? ""
        self.shownPath = shownPath
        self.files = files
        listing = path.map(files.names) ?? .failure(.missing)
    }

    /// Why there is no folder; nil: there is one.
    var failure: FileSource.Failure? {
        if case .failure(let failure) = listing { failure } else { nil }
    }

    /// All names that have a policy, sorted.
    var names: [String] { Set(fileNames).union(ShippedPolicies.names).sorted() }

    /// The names that the folder has files for.
    private var fileNames: [String] { entries.compactMap(Self.name) }

    private var entries: [String] { (try? listing.get()) ?? [] }

    /// The name of the policy in this file of a folder; nil where the file cannot be one.
    static func name(ofFile file: String) -> String? {
        guard file.hasSuffix(".yaml"), Naming.isName(String(file.dropLast(5))) else { return nil }
        return String(file.dropLast(5))
    }

    /// A YAML file whose name cannot be a policy's is a mistake: its author believes it to be in effect,
    /// where a shipped policy may be. Other files, hidden ones and the copies of editors do not matter.
    mutating func checkNames() {
        let yaml = entries.filter { !$0.hasPrefix(".") && Self.isYAML($0) }
        if yaml.count > Self.mostFiles {
            report(nil, "found \(yaml.count) policy files; allowed: at most \(Self.mostFiles)")
        }
        for file in yaml where Self.name(ofFile: file) == nil {
            report(file, "found '\(file.shortened)'; \(Self.allowedFiles(for: file))")
        }
    }

    /// Reads all policies, of the folder and shipped.
    mutating func readAll() {
        guard entries.count(where: Self.isYAML) <= Self.mostFiles else { return }
        for name in names { _ = policy(name) }
    }

    /// - Parameter file: nil: the folder itself.
    private mutating func report(_ file: String?, _ message: String) {
        let place = file.map(shown) ?? (shownPath.isEmpty ? "this folder" : shownPath)
        problems.add(Problem(kind: .error, file: place, line: nil, path: "", message: message))
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
        depth += 1
        let loaded = load(name)
        depth -= 1
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
            problems.add(loaded.reading.problems)
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
            && (ShippedPolicies.names.contains(name) || fileNames.contains(name))
    }

    /// What a message says is allowed in the place of a name that has no policy.
    func missing(_ name: String, orNone: Bool = false) -> String {
        let shipped = "a shipped one (\(ShippedPolicies.names.joined(separator: ", ")))"
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

    /// A note about a setting of a policy file, at its line if it is there. False for a shipped policy, which
    /// is no file that anybody can change.
    mutating func note(_ name: String, at setting: String, _ message: String) -> Bool {
        guard case .loaded(let loaded) = states[name], !loaded.isShipped else { return false }
        problems.add(loaded.reading.problem(as: .note, at: setting, message))
        return true
    }

    private func file(_ name: String) -> String { "\(path)/\(name).yaml" }

    private func shown(_ file: String) -> String { shownPath.isEmpty ? file : "\(shownPath)/\(file)" }

    private mutating func load(_ name: String) -> Loaded? {
        guard entries.contains("\(name).yaml") else { return Self.shipped(name) }
        let shownFile = shown("\(name).yaml")
        switch files.bytes(file(name)) {
        case .success(let bytes): return read(bytes, name, Reading(file: shownFile, folder: path))
        case .failure(.missing):
            report("\(name).yaml", "it cannot be read: it is a link to a file that is not there")
            return nil
        case .failure(let failure):
            report("\(name).yaml", failure.description)
            return nil
        }
    }

    private mutating func read(_ bytes: [UInt8], _ name: String, _ reading: consuming Reading) -> Loaded? {
        var reading = reading
        defer { problems.add(reading.problems) }
        guard let node = reading.parse(bytes), let base = base(of: node, name, &reading),
            let draft = Self.draft(of: node, name, from: base.policy, &reading)
        else { return nil }
        return Loaded(draft: draft, chain: base.chain + 1, reading: reading, isShipped: false)
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

    /// What the file starts from, and how many policies that is; nil: a problem was reported.
    private mutating func base(
        of node: Node, _ name: String, _ reading: inout Reading
    ) -> (policy: Policy, chain: Int)? {
        guard case .entries(let entries) = node.content,
            let entry = entries.first(where: { $0.key == "extends" }),
            case .text(let baseName) = entry.node.content
        else { return (Policy(name: name), 0) }
        // A file in the place of a shipped policy may start from that one.
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
                "found a chain of more than \(Self.longestChain) policies that start from each other; "
                + "allowed: at most \(Self.longestChain)"
        } else if case .loading = states[baseName] {
            message = "found '\(baseName)', which starts from this policy; allowed: a policy that does not"
        } else if exists(baseName) {
            message = "found '\(baseName)', which has mistakes"
        } else {
            message = "found '\(baseName)', but there is no such policy; " + missing(baseName)
        }
        reading.inside("extends", line: entry.line) { $0.report(message) }
        return nil
    }

    private func isLoaded(_ name: String) -> Bool {
        if case .loaded = states[name] { true } else { false }
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
        guard let node = reading.parse(Array(text.utf8)),
            let draft = draft(of: node, name, from: Policy(name: name), &reading)
        else { return nil }
        return Loaded(draft: draft, chain: 1, reading: reading, isShipped: true)
    }
}
