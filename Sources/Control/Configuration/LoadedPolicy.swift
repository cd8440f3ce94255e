/// Policies as they were read, with their decision tables, for those who show and test them.

public import Settings

public struct LoadedPolicy: Sendable, Equatable {
    public var policy: Policy
    public var decisions: [PolicyDecision]
    /// As it was named to Larder; `shipped policy NAME` for one that comes with the binary.
    public var file: String
    /// The line in `file` of each decision.
    public var decisionLines: [Int]
    public var isShipped: Bool

    /// The effective policy as a file, without `extends`.
    public var document: Tree {
        Sections.policy(from: Policy(name: policy.name)).write(
            PolicyDraft(policy: policy, decisions: decisions))
    }

    init(_ loaded: PolicyFolder.Loaded) {
        policy = loaded.draft.policy
        decisions = loaded.draft.decisions
        file = loaded.reading.file
        decisionLines = decisions.indices.map { loaded.reading.lines["decisions[\($0)]"] ?? 1 }
        isShipped = loaded.isShipped
    }
}

extension ConfigurationFile {
    /// All policies of a folder, and the shipped ones that it has no file for, in the order of their names.
    /// - Parameter shownFolder: the folder as messages name it.
    /// - Throws: every mistake that was found.
    public static func policies(
        inFolder folder: String, shownFolder: String, files: FileSource
    ) throws(ConfigurationError) -> [LoadedPolicy] {
        var policies = PolicyFolder(path: folder, shownPath: shownFolder, files: files)
        if let failure = policies.failure, failure != .missing {
            throw mistake(shownFolder, failure.description)
        }
        policies.checkNames()
        policies.readAll()
        try policies.throwErrors()
        return policies.loaded
    }

    /// One policy file; what it extends is looked for in its folder, then among the shipped ones.
    /// - Parameters:
    ///   - path: as the user named it.
    ///   - folder: the absolute path of the folder that `path` is in.
    public static func policy(
        path: String, folder: String, files: FileSource
    ) throws(ConfigurationError) -> LoadedPolicy {
        let file = path.split(separator: "/").last.map(String.init) ?? ""
        guard let name = PolicyFolder.name(ofFile: file) else {
            throw mistake(path, "found '\(file)'; \(PolicyFolder.allowedFiles(for: file))")
        }
        if case .failure(let why) = files.bytes("\(folder)/\(file)") {
            throw mistake(path, why.description)
        }
        let shownFolder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? ""
        var policies = PolicyFolder(path: folder, shownPath: shownFolder, files: files)
        _ = policies.policy(name)
        try policies.throwErrors()
        guard var loaded = policies.loaded.first(where: { $0.policy.name == name }) else {
            preconditionFailure("a policy that was not read has an error")
        }
        loaded.file = path
        return loaded
    }

    private static func mistake(_ file: String, _ message: String) -> ConfigurationError {
        ConfigurationError(problems: [
            Problem(kind: .error, file: file, line: nil, path: "", message: message)
        ])
    }
}

extension PolicyFolder {
    fileprivate func throwErrors() throws(ConfigurationError) {
        let errors = problems.errors(of: shownPath.isEmpty ? "this folder" : shownPath)
        if !errors.isEmpty { throw ConfigurationError(problems: errors) }
    }
}
