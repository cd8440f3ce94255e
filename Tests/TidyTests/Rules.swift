/// The rules. Each is a pure function from a file to its findings.

import Testing

struct Rule: Sendable, CustomTestStringConvertible {
    let name: String
    let check: @Sendable (SourceFile) -> [Finding]

    var testDescription: String { name }

    static let all: [Rule] = [
        Rule(name: "imports are those of the table", check: Rules.imports),
        Rule(name: "unsafe only where listed", check: Rules.unsafe),
        Rule(name: "nothing that traps without a reason", check: Rules.traps),
        Rule(name: "files are short", check: Rules.fileLength),
        Rule(name: "lines are short", check: Rules.lineLength),
        Rule(name: "functions are short", check: Rules.functionLength),
        Rule(name: "functions have few parameters", check: Rules.parameters),
        Rule(name: "files open with a comment", check: Rules.opening),
        Rule(name: "no notes to self", check: Rules.notes),
        Rule(name: "plain English", check: PlainEnglish.check),
        Rule(name: "no tabs, no trailing blanks, one line end at the end", check: Rules.blanks),
    ]
}

enum Rules {
    // The exact numbers of the house style. Files, functions and parameters of tests and perf have the same limits.
    static let maximumFileLength = 400
    static let maximumFunctionLength = 70
    static let maximumLineLength = 110
    static let maximumParameters = 7
    /// Functions that are still longer: `File.swift function`. The list only shrinks (`everyExceptionIsNeeded`).
    static let longFunctions: Set<String> = [
        "Server.swift init", "Worker+Response.swift handleResponseHead",
    ]
    /// Tests alone have longer lines: a table of requests reads best with one request a line.
    static let maximumTestLineLength = 160
    static let maximumScriptLineLength = 120

    // MARK: - Modules

    static func imports(_ file: SourceFile) -> [Finding] {
        guard file.kind == .swift, let module = file.module else { return [] }
        guard let row = ImportTable.rows[module] else {
            return [file.finding(0, "module \(module) is not in Tests/TidyTests/ImportTable.swift")]
        }
        return file.code.enumerated().compactMap { index, line in
            guard let (name, attributes) = importedModule(line) else { return nil }
            if attributes.contains("@testable") { return file.finding(index, "@testable outside of tests") }
            guard !row.imports.contains(name) else { return nil }
            let allowed = row.imports.isEmpty ? "nothing" : row.imports.sorted().joined(separator: ", ")
            return file.finding(index, "\(module) may not import \(name); allowed: \(allowed)")
        }
    }

    /// The module of `public import struct Kernel.Socket`: `Kernel`.
    static func importedModule(_ line: String) -> (name: String, attributes: Set<String>)? {
        let words = line.split(whereSeparator: { $0 == " " || $0 == ";" }).map(String.init)
        guard let place = words.firstIndex(of: "import"), words.count > place + 1,
            words[..<place].allSatisfy({ $0.hasPrefix("@") || accessLevels.contains($0) })
        else { return nil }
        let rest = words[(place + 1)...].drop(while: importKinds.contains)
        guard let name = rest.first?.split(separator: ".").first else { return nil }
        return (String(name), Set(words[..<place]))
    }

    private static let accessLevels: Set = ["public", "package", "internal", "fileprivate", "private"]
    private static let importKinds: Set = ["struct", "class", "enum", "protocol", "func", "var", "let", "typealias"]

    // MARK: - Safety

    static func unsafe(_ file: SourceFile) -> [Finding] {
        guard file.kind == .swift, let module = file.module, let row = ImportTable.rows[module] else { return [] }
        var findings: [Finding] = []
        for (index, line) in file.code.enumerated() {
            let words = Words(line)
            if !row.unsafe.allows(file: file.name), words.contains("unsafe") || words.contains("safe", after: "@") {
                findings.append(
                    file.finding(index, "`unsafe` is not for \(file.path); Tests/TidyTests/ImportTable.swift lists where it is"))
            }
            if words.contains("unchecked", after: "@"), !ImportTable.unchecked.contains(file.path) {
                findings.append(file.finding(index, "`@unchecked` is only for the files that ImportTable.unchecked lists"))
            }
        }
        return findings
    }

    static func traps(_ file: SourceFile) -> [Finding] {
        // A test that traps has failed.
        guard file.kind == .swift, !file.isTest else { return [] }
        var findings: [Finding] = []
        for (index, line) in file.code.enumerated() {
            let words = Words(line)
            if words.contains("try", before: "!") {
                findings.append(file.finding(index, "`try!` traps on an expected error; handle it or let it through"))
            }
            if words.contains("fatalError"), !ImportTable.fatal.contains(file.path) {
                findings.append(
                    file.finding(index, "`fatalError`: a broken invariant is a precondition, anything else an outcome"))
            }
        }
        return findings
    }

