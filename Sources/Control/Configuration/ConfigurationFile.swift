/// Reads a configuration file and its policies, checks them, and makes `Settings` of them.

public import Settings

/// A configuration without errors.
public struct LoadedConfiguration: Sendable {
    public var settings: Settings
    /// The policies that were read, in the order of their names.
    public var policies: [LoadedPolicy] = []
    /// Warnings and notes.
    public var notes: [Problem] = []
    /// The lines of the keys in the file.
    private let reader: FileReader

    init(settings: Settings, _ reader: FileReader) {
        self.settings = settings
        self.reader = reader
    }

    /// A problem with the key at `path` in the file. A command uses this for problems that the file alone
    /// does not show, such as a port in use.
    public func problem(as kind: Problem.Kind, at path: String, _ message: String) -> Problem {
        reader.problem(as: kind, at: path, message)
    }

    /// The effective configuration with all defaults filled in. Larder reads it back as the same settings.
    public var document: Document { Sections.file.write(Draft(settings)) }

    /// The policy with the limits of this configuration applied: the store bounds `maxBody`.
    public func effective(_ policy: LoadedPolicy) -> LoadedPolicy {
        var policy = policy
        policy.policy.store.maxBodyBytes = min(
            policy.policy.store.maxBodyBytes, settings.cache.largestBodyBytes)
        return policy
    }
}

public enum ConfigurationFile {
    /// Reads a file and the policies that it names.
    /// - Parameters:
    ///   - path: the file's name as the user gave it.
    ///   - folder: the absolute path of the folder that contains the file. Relative paths in the file start
    ///     there.
    ///   - everyPolicy: read all policies of the folder and all shipped policies, used or not.
    /// - Throws: all mistakes.
    public static func load(
        path: String, folder: String, files: FileSource, everyPolicy: Bool = false
    ) throws(ConfigurationError) -> LoadedConfiguration {
        let absolute = path.hasPrefix("/") ? path : "\(folder)/\(path.split(separator: "/").last ?? "")"
        switch files.bytes(absolute) {
        case .success(let bytes):
            return try read(bytes, file: path, folder: folder, files: files, everyPolicy: everyPolicy)
        case .failure(let failure):
            throw ConfigurationError(problems: [
                Problem(kind: .error, file: path, line: nil, path: "", message: failure.description)
            ])
        }
    }

    /// Reads the bytes of a configuration file. The parameters are those of `load`.
    public static func read(
        _ bytes: [UInt8], file: String, folder: String, files: FileSource, everyPolicy: Bool = false
    ) throws(ConfigurationError) -> LoadedConfiguration {
        var reader = FileReader(file: file, folder: folder)
        guard let node = reader.parse(bytes) else {
            throw ConfigurationError(problems: reader.problems.errors(of: file))
        }
        var draft = Draft()
        _ = Sections.file.read(node, into: &draft, &reader)
        return try finish(draft, reader, everyPolicy: everyPolicy, files: files)
    }

    /// Runs the checks that concern several sections, and makes `Settings` of the draft.
    static func finish(
        _ draft: consuming Draft, _ reader: consuming FileReader, everyPolicy: Bool, files: FileSource
    ) throws(ConfigurationError) -> LoadedConfiguration {
        var draft = draft
        var reader = reader
        if !reader.isGiven("cache.policies") {
            draft.settings.cache.policyFolder = draft.settings.cache.policyFolder.map(reader.resolve)
        }
        let folder = draft.settings.cache.policyFolder
        var policies = PolicyFolder(path: folder, shownPath: folder.map(reader.shown) ?? "", files: files)
        policies.checkNames()
        draft.checkFolder(policies.failure, &reader)
        draft.check(&reader)
        draft.resolve(&reader, &policies)
        if everyPolicy { policies.readAll() }
        draft.lowerBodies(&reader, &policies)

        var problems = reader.problems
        problems.add(policies.problems)
        guard problems.errorCount == 0 else {
            throw ConfigurationError(problems: problems.errors(of: reader.file))
        }
        var loaded = LoadedConfiguration(settings: draft.settings, reader)
        loaded.notes = problems.notes(of: reader.file)
        loaded.policies = policies.loaded
        return loaded
    }
}

extension FileReader {
    /// The root of the file's document, or nil after a problem was reported.
    mutating func parse(_ bytes: [UInt8]) -> YAMLNode? {
        do throws(YAMLNode.SyntaxError) { return try YAMLNode.parse(bytes) } catch {
            report(error)
            return nil
        }
    }

    /// An absolute path in the form in which the user named the file: relative if the user gave a relative
    /// path.
    func shown(_ path: String) -> String {
        guard !folder.isEmpty, path.hasPrefix(folder + "/") else { return path }
        let rest = path.dropFirst(folder.utf8.count + 1)
        guard let slash = file.lastIndex(of: "/") else { return String(rest) }
        return String(file[...slash] + rest)
    }
}
