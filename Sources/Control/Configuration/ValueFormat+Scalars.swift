/// Forms of simple values: numbers, sizes, durations, flags, words and texts.

internal import Settings

extension ValueFormat where Value == Int {
    static func count(_ range: ClosedRange<Int>) -> ValueFormat {
        let digits: (String) -> Int? = { text in
            // `Int(_:)` alone accepts a sign.
            guard text.utf8.allSatisfy({ $0 &- 0x30 < 10 }), let value = Int(text) else { return nil }
            return range.contains(value) ? value : nil
        }
        return ValueFormat(
            scalar: "number", allowed: "a whole number from \(range.lowerBound) to \(range.upperBound)",
            schema: Schema.integer(range, pattern: "^\(Pattern.number(range))$"),
            parse: digits, write: { .number($0) })
    }

    /// Bytes.
    static func size(_ range: ClosedRange<Int>) -> ValueFormat {
        let bounds = "from \(ByteCount.format(range.lowerBound)) to \(ByteCount.format(range.upperBound))"
        let example = [64 << 10, 256 << 20, 16 << 10].first { range.contains($0) } ?? range.upperBound
        return ValueFormat(
            scalar: "size", allowed: "a size \(bounds), such as \(ByteCount.format(example))",
            schema: Schema.integer(
                range, pattern: Pattern.quantity(range, units: ByteCount.units + [("", 1)])),
            parse: { ByteCount.parse($0).flatMap { range.contains($0) ? $0 : nil } },
            hint: { text in
                let number = text.prefix { $0.isASCII && $0.isNumber }
                let rest = text.dropFirst(number.count).drop { $0 == " " }
                guard !number.isEmpty, let letter = rest.first?.uppercased(), "KMGTB".contains(letter),
                    rest.count <= 3, ByteCount.parse(text) == nil
                else { return "" }
                return "; did you mean '\(number)\(letter == "B" ? "B" : "\(letter)iB")'?"
            },
            write: { .text(ByteCount.format($0)) })
    }

    /// Milliseconds.
    static func duration(_ range: ClosedRange<Int>) -> ValueFormat {
        let bounds =
            "from \(Milliseconds.format(range.lowerBound)) to \(Milliseconds.format(range.upperBound))"
        return ValueFormat(
            scalar: "duration", allowed: "a duration \(bounds), such as 30s (ms, s, m, h, d)",
            schema: Schema.text(Pattern.quantity(range, units: Milliseconds.units)),
            parse: { Milliseconds.parse($0).flatMap { range.contains($0) ? $0 : nil } },
            hint: { text in
                let isNumber = !text.isEmpty && text.utf8.allSatisfy { $0 &- 0x30 < 10 }
                return isNumber ? "; did you mean '\(text)s'?" : ""
            },
            write: { .text(Milliseconds.format($0)) })
    }

    /// Whole seconds. The file gives them as a duration.
    static func seconds(_ range: ClosedRange<Int>) -> ValueFormat {
        ValueFormat.duration(range.lowerBound * 1000...range.upperBound * 1000)
            .checked { milliseconds in
                milliseconds % 1000 == 0
                    ? nil
                    : "found '\(Milliseconds.format(milliseconds))'; allowed: a duration of whole seconds"
            }
            .map({ $0 / 1000 }, back: { $0 * 1000 })
            .described(
                by: Schema.text(
                    Pattern.quantity(
                        range,
                        // Of milliseconds the pattern accepts whole thousands only, and 0.
                        units: [
                            ("d", 86_400), ("h", 3600), ("m", 60), ("s", 1), ("000ms", 1), ("ms", 1 << 40),
                        ])))
    }

    static func percent(_ range: ClosedRange<Int>) -> ValueFormat {
        ValueFormat(
            scalar: "percentage", allowed: "a percentage from \(range.lowerBound)% to \(range.upperBound)%",
            schema: Schema.text("^\(Pattern.number(range))%$"),
            parse: { text in
                guard text.hasSuffix("%"), text.dropLast().utf8.allSatisfy({ $0 &- 0x30 < 10 }),
                    let value = Int(text.dropLast())
                else { return nil }
                return range.contains(value) ? value : nil
            },
            hint: { text in Int(text).map { range.contains($0) ? "; did you mean '\($0)%'?" : "" } ?? "" },
            write: { .text("\($0)%") })
    }
}

extension ValueFormat where Value == Bool {
    static var flag: ValueFormat {
        ValueFormat(
            scalar: "`true` or `false`", allowed: "true or false",
            schema: .object(["enum": .list([.flag(true), .flag(false), "true", "false"])]),
            parse: { $0 == "true" ? true : $0 == "false" ? false : nil },
            hint: { text in
                switch text.lowercased() {
                case "yes", "on", "y", "true", "1": "; did you mean 'true'?"
                case "no", "off", "n", "false", "0": "; did you mean 'false'?"
                default: ""
                }
            },
            write: { .flag($0) })
    }
}

extension ValueFormat where Value: RawRepresentable & CaseIterable, Value.RawValue == String {
    /// One of a few words.
    static var choice: ValueFormat {
        let words = Value.allCases.map(\.rawValue)
        return ValueFormat(
            scalar: words.map { "`\($0)`" }.joined(separator: ", "), allowed: words.joined(separator: ", "),
            schema: .object(["enum": .texts(words)]), parse: { Value(rawValue: $0) },
            hint: { Suggestion.text(for: $0, among: words) }, write: { .text($0.rawValue) })
    }
}

extension ValueFormat where Value == String {
    /// A line of text.
    /// - Parameter pattern: a regular expression for the texts that `isValid` accepts.
    static func text(
        _ type: String = "text", allowed: String = "a line of text", pattern: String = Pattern.line,
        isValid: @escaping (String) -> Bool = { _ in true }
    ) -> ValueFormat {
        ValueFormat(
            scalar: type, allowed: allowed, schema: Schema.scalar("^(?:\(pattern))$", isValid: isValid),
            parse: { text in
                let isLine =
                    !text.isEmpty && text.utf8.count <= 65_536
                    && text.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7f }
                return isLine && isValid(text) ? text : nil
            }, write: { .text($0) })
    }

    /// A name that is valid in a path of the admin API and in a metric.
    static var name: ValueFormat {
        text(
            "name",
            allowed: "a name of at most 64 letters, digits, '.', '_' and '-', a letter or digit first",
            pattern: Pattern.name
        ) {
            Naming.isName($0)
        }
    }

    /// The value of an HTTP field: visible ASCII, with spaces inside.
    static var fieldValue: ValueFormat {
        text(
            "field value", allowed: "a field value: visible ASCII, no blank at its ends",
            pattern: "[!-~](?:[ -~]*[!-~])?"
        ) { text in
            text.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7f } && text.first != " " && text.last != " "
        }
    }
}

enum Naming {
    static func isName(_ text: String) -> Bool {
        guard let first = text.utf8.first, text.utf8.count <= 64, isAlphanumeric(first) else { return false }
        return text.utf8.allSatisfy { isAlphanumeric($0) || "._-".utf8.contains($0) }
    }

    /// `token` of RFC 9110 §5.6.2: field names, methods.
    static func isToken(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { isAlphanumeric($0) || "!#$%&'*+-.^_`|~".utf8.contains($0) }
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        (byte | 0x20) &- 0x61 < 26 || byte &- 0x30 < 10
    }
}
