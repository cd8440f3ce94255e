/// The text of a configuration file. `init` checks that it is UTF-8 and has only characters that YAML allows.
/// `explained` turns libyaml's message about a mistake into a plainer one.

struct SourceText {
    /// UTF-8, without a byte order mark.
    let bytes: [UInt8]

    /// - Throws: the first byte or character that is not allowed, with its line and column.
    init(_ bytes: [UInt8]) throws(YAMLNode.SyntaxError) {
        guard bytes.count <= YAMLNode.Limit.bytes else {
            throw YAMLNode.SyntaxError(
                line: nil, message: "found a file of more than 1MiB; allowed: at most 1MiB")
        }
        if let name = Self.otherEncoding(bytes) {
            throw YAMLNode.SyntaxError(line: 1, message: "found \(name); allowed: UTF-8")
        }
        let mark: [UInt8] = [0xef, 0xbb, 0xbf]
        self.bytes = bytes.starts(with: mark) ? Array(bytes.dropFirst(3)) : bytes
        try check()
    }

    /// UTF-16 and UTF-32 texts begin with zero bytes or with a byte order mark of their own.
    private static func otherEncoding(_ bytes: [UInt8]) -> String? {
        if bytes.starts(with: [0xff, 0xfe, 0, 0]) || bytes.starts(with: [0, 0, 0xfe, 0xff]) {
            return "UTF-32"
        }
        if bytes.starts(with: [0xff, 0xfe]) || bytes.starts(with: [0xfe, 0xff]) { return "UTF-16" }
        guard bytes.count >= 4 else { return nil }
        return switch (bytes[0] == 0, bytes[1] == 0, bytes[2] == 0, bytes[3] == 0) {
        case (true, false, true, false), (false, true, false, true): "UTF-16"
        case (true, true, true, false), (false, true, true, true): "UTF-32"
        default: nil
        }
    }

    private func check() throws(YAMLNode.SyntaxError) {
        var place = (line: 1, column: 1)
        var directives = 0
        var index = 0
        while index < bytes.count {
            guard let (value, count) = scalar(at: index) else {
                throw YAMLNode.SyntaxError(
                    line: place.line,
                    message:
                        "found the byte 0x\(Self.hex(UInt32(bytes[index]), 2)) in column "
                        + "\(place.column), which is not UTF-8; allowed: UTF-8")
            }
            if place.column == 1, value == 0x25 { directives += 1 }
            guard Self.isAllowed(value) else {
                throw YAMLNode.SyntaxError(
                    line: place.line,
                    message:
                        "found the character U+\(Self.hex(value, 4)) in column \(place.column); allowed: no "
                        + "control characters")
            }
            guard directives <= YAMLNode.Limit.directives else {
                throw YAMLNode.SyntaxError(
                    line: place.line,
                    message:
                        "found more than \(YAMLNode.Limit.directives) lines that begin with '%'; allowed: "
                        + "\(YAMLNode.Limit.directives)")
            }
            index += count
            // CRLF is one line break.
            let isBreak =
                Self.isBreak(value) && !(value == 0x0d && index < bytes.count && bytes[index] == 0x0a)
            place = isBreak ? (place.line + 1, 1) : (place.line, place.column + 1)
        }
    }

    /// The character that begins at `index` and its length, or nil if the bytes are not UTF-8.
    private func scalar(at index: Int) -> (UInt32, Int)? {
        let first = bytes[index]
        if first < 0x80 { return (UInt32(first), 1) }
        let count = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2
        guard first >= 0xc2, first <= 0xf4, index + count <= bytes.count else { return nil }
        var value = UInt32(first) & (0x7f >> UInt32(count))
        for next in bytes[(index + 1)..<(index + count)] {
            guard next & 0xc0 == 0x80 else { return nil }
            value = value << 6 | UInt32(next & 0x3f)
        }
        let isShortest = count == 2 || value >= (count == 3 ? 0x800 : 0x1_0000)
        return isShortest && Unicode.Scalar(value) != nil ? (value, count) : nil
    }

    /// `c-printable` of YAML without byte order marks.
    private static func isAllowed(_ value: UInt32) -> Bool {
        switch value {
        case 0x09, 0x0a, 0x0d, 0x20...0x7e, 0x85, 0xa0...0xfefe, 0xff00...0xfffd, 0x1_0000...0x10_ffff: true
        default: false
        }
    }

    /// Does libyaml count a new line after this character?
    private static func isBreak(_ value: UInt32) -> Bool {
        switch value {
        case 0x0a, 0x0d, 0x85, 0x2028, 0x2029: true
        default: false
        }
    }

    private static func hex(_ value: UInt32, _ width: Int) -> String {
        let digits = String(value, radix: 16, uppercase: true)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}

// MARK: Mistakes

extension SourceText {
    private var lines: [Substring] {
        String(decoding: bytes, as: UTF8.self)
            .split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
    }

    /// The number of the last line that is not empty. A mistake at the end of the file is reported there.
    var lineCount: Int {
        let lines = lines
        return max(1, lines.last?.isEmpty == true ? lines.count - 1 : lines.count)
    }

    /// The message for a mistake: libyaml's text and a hint, or a plainer text for a tab.
    func explained(_ problem: String, _ context: String?, line: Int, column: Int) -> String {
        let lines = lines
        let text = lines.indices.contains(line - 1) ? Array(lines[line - 1].unicodeScalars) : []
        let tab = "; indent lines with spaces"
        if let place = text.prefix(while: { $0 == " " || $0 == "\t" }).firstIndex(of: "\t") {
            return "not valid YAML: found a tab in column \(place + 1)\(tab)"
        }
        let found = text.indices.contains(column - 1) ? text[column - 1] : nil
        if found == "\t" { return "not valid YAML: found a tab in column \(column)\(tab)" }
        if problem.hasPrefix("Maximum nesting level") { return YAMLNode.tooDeep }
        let words = context.map { "\(problem), \($0)" } ?? problem
        return "not valid YAML: \(words)\(Self.hint(text, found, context ?? ""))"
    }

    /// A hint for a value that YAML reads as something else unless it has quotes.
    private static func hint(_ line: [Unicode.Scalar], _ found: Unicode.Scalar?, _ context: String) -> String
    {
        if context.contains("alias") { return "; a text that begins with '*' needs quotes: '*.example.com'" }
        if context.contains("anchor") { return "; a text that begins with '&' needs quotes" }
        if let found, "@`%".unicodeScalars.contains(found) {
            return "; a text that begins with '\(found)' needs quotes"
        }
        for index in line.indices.prefix(256) where line[index] == "[" {
            let rest = line[(index + 1)...].prefix(64)
            let address = rest.prefix { $0 != "]" && $0 != "," && $0 != " " }
            let isClosed = rest.dropFirst(address.count).first == "]"
            if isClosed, address.count(where: { $0 == ":" }) >= 2 {
                return "; an IPv6 address needs quotes: '[::]:8080'"
            }
        }
        return ""
    }
}
