/// Where a command's configuration comes from.

internal import ArgumentParser
internal import Configuration
internal import Foundation

enum ConfigurationOptions {
    static let standardFile = "larder.yaml"

    /// Reads a configuration file as the user named it.
    static func load(_ path: String, everyPolicy: Bool) throws -> LoadedConfiguration {
        try ConfigurationFile.load(
            path: path, folder: folder(of: path), files: .disk, everyPolicy: everyPolicy)
    }

    /// The absolute path of the folder that a file is in.
    static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return currentFolder }
        let folder = slash == path.startIndex ? "/" : String(path[..<slash])
        return folder.hasPrefix("/") ? folder : (folder == "." ? currentFolder : "\(currentFolder)/\(folder)")
    }

    static var currentFolder: String { FileManager.default.currentDirectoryPath }
}
