/// What a line of the access log looks like: `json`, `combined`, `combined+cache`, or a template.
///
/// A template is text with `$field` or `${field}` in it (`$$` is a dollar sign), say
///
///     ${time} $client "$method $target" $status $bytes $duration_us $cache/$reason
///
/// Values stand escaped as in Apache's log, and `-` where there is none; so a line stays a line.
public enum LogFormat: Sendable, Equatable {
    case json
    case template([Piece])

    public enum Piece: Sendable, Equatable {
        case text([UInt8])
        case field(Field)
    }

    /// What a template can name.
    public enum Field: String, Sendable, CaseIterable {
        /// RFC 3339 with milliseconds, UTC.
        case time
        /// As in Apache's common log: `06/Nov/1994:08:49:37 +0000`.
        case timeLocal = "time_local"
        case client, peer, method, target, host, version, status, bytes
        case durationMicroseconds = "duration_us"
        /// `reason` is the strongest; `reasons` are all, with commas between them.
        case cache, reason, reasons, cause, rule, found, route, server
        case failedServer = "failed_server"
        /// `spill` or `retry`; none where the balance chose the server.
        case choice
        case referer
        case userAgent = "user_agent"
    }

    /// Apache's combined log format.
    public static var combined: LogFormat { known(combinedTemplate) }
    /// The combined format, then how the cache took part and the duration in microseconds.
    public static var combinedCache: LogFormat { known(combinedTemplate + " $cache $duration_us") }

    private static var combinedTemplate: String {
        #"$client - - [$time_local] "$method $target $version" $status $bytes "$referer" "$user_agent""#
    }

    /// A template of this program's own.
    private static func known(_ template: String) -> LogFormat {
        var parser = TemplateParser(template)
        guard case .success(let pieces) = parser.parse() else {
            preconditionFailure("the program's own format must parse")
        }
        return .template(pieces)
    }

    /// What is wrong with a format, in words for the one who wrote it.
    public struct Problem: Error, Equatable, Sendable, CustomStringConvertible {
        public var description: String
    }

    /// Reads a format's name or a template.
    public init(parsing text: String) throws(Problem) {
        if text == "json" {
            self = .json
            return
        }
        if text == "combined" {
            self = .combined
            return
        }
        if text == "combined+cache" {
            self = .combinedCache
            return
        }
        guard text.utf8.contains(0x24) else {
            throw Problem(
                description: "unknown log format '\(text)': expected json, combined, combined+cache, or a "
                    + "template with at least one $field, such as '$time $client $status'")
        }
        var parser = TemplateParser(text)
        self = .template(try parser.parse().get())
    }
}

private struct TemplateParser {
    private let bytes: [UInt8]
    private var index = 0
    private var pieces: [LogFormat.Piece] = []
    private var text: [UInt8] = []

    init(_ template: String) { bytes = Array(template.utf8) }

    mutating func parse() -> Result<[LogFormat.Piece], LogFormat.Problem> {
        while index < bytes.count {
            let byte = bytes[index]
            index += 1
            guard byte == 0x24 else {
                if byte < 0x20 && byte != 0x09 || byte == 0x7f {
                    return problem("a control character", at: index - 1)
                }
                text.append(byte)
                continue
            }
            if index < bytes.count, bytes[index] == 0x24 {
                text.append(0x24)
                index += 1
                continue
            }
            switch field() {
            case .success(let field):
                endText()
                pieces.append(.field(field))
            case .failure(let problem): return .failure(problem)
            }
        }
        endText()
        return .success(pieces)
    }

    private mutating func endText() {
        if !text.isEmpty { pieces.append(.text(text)) }
        text = []
    }

    /// The name behind a `$`.
    private mutating func field() -> Result<LogFormat.Field, LogFormat.Problem> {
        let dollar = index - 1
        let braced = index < bytes.count && bytes[index] == 0x7b
        if braced { index += 1 }
        let start = index
        while index < bytes.count, isNameByte(bytes[index]) { index += 1 }
        let name = String(decoding: bytes[start..<index], as: UTF8.self)
        if braced {
            guard index < bytes.count, bytes[index] == 0x7d else {
                return problem("'${\(name)' without its '}'", at: dollar)
            }
            index += 1
        }
        if name.isEmpty {
            return problem("a '$' without a field's name (write '$$' for a dollar sign)", at: dollar)
        }
        if let field = LogFormat.Field(rawValue: name) { return .success(field) }
        let known = LogFormat.Field.allCases.map(\.rawValue).joined(separator: ", ")
        return problem("unknown field '\(name)'; the fields are \(known)", at: dollar)
    }

    private func isNameByte(_ byte: UInt8) -> Bool { byte &- 0x61 < 26 || byte == 0x5f }

    private func problem<T>(_ text: String, at offset: Int) -> Result<T, LogFormat.Problem> {
        .failure(LogFormat.Problem(description: "log format, character \(offset + 1): \(text)"))
    }
}
