/// Words and phrases that have no place in plain technical English: turns that readers stumble over. The rule reads
/// comments, messages and documents; it knows no grammar, so it lists only phrases that are never right.

enum PlainEnglish {
    /// Banned anywhere in a sentence. In pieces, so that the rule does not find itself.
    private static let phrases = [
        "who" + "ever", "of" + " whom", "to" + " whom", "for it" + " would", "save" + " that", "comes to" + " nothing",
        "that" + " of it",
    ]
    /// Banned at the beginning of a sentence.
    private static let openings = ["Who" + " ", "Of nothing" + " ", "Else" + " "]
    /// Where old comments still have them. The list only shrinks.
    private static let notYetPlain = [
        "Sources/DataPlane/", "Sources/Engines/", "Sources/Pure/", "Sources/System/", "Tests/SimulationTests/",
    ]

    static func check(_ file: SourceFile) -> [Finding] {
        if notYetPlain.contains(where: file.path.hasPrefix) { return [] }
        return file.lines.indices.compactMap { index in
            let prose = prose(of: file, line: index)
            guard let phrase = phrase(in: prose) else { return nil }
            return file.finding(index, "\"\(phrase)\": write a plain sentence with subject, verb and object")
        }
    }

    private static func phrase(in prose: String) -> String? {
        let words = " " + prose.lowercased().map { $0.isLetter || $0 == "'" ? $0 : " " } + " "
        if let found = phrases.first(where: { words.contains(" \($0) ") }) { return found }
        return openings.first { opening in
            prose.hasPrefix(opening) || prose.contains(". " + opening)
        }
    }

    /// The comments and literals of a line of code; the whole line of a script or a document.
    private static func prose(of file: SourceFile, line: Int) -> String {
        guard file.kind != .script, file.code.indices.contains(line) else { return file.lines[line] }
        let prose = zip(file.lines[line], file.code[line]).map { text, code in code == " " ? text : " " }
        return String(String(prose).drop { $0 == " " || $0 == "/" })
    }
}
