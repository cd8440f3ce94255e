/// A policy with its decision table and its file, for the commands that show and test policies.

public import Settings

public struct LoadedPolicy: Sendable, Equatable {
    public var policy: Policy
    public var decisions: [PolicyDecision]
    /// The file's name as the user gave it to Larder, or `shipped policy NAME`.
    public var file: String
    /// The line in `file` of each decision.
    public var decisionLines: [Int]
    public var isShipped: Bool

    /// The effective policy as the content of a file, without `extends`.
    public var document: Document {
        Sections.policy(from: Policy(name: policy.name)).write(
            PolicyDraft(policy: policy, decisions: decisions))
    }

    init(_ loaded: PolicyFolder.Loaded) {
        policy = loaded.draft.policy
        decisions = loaded.draft.decisions
        file = loaded.reader.file
        decisionLines = decisions.indices.map { loaded.reader.lines["decisions[\($0)]"] ?? 1 }
        isShipped = loaded.isShipped
    }
}

extension ConfigurationFile {
    /// All policies of a folder, and the shipped policies for which the folder has no file, in the order of
    /// their names.
    /// - Parameter shownFolder: the folder's name in messages.
    /// - Throws: all mistakes.
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

    /// One policy file. Larder searches for the policy that it extends in the same folder, then among the
    /// shipped policies.
    /// - Parameters:
    ///   - path: the file's name as the user gave it.
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