    // MARK: - Size

    static func fileLength(_ file: SourceFile) -> [Finding] {
        guard file.lines.count > maximumFileLength else { return [] }
        return [file.finding(maximumFileLength, "\(file.lines.count) lines; at most \(maximumFileLength) a file")]
    }

    static func lineLength(_ file: SourceFile) -> [Finding] {
        let limit =
            file.isTest ? maximumTestLineLength : file.kind == .script ? maximumScriptLineLength : maximumLineLength
        return file.lines.enumerated().compactMap { index, line in
            line.count > limit ? file.finding(index, "\(line.count) characters; at most \(limit) a line") : nil
        }
    }

    /// Counts from the line of `func`, `init`, `deinit` or `subscript` to that of its closing brace.
    static func functionLength(_ file: SourceFile) -> [Finding] {
        guard file.kind == .swift else { return [] }
        return Functions.all(in: file.code).compactMap { function in
            let length = function.last - function.first + 1
            guard length > maximumFunctionLength, !longFunctions.contains("\(file.name) \(function.name)") else {
                return nil
            }
            return file.finding(
                function.first, "\(function.name): \(length) lines; at most \(maximumFunctionLength) a function")
        }
    }

    /// Functions that still have more: `File.swift function`. The list only shrinks (`everyExceptionIsNeeded`).
    static let manyParameters: Set<String> = [
        "AccessRecord.swift init", "EntryFacts.swift init", "Exchange.swift init", "ExplainFetch.swift run",
        "Freshness.swift walkFreshness", "OriginRequest.swift append", "Rules+Record.swift writeRecord",
        "Rules+Response.swift walk", "Section.swift init", "StoreThread+Insert.swift insert", "StoreThread+Insert.swift replace",
        "StoreThread+Renew.swift renew", "StoreThread+Renew.swift tryRenewal", "StoreThread+Renew.swift write",
        "Worker+Hit.swift find", "Worker+Hit.swift findPlainly", "Worker+Recode.swift commit",
        "Worker+Renew.swift renew", "Worker+Renew.swift sendRefused", "Worker+Renew.swift updateByHead",
        "Worker+Store.swift commit", "Worker+Undo.swift composeUndone",
    ]

    /// More parameters than this are a type without a name. The limit holds for Sources.
    static func parameters(_ file: SourceFile) -> [Finding] {
        guard file.kind == .swift, file.path.hasPrefix("Sources/") else { return [] }
        return Functions.all(in: file.code).compactMap { function in
            guard function.parameters > maximumParameters,
                !manyParameters.contains("\(file.name) \(function.name)")
            else { return nil }
            return file.finding(
                function.first,
                "\(function.name): \(function.parameters) parameters; at most \(maximumParameters) a function")
        }
    }

    // MARK: - Form

    /// Imports, and in C the preprocessor's lines, may come first.
    static func opening(_ file: SourceFile) -> [Finding] {
        for (index, line) in file.lines.enumerated() {
            let text = line.drop(while: { $0 == " " })
            if text.isEmpty || importedModule(line) != nil || file.kind == .c && text.hasPrefix("#") { continue }
            let opens = file.kind == .script ? ["#", "\"\"\""] : ["//", "/*"]
            if opens.contains(where: text.hasPrefix) { return [] }
            return [file.finding(index, "the file opens without a comment on what it is for")]
        }
        // A shim that only includes a library's header says so by its folder.
        let isShim = file.kind == .c && (1...5).contains(file.lines.count)
        return isShim ? [] : [file.finding(0, "an empty file")]
    }

    static func notes(_ file: SourceFile) -> [Finding] {
        file.lines.enumerated().compactMap { index, line in
            let words = Words(line)
            guard let word = noteWords.first(where: { words.contains($0) }) else { return nil }
            return file.finding(index, "\(word): do it, or file an issue")
        }
    }

    // In pieces, so that the rule does not find itself.
    private static let noteWords = ["TO" + "DO", "FIX" + "ME"]

    static func blanks(_ file: SourceFile) -> [Finding] {
        var findings: [Finding] = []
        for (index, line) in file.lines.enumerated() {
            if line.contains("\t") { findings.append(file.finding(index, "a tab; four blanks")) }
            if line.last == " " || line.last == "\t" || line.last == "\r" {
                findings.append(file.finding(index, "blanks at the end of the line"))
            }
        }
        if file.lines.last == "" { findings.append(file.finding(file.lines.count - 1, "empty lines at the end")) }
        return findings
    }
}
