/// The source of configuration and policy files: the disk, or a dictionary in a test.

internal import Foundation
internal import SystemPackage

public struct FileSource: Sendable {
    public enum Failure: Error, Equatable, Sendable, CustomStringConvertible {
        case missing
        /// The message of the system.
        case unreadable(String)

        public var description: String {
            switch self {
            case .missing: "there is no such file"
            case .unreadable(let why): "the file cannot be read: \(why)"
            }
        }
    }

    /// The bytes of a file, at most `YAMLNode.Limit.bytes` + 1.
    public var bytes: @Sendable (_ path: String) -> Result<[UInt8], Failure>
    /// The names of the files in a folder, sorted.
    public var names: @Sendable (_ folder: String) -> Result<[String], Failure>

    public init(
        bytes: @escaping @Sendable (_ path: String) -> Result<[UInt8], Failure>,
        names: @escaping @Sendable (_ folder: String) -> Result<[String], Failure>
    ) {
        self.bytes = bytes
        self.names = names
    }

    /// The files on the disk.
    public static var disk: FileSource { FileSource(bytes: Disk.bytes, names: Disk.names) }

    /// The files in a dictionary from paths to texts. A folder exists if a file is in it.
    public static func memory(_ files: [String: String]) -> FileSource {
        FileSource(
            bytes: { path in files[path].map { .success(Array($0.utf8)) } ?? .failure(.missing) },
            names: { folder in
                let inside = files.keys.filter { $0.hasPrefix(folder + "/") }
                if inside.isEmpty { return .failure(.missing) }
                return .success(
                    inside.map { String($0.dropFirst(folder.utf8.count + 1)) }
                        .filter { !$0.contains("/") }.sorted())
            })
    }
}

private enum Disk {
    /// Reads a pipe to its end, so that `-c <(command)` works. A pipe without a writer is empty.
    static func bytes(_ path: String) -> Result<[UInt8], FileSource.Failure> {
        do {
            let file = try FileDescriptor.open(
                FilePath(path), .readOnly, options: [.nonBlocking, .closeOnExec])
            return try file.closeAfter { .success(try read(file)) }
        } catch let error as Errno {
            return .failure(error == .noSuchFileOrDirectory ? .missing : .unreadable("\(error)"))
        } catch {
            return .failure(.unreadable("\(error)"))
        }
    }

    private static func read(_ file: FileDescriptor) throws -> [UInt8] {
        var bytes: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 1 << 16)
        while bytes.count <= YAMLNode.Limit.bytes {
            do {
                // Safe: the kernel writes inside the array, and only during the call.
                let count = try unsafe part.withUnsafeMutableBytes { try unsafe file.read(into: $0) }
                if count == 0 { return bytes }
                bytes += part[..<count]
            } catch Errno.wouldBlock {
                var wanted = pollfd(fd: file.rawValue, events: Int16(POLLIN), revents: 0)
                // Safe: the kernel writes to this one entry, and only during the call.
                _ = unsafe poll(&wanted, 1, -1)
            }
        }
        return Array(bytes.prefix(YAMLNode.Limit.bytes + 1))
    }

    static func names(_ folder: String) -> Result<[String], FileSource.Failure> {
        if let names = try? FileManager.default.contentsOfDirectory(atPath: folder) {
            return .success(names.sorted())
        }
        do {
            try FileDescriptor.open(FilePath(folder), .readOnly, options: [.directory, .closeOnExec]).close()
            return .failure(.unreadable("the folder cannot be listed"))
        } catch let error as Errno {
            return .failure(error == .noSuchFileOrDirectory ? .missing : .unreadable("\(error)"))
        } catch {
            return .failure(.unreadable("\(error)"))
        }
    }
}
