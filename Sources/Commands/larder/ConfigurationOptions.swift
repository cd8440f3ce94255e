/// Where a command's configuration comes from.

internal import ArgumentParser
internal import Configuration
internal import Foundation
internal import Kernel
internal import DataPlane
internal import Settings

enum ConfigurationOptions {
    static let standardFile = "larder.yaml"

    /// Reads a configuration file as the user named it.
    static func load(_ path: String, everyPolicy: Bool) throws -> LoadedConfiguration {
        try ConfigurationFile.load(
            path: path, folder: folder(of: path), files: .disk, everyPolicy: everyPolicy)
    }

    /// All policies that a configuration could name. Without a configuration file, not even a standard one:
    /// those of the folder that it would have.
    static func policies(_ path: String?) throws -> [LoadedPolicy] {
        if let path { return try load(path, everyPolicy: true).policies }
        if FileManager.default.fileExists(atPath: standardFile) {
            return try load(standardFile, everyPolicy: true).policies
        }
        let name = Settings.Cache.standardPolicyFolder
        return try ConfigurationFile.policies(
            inFolder: "\(currentFolder)/\(name)", shownFolder: name, files: .disk)
    }

    /// The absolute path of the folder that a file is in.
    static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return currentFolder }
        let folder = slash == path.startIndex ? "/" : String(path[..<slash])
        return folder.hasPrefix("/") ? folder : (folder == "." ? currentFolder : "\(currentFolder)/\(folder)")
    }

    static var currentFolder: String { FileManager.default.currentDirectoryPath }
}

extension LoadedConfiguration {
    /// Servers that are listeners of this very Larder.
    var loopProblems: [Problem] {
        OwnListeners.find(in: settings).map { finding in
            problem(
                as: .warning,
                at: "upstreams.\(settings.upstreams[finding.upstream].name).servers[\(finding.server)]",
                finding.message)
        }
    }

    /// That no proxy is trusted, for who checks a configuration: most sites have one in front.
    var trustNotes: [Problem] {
        guard settings.trustedProxies.isEmpty else { return [] }
        return [
            problem(
                as: .note, at: "trustedProxies",
                "no proxy is trusted: X-Forwarded-For and other fields that a proxy sets are dropped, "
                    + "whoever sends them; name a proxy or balancer in front of Larder here")
        ]
    }

    /// That this process does not run as `process.user`, if so: to serve it would be as somebody who may do
    /// more. A warning to who checks a configuration, an error to who serves it.
    func userProblem(as kind: Problem.Kind) -> Problem? {
        guard let user = settings.process.user else { return nil }
        guard let id = User.id(named: user) else {
            return problem(as: .error, at: "process.user", "found '\(user)'; this machine knows no such user")
        }
        guard id != User.current else { return nil }
        let current = User.name(of: User.current) ?? String(User.current)
        return problem(
            as: kind, at: "process.user",
            "found '\(user)', and this is '\(current)': Larder serves only as the user that is named here; "
                + "start it as that one (systemd: User=\(user))")
    }
}
