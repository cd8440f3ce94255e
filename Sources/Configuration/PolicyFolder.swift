/// The policies of a configuration: files of a folder, `extends:` resolved, each read once. The default
/// policy needs no file: where the folder has none of its name, the built-in one is taken.

internal import Settings

struct PolicyFolder {
    static var standardPolicy: String { "pessimistic" }

    static var builtIn: Policy {
        var policy = Policy(name: standardPolicy)
        policy.description = "Store only what the origin plainly marks as cacheable."
        return policy
    }

    private enum State {
        case loading
        case failed
        case loaded(PolicyDraft)
    }

    let path: String
    /// The folder as messages name it.
    let shownPath: String
    let files: FileSource
    private var states: [String: State] = [:]
    /// Of each policy that was read from a file, for checks that come later.
    private var readings: [String: Reading] = [:]
    private(set) var problems: [Problem] = []

    init(path: String, shownPath: String, files: FileSource) {
        self.path = path
        self.shownPath = shownPath
        self.files = files
    }

    /// The names that the folder has files for, and the built-in policy.
    var names: [String] {
        let found = files.names(path).filter { $0.hasSuffix(".yaml") }.map { String($0.dropLast(5)) }
        return found.contains(Self.standardPolicy) ? found : found + [Self.standardPolicy]
    }

    /// nil: there is no such policy (then `missing` says so), or a problem was reported.
    mutating func policy(_ name: String) -> PolicyDraft? {
        switch states[name] {
        case .loaded(let draft): return draft
        case .failed, .loading: return nil
        case nil: break
        }
        guard Naming.isName(name) else { return nil }
        states[name] = .loading
        let draft = load(name)
        states[name] = draft.map { .loaded($0) } ?? .failed
        return draft
    }

    /// What was read so far, in the order of the names.
    var loaded: [LoadedPolicy] {
        states.keys.sorted().compactMap { name in
            guard case .loaded(let draft) = states[name] else { return nil }
            return LoadedPolicy(policy: draft.policy, decisions: draft.decisions)
        }
    }

    func exists(_ name: String) -> Bool {
        Naming.isName(name) && (name == Self.standardPolicy || files.text(file(name)) != .failure(.missing))
    }

    /// The end of a message about a name that has no policy.
    func missing(_ name: String) -> String {
        let names = names
        return "allowed: none, or a policy of \(shownPath) (\(names.joined(separator: ", ")))"
            + Suggestion.text(for: name, among: names)
    }

    /// A problem with a setting of a policy that was found from outside; at the file's line, if it is there.
    mutating func report(_ name: String, at setting: String, _ message: String) {
        if var reading = readings[name] {
            reading.report(at: setting, message)
            problems += reading.problems.suffix(1)
        } else {
            problems.append(
                Problem(
                    kind: .error, file: "built-in policy \(name)", line: nil, path: setting, message: message)
            )
        }
    }

    private func file(_ name: String) -> String { "\(path)/\(name).yaml" }

    private mutating func load(_ name: String) -> PolicyDraft? {
        var reading = Reading(file: "\(shownPath)/\(name).yaml", folder: path)
        defer { problems += reading.problems }
        let text: String
        switch files.text(file(name)) {
        case .success(let found): text = found
        case .failure(.missing):
            return name == Self.standardPolicy ? PolicyDraft(policy: Self.builtIn) : nil
        case .failure(.unreadable(let why)):
            reading.report(why)
            return nil
        }
        let node: Node
        do throws(Node.SyntaxError) { node = try Node.parse(text) } catch {
            reading.report(line: error.line, error.message)
            return nil
        }
        guard var base = base(of: node, name, &reading) else { return nil }
        base.name = name
        base.description = ""
        let section = Sections.policy(from: base)
        var draft = section.initial
        guard section.read(node, into: &draft, &reading) else { return nil }
        readings[name] = reading
        return draft
    }

    /// What the file starts from; nil: a problem was reported.
    private mutating func base(of node: Node, _ name: String, _ reading: inout Reading) -> Policy? {
        guard case .entries(let entries) = node.content,
            let entry = entries.first(where: { $0.key == "extends" }),
            case .text(let baseName) = entry.node.content
        else { return Policy(name: name) }
        if let base = policy(baseName) { return base.policy }
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
