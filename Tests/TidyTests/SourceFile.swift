/// A source file as the rules read it: its lines, and its lines without comments and literals.

import Foundation

struct SourceFile: Sendable {
    enum Kind: Sendable { case swift, c, script }

    /// From the root of the repository, with `/`.
    let path: String
    let kind: Kind
    let lines: [String]
    /// The same lines, comments and the insides of literals replaced by blanks. Of Swift and C only.
    let code: [String]

    init(path: String, text: String) {
        self.path = path
        kind =
            path.hasSuffix(".swift") ? .swift
            : path.hasSuffix(".c") || path.hasSuffix(".h") ? .c : .script
        lines = Self.split(text)
        code = kind == .script ? [] : Self.split(Blanking.code(of: text, swift: kind == .swift))
    }

    var name: String { String(path.split(separator: "/").last ?? "") }
    var isTest: Bool { path.hasPrefix("Tests/") }

    /// `HTTP` for Sources/Pure/HTTP/…, `DataPlane` for Sources/DataPlane/…, `perf/Floor` for perf/Floor/…; nil
    /// elsewhere.
    var module: String? {
        let parts = path.split(separator: "/").map(String.init)
        guard parts.count > 2 else { return nil }
        if parts[0] == "Sources" { return Repository.floors.contains(parts[1]) ? parts[2] : parts[1] }
        return parts[0] == "perf" && kind != .script ? "perf/" + parts[1] : nil
    }

    func finding(_ line: Int, _ message: String) -> Finding { Finding(path: path, line: line + 1, message: message) }

    /// Lines without their ends; a last line end makes no empty line.
    private static func split(_ text: String) -> [String] {
        // By bytes: to Swift, CR LF is one character.
        var lines = Array(text.utf8).split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
        if lines.last == "" { lines.removeLast() }
        return lines
    }
}

struct Finding: Sendable, Equatable, CustomStringConvertible {
    let path: String
    /// From 1.
    let line: Int
    let message: String

    var description: String { "\(path):\(line): \(message)" }
}

/// The repository that this file is in.
enum Repository {
    /// `TIDY_ROOT` checks another checkout.
    static let root: URL =
        ProcessInfo.processInfo.environment["TIDY_ROOT"].map { URL(fileURLWithPath: $0) }
        ?? URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    static let files: [SourceFile] = {
        var files: [SourceFile] = []
        for folder in ["Sources", "Tests", "perf", "packaging", ".ci"] {
            let base = root.appendingPathComponent(folder)
            let names = (try? FileManager.default.subpathsOfDirectory(atPath: base.path)) ?? []
            for name in names.sorted() where isSource("\(folder)/\(name)") {
                guard let text = try? String(contentsOf: base.appendingPathComponent(name), encoding: .utf8) else { continue }
                files.append(SourceFile(path: "\(folder)/\(name)", text: text))
            }
        }
        if let text = try? String(contentsOf: root.appendingPathComponent("Package.swift"), encoding: .utf8) {
            files.append(SourceFile(path: "Package.swift", text: text))
        }
        return files
    }()

    /// The documents for readers.
    static let documents: [SourceFile] = {
        let base = root.appendingPathComponent("docs")
        let names = (try? FileManager.default.subpathsOfDirectory(atPath: base.path)) ?? []
        return (names.sorted().map { "docs/" + $0 } + ["README.md", "ARCHITECTURE.md"]).compactMap { path in
            guard path.hasSuffix(".md"),
                let text = try? String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
            else { return nil }
            return SourceFile(path: path, text: text)
        }
    }()

    /// Swift, C, Python, and scripts: files without an extension, outside the folders of test data.
    static func isSource(_ path: String) -> Bool {
        let parts = path.split(separator: "/")
        guard let last = parts.last, !parts.contains("corpus"), !parts.contains("results"), !parts.contains("__pycache__")
        else { return false }
        if let dot = last.lastIndex(of: "."), dot != last.startIndex {
            return ["swift", "c", "h", "py"].contains(last[last.index(after: dot)...])
        }
        return ["perf", "packaging", ".ci"].contains(parts[0]) && !isFolder(path)
    }

    private static func isFolder(_ path: String) -> Bool {
        (try? root.appendingPathComponent(path).resourceValues(forKeys: [.isDirectoryKey]).isDirectory) ?? false
    }

    /// Folders of Sources whose folders are modules. Every other folder of Sources is a module itself.
    static let floors: Set<String> = ["C", "Pure", "System", "Engines", "Control", "Commands"]

    /// The modules that have a folder.
    static var modules: [String] {
        folders(of: "Sources").flatMap { floors.contains($0) ? folders(of: "Sources/\($0)") : [$0] }
    }

    private static func folders(of path: String) -> [String] {
        let base = root.appendingPathComponent(path)
        return ((try? FileManager.default.contentsOfDirectory(atPath: base.path)) ?? [])
            .filter { !$0.hasPrefix(".") }.sorted()
    }
}
