/// Finds and reads the configuration of a command, and reports problems that the file alone does not show.

internal import ArgumentParser
internal import Configuration
internal import DataPlane
internal import Foundation
internal import Kernel
internal import Settings

enum ConfigurationOptions {
    static let defaultFile = "larder.yaml"

    /// Reads a configuration file.
    /// - Parameter path: the file's name as the user gave it.
    static func load(_ path: String, everyPolicy: Bool) throws -> LoadedConfiguration {
        try ConfigurationFile.load(
            path: path, folder: folder(of: path), files: .disk, everyPolicy: everyPolicy)
    }

    /// All policies that a configuration can use. Without `path` and without `larder.yaml`, the policies are
    /// those of the default folder.
    static func policies(_ path: String?) throws -> [LoadedPolicy] {
        if let path { return try load(path, everyPolicy: true).policies }
        if FileManager.default.fileExists(atPath: defaultFile) {
            return try load(defaultFile, everyPolicy: true).policies
        }
        let name = Settings.Cache.defaultPolicyFolder
        return try ConfigurationFile.policies(
            inFolder: "\(currentFolder)/\(name)", shownFolder: name, files: .disk)
    }

    /// The absolute path of the folder that contains a file.
    static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return currentFolder }
        let folder = slash == path.startIndex ? "/" : String(path[..<slash])
        return folder.hasPrefix("/") ? folder : (folder == "." ? currentFolder : "\(currentFolder)/\(folder)")
    }

    static var currentFolder: String { FileManager.default.currentDirectoryPath }
}

extension LoadedConfiguration {
    /// Warnings about servers whose address is a listener of this same Larder.
    var loopProblems: [Problem] {
        OwnListeners.find(in: settings).map { finding in
            problem(
                as: .warning,
                at: "upstreams.\(settings.upstreams[finding.upstream].name).servers[\(finding.server)]",
                finding.message)
        }
    }

    /// A note that the configuration trusts no proxy, for `larder check`: most sites have a proxy in front.
    var trustNotes: [Problem] {
        guard settings.trustedProxies.isEmpty else { return [] }
        return [
            problem(
                as: .note, at: "trustedProxies",
                "no proxy is trusted: Larder drops X-Forwarded-For and other fields that a proxy sets, from "
                    + "every client; if a proxy or balancer is in front of Larder, name its address here")
        ]
    }

    /// A problem if this process does not run as `process.user`. `larder check` makes it a warning; `larder
    /// serve` makes it an error, because the present user may have more rights than the named one.
    func userProblem(as kind: Problem.Kind) -> Problem? {
        guard let user = settings.process.user else { return nil }
        guard let id = User.id(named: user) else {
            return problem(
                as: .error, at: "process.user", "found '\(user)', but this machine has no such user")
        }
        guard id != User.current else { return nil }
        let current = User.name(of: User.current) ?? String(User.current)
        return problem(
            as: kind, at: "process.user",
            "found '\(user)', but Larder runs as '\(current)'; start it as '\(user)' "
                + "(systemd: User=\(user))")
    }
}
