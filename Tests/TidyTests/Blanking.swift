/// Takes comments and literals out of a source text, so that a rule about code does not trip over a word in a sentence.
///
/// Every byte that goes becomes a blank, line ends stay: columns and lines are those of the original. Knows nested block
/// comments, strings with escapes, raw strings and multi-line ones; an interpolation counts as part of its string.

enum Blanking {
    static func code(of text: String, swift: Bool) -> String {
        var machine = Machine(text: Array(text.utf8), swift: swift)
        return machine.run()
    }

    private struct Machine {
        let text: [UInt8]
        let swift: Bool
        var out: [UInt8] = []
        var index = 0

        init(text: [UInt8], swift: Bool) {
            self.text = text
            self.swift = swift
            out.reserveCapacity(text.count)
        }

        mutating func run() -> String {
            while index < text.count {
                if starts("//") {
                    while index < text.count, text[index] != UInt8(ascii: "\n") { blank() }
                } else if starts("/*") {
                    blockComment()
                } else if let hashes = literal() {
                    string(hashes: hashes)
                } else if !swift, text[index] == UInt8(ascii: "'") {
                    characterConstant()
                } else {
                    out.append(text[index])
                    index += 1
                }
            }
            return String(decoding: out, as: UTF8.self)
        }

        func starts(_ word: StaticString, at offset: Int = 0) -> Bool {
            let word = word.description.utf8
            guard index + offset + word.count <= text.count else { return false }
            return zip(word, text[(index + offset)...]).allSatisfy(==)
        }

        mutating func blank(_ count: Int = 1) {
            for _ in 0..<count where index < text.count {
                out.append(text[index] == UInt8(ascii: "\n") ? UInt8(ascii: "\n") : UInt8(ascii: " "))
                index += 1
            }
        }

        mutating func blockComment() {
            var depth = 0
            repeat {
                if starts("/*"), swift || depth == 0 {
                    depth += 1
                    blank(2)
                } else if starts("*/") {
                    depth -= 1
                    blank(2)
                } else {
                    blank()
                }
            } while depth > 0 && index < text.count
        }

        mutating func characterConstant() {
            blank()
            while index < text.count, text[index] != UInt8(ascii: "'"), text[index] != UInt8(ascii: "\n") {
                blank(text[index] == UInt8(ascii: "\\") ? 2 : 1)
            }
            blank()
        }

        /// The number of `#` before a string's quote, where one starts here.
        func literal() -> Int? {
            var hashes = 0
            while index + hashes < text.count, swift, text[index + hashes] == UInt8(ascii: "#") { hashes += 1 }
            return index + hashes < text.count && text[index + hashes] == UInt8(ascii: "\"") ? hashes : nil
        }

        func hashes(_ count: Int, at offset: Int) -> Bool {
            (0..<count).allSatisfy { index + offset + $0 < text.count && text[index + offset + $0] == UInt8(ascii: "#") }
        }

        mutating func string(hashes count: Int) {
            blank(count)
            let multiline = swift && starts("\"\"\"")
            blank(multiline ? 3 : 1)
            while index < text.count {
                if text[index] == UInt8(ascii: "\\"), hashes(count, at: 1) {
                    let isInterpolation = index + 1 + count < text.count && text[index + 1 + count] == UInt8(ascii: "(")
                    blank(2 + count)
                    if swift, isInterpolation { interpolation() }
                } else if multiline ? starts("\"\"\"") && hashes(count, at: 3) : starts("\"") && hashes(count, at: 1) {
                    blank((multiline ? 3 : 1) + count)
                    return
                } else if !multiline, text[index] == UInt8(ascii: "\n") {
                    return
                } else {
                    blank()
                }
            }
        }

        /// From behind `\(` to behind its `)`; strings within may hold anything.
        mutating func interpolation() {
            var depth = 1
            while depth > 0, index < text.count {
                if let hashes = literal() {
                    string(hashes: hashes)
                    continue
                }
                if text[index] == UInt8(ascii: "(") { depth += 1 }
                if text[index] == UInt8(ascii: ")") { depth -= 1 }
                blank()
            }
        }
    }
}
