/// The words of a line and the functions of a file: the part of a parser that the rules need.

/// A line cut into identifiers and single characters, blanks left out.
struct Words {
    let all: [Substring]

    init(_ line: String) {
        var words: [Substring] = []
        var rest = line[...]
        while let first = rest.first {
            if Self.isWord(first) {
                let word = rest.prefix(while: Self.isWord)
                words.append(word)
                rest = rest.dropFirst(word.count)
            } else {
                if first != " " { words.append(rest.prefix(1)) }
                rest = rest.dropFirst()
            }
        }
        all = words
    }

    static func isWord(_ character: Character) -> Bool { character.isLetter || character.isNumber || character == "_" }

    func contains(_ word: String) -> Bool { all.contains { $0 == word } }

    func contains(_ word: String, before next: String) -> Bool {
        all.indices.dropLast().contains { all[$0] == word && all[$0 + 1] == next }
    }

    func contains(_ word: String, after previous: String) -> Bool {
        all.indices.dropFirst().contains { all[$0] == word && all[$0 - 1] == previous }
    }
}

struct Functions {
    struct Extent: Equatable {
        var name: String
        /// Lines, from 0.
        var first: Int
        var last: Int
        var parameters = 0
    }

    /// Functions with a body, inner ones too, in the order of their ends.
    static func all(in code: [String]) -> [Extent] {
        var functions = Functions()
        for (number, line) in code.enumerated() { functions.read(Words(line).all, line: number) }
        return functions.found
    }

    private var found: [Extent] = []
    /// One for each open brace: the function it opened, or nil.
    private var open: [Extent?] = []
    /// A declaration whose body has not begun, and the parentheses open since.
    private var pending: Extent?
    private var parentheses = 0
    /// Brackets and angle brackets that are open within the parameters.
    private var brackets = 0
    private var hasParameters = false
    private var previous: Substring = ""

    /// A parameter's colon stands directly in the first parentheses.
    private var isBetweenParameters: Bool {
        pending != nil && parentheses == 1 && brackets == 0 && !hasParameters
    }

    private mutating func read(_ words: [Substring], line: Int) {
        for (index, word) in words.enumerated() {
            defer { previous = word }
            switch word {
            case "func", "init", "deinit", "subscript":
                // Not a call: `self.init`, `.init(…)`.
                guard previous != ".", parentheses == 0 || pending == nil else { continue }
                let name = word == "func" && index + 1 < words.count ? String(words[index + 1]) : String(word)
                pending = Extent(name: name, first: line, last: line)
                parentheses = 0
                brackets = 0
                hasParameters = false
            case "(" where pending != nil:
                if parentheses == 0 { brackets = 0 }
                parentheses += 1
            case ")" where pending != nil:
                parentheses -= 1
                if parentheses == 0 { hasParameters = true }
            case "[" where pending != nil, "<" where pending != nil: brackets += 1
            case "]" where pending != nil: brackets -= 1
            case ">" where pending != nil && previous != "-": brackets -= 1
            case ":" where isBetweenParameters: pending?.parameters += 1
            case "{" where parentheses == 0:
                open.append(pending)
                pending = nil
            case "{": open.append(nil)
            case "}":
                // A requirement of a protocol has no body.
                if parentheses == 0 { pending = nil }
                if var function = open.popLast() ?? nil {
                    function.last = line
                    found.append(function)
                }
            default: continue
            }
        }
    }
}
