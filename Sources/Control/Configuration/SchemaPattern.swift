/// Regular expressions for the JSON Schemas, as strict as the parsers of the values. They use only the
/// features that ECMA-262, the dialect of JSON Schema, shares with other dialects.
enum Pattern {
    /// The decimal numbers of a range, with or without leading zeros.
    static func number(_ range: ClosedRange<Int>) -> String { "0*(?:\(digits(range)))" }

    /// The same without leading zeros.
    static func digits(_ range: ClosedRange<Int>) -> String {
        precondition(range.lowerBound >= 0)
        var alternatives: [String] = []
        var low = range.lowerBound
        // One alternative for each number of digits.
        var end = 10
        while low <= range.upperBound {
            if low < end {
                let high = min(range.upperBound, end - 1)
                alternatives.append(sameLength(Array("\(low)".utf8), Array("\(high)".utf8)))
                low = high + 1
            }
            let (next, overflow) = end.multipliedReportingOverflow(by: 10)
            if overflow { break }
            end = next
        }
        return alternatives.joined(separator: "|")
    }

    /// The numbers from `low` to `high`, which have the same number of digits.
    private static func sameLength(_ low: [UInt8], _ high: [UInt8]) -> String {
        guard let first = low.first, let last = high.first else { return "" }
        let count = low.count - 1
        let lowRest = Array(low.dropFirst())
        let highRest = Array(high.dropFirst())
        if first == last { return digit(first) + grouped(sameLength(lowRest, highRest)) }
        let zeros = [UInt8](repeating: 0x30, count: count)
        let nines = [UInt8](repeating: 0x39, count: count)
        var alternatives: [String] = []
        let start = lowRest == zeros ? first : first + 1
        let end = highRest == nines ? last : last - 1
        if start > first { alternatives.append(digit(first) + grouped(sameLength(lowRest, nines))) }
        if start <= end {
            let any = count == 0 ? "" : count == 1 ? "[0-9]" : "[0-9]{\(count)}"
            alternatives.append((start == end ? digit(start) : "[\(digit(start))-\(digit(end))]") + any)
        }
        if end < last { alternatives.append(digit(last) + grouped(sameLength(zeros, highRest))) }
        return alternatives.joined(separator: "|")
    }

    private static func digit(_ byte: UInt8) -> String { String(UnicodeScalar(byte)) }

    private static func grouped(_ pattern: String) -> String {
        pattern.contains("|") ? "(?:\(pattern))" : pattern
    }

    /// A whole number with one of the units, whose product is in the range.
    static func quantity(_ range: ClosedRange<Int>, units: [(name: String, scale: Int)]) -> String {
        let alternatives = units.compactMap { unit -> String? in
            let low = (range.lowerBound + unit.scale - 1) / unit.scale
            let high = range.upperBound / unit.scale
            return low <= high ? number(low...high) + unit.name : nil
        }
        return "^(?:\(alternatives.joined(separator: "|")))$"
    }

    // MARK: Names

    static let name = "[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
    static let token = "[!#$%&'*+.^_`|~0-9A-Za-z-]+"
    private static let label = "[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
    static let hostName = "(?=[^:]{1,253}(?::|\\.?$))\(label)(?:\\.\(label))*"
    /// A line without control characters.
    static let line = "[^\\u0000-\\u001f\\u007f]+"

    // MARK: Addresses

    private static let octet = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
    static let ipv4 = "\(octet)(?:\\.\(octet)){3}"
    static let ipv6: String = {
        let group = "[0-9A-Fa-f]{1,4}"
        let last = "(?:\(group):\(group)|\(ipv4))"
        // RFC 3986 §3.2.2: one alternative for each number of groups before `::`.
        var formats = ["(?:\(group):){6}\(last)", "::(?:\(group):){5}\(last)"]
        for before in 0..<5 {
            let behind = before == 4 ? last : "(?:\(group):){\(4 - before)}\(last)"
            formats.append("(?:(?:\(group):){0,\(before)}\(group))?::\(behind)")
        }
        formats.append("(?:(?:\(group):){0,5}\(group))?::\(group)")
        formats.append("(?:(?:\(group):){0,6}\(group))?::")
        return "(?:\(formats.joined(separator: "|")))"
    }()
    private static let unix = "unix:/[^\\u0000]{0,106}"
    private static let port = "(?=[0-9]{1,5}$)\(number(0...65_535))"
    private static let serverPort = "(?=[0-9]{1,5}$)\(number(1...65_535))"

    static let bind = "^(?:\(unix)|(?:\(ipv4)|\\[\(ipv6)\\]):\(port))$"
    static let server =
        "^(?:\(unix)|(?:\(ipv4)|\\[\(ipv6)\\]|(?![0-9.]+:)\(hostName)):\(serverPort))$"
    static let dnsName = "^(?![0-9.]+:)\(hostName):\(serverPort)$"
    static let peer: String = {
        let prefixes = [number(0...32), number(0...128)].map { "(?:/(?=[0-9]{1,3}$)\($0))?" }
        return "^(?:unix|\(ipv4)\(prefixes[0])|\(ipv6)\(prefixes[1]))$"
    }()
    static let host = "^(?:\\[\(ipv6)\\]|(?:\\*\\.)?\(hostName)\\.?)$"
    static let path = "^/[!\"$->@-~]{0,1023}$"
}

/// JSON Schemas of scalars. Larder reads every scalar as a text. An editor reads a scalar that looks like a
/// number as a number, so the schemas allow both.
enum Schema {
    static func text(_ pattern: String) -> Document {
        .object(["type": "string", "pattern": .text(pattern)])
    }

    /// - Parameter isValid: accepts the allowed texts. The schema allows numbers if it accepts `1`, and
    ///   booleans if it accepts `true`.
    static func scalar(_ pattern: String, isValid: (String) -> Bool) -> Document {
        var types: [Document] = ["string"]
        if isValid("1") { types.append("number") }
        if isValid("true") { types.append("boolean") }
        return .object(["type": types.count == 1 ? "string" : .list(types), "pattern": .text(pattern)])
    }

    static func integer(_ range: ClosedRange<Int>, pattern: String) -> Document {
        .object([
            "type": .list(["integer", "string"]), "minimum": .number(range.lowerBound),
            "maximum": .number(range.upperBound), "pattern": .text(pattern),
        ])
    }

    /// A schema that no value satisfies, for keys that are not built yet.
    static var nothing: Document { .object(["not": .map([])]) }

    /// Exactly one of the cases: its key is present, and the keys in `without` are absent.
    static func oneOf(_ cases: [(key: String, without: [String])]) -> Document.Entry {
        .init(
            "oneOf",
            .list(
                cases.map { entry in
                    .object([
                        "required": .texts([entry.key]),
                        "properties": .map(entry.without.map { Document.Entry($0, .flag(false)) }),
                    ])
                }))
    }
}

extension ValueFormat {
    /// The same format with a different schema.
    func described(by schema: Document) -> ValueFormat {
        var format = self
        format.schema = schema
        return format
    }

    /// The same format with further entries in its schema.
    func described(with entries: [Document.Entry]) -> ValueFormat {
        guard case .map(let own) = schema else { preconditionFailure("a schema is a map") }
        return described(by: .map(own + entries))
    }
}
