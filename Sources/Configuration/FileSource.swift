/// Where configuration and policy files come from: the disk, or a test's dictionary.

internal import Foundation

public struct FileSource: Sendable {
    public enum Failure: Error, Equatable, Sendable {
        case missing
        case unreadable(String)
    }

    /// The text of a file.
    public var text: @Sendable (_ path: String) -> Result<String, Failure>
    /// The names of the files in a folder, sorted; empty where there is no such folder.
    public var names: @Sendable (_ folder: String) -> [String]

    public init(
        text: @escaping @Sendable (_ path: String) -> Result<String, Failure>,
        names: @escaping @Sendable (_ folder: String) -> [String]
    ) {
        self.text = text
        self.names = names
    }

    /// Files of the disk, in UTF-8.
    public static var disk: FileSource {
        FileSource(
            text: { path in
                guard FileManager.default.fileExists(atPath: path) else { return .failure(.missing) }
                guard let data = FileManager.default.contents(atPath: path) else {
                    return .failure(.unreadable("it cannot be read"))
                }
                guard let text = String(validating: data, as: UTF8.self) else {
                    return .failure(.unreadable("it is not UTF-8"))
                }
                return .success(text)
            },
            names: { folder in
                ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
            })
    }

    /// Files of a dictionary from paths to texts.
    public static func memory(_ files: [String: String]) -> FileSource {
        FileSource(
            text: { path in files[path].map { .success($0) } ?? .failure(.missing) },
            names: { folder in
                files.keys.filter { $0.hasPrefix(folder + "/") }
                    .map { String($0.dropFirst(folder.utf8.count + 1)) }
                    .filter { !$0.contains("/") }.sorted()
            })
    }
}
