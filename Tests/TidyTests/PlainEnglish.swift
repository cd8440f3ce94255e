/// Words and phrases that have no place in plain technical English: turns that readers stumble over. The rule reads
/// comments, messages and documents; it knows no grammar, so it lists only phrases that are never right.

enum PlainEnglish {
    // With a dot in place of a blank, so that the rule does not find itself.
    /// Banned anywhere in a sentence.
    private static let phrases = [
        "whoever", "of.whom", "to.whom", "for.it.would", "save.that", "comes.to.nothing", "of.no.use", "thereof",
        "those.who", "nobody's",
    ].map { $0.replacing(".", with: " ") }
    /// Banned at the beginning of a sentence.
    private static let openings = ["Who", "Of.nothing", "Else"].map { $0.replacing(".", with: " ") + " " }

    static func check(_ file: SourceFile) -> [Finding] {
        file.lines.indices.compactMap { index in
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
