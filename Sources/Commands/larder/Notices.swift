/// Writes Larder's notices to stderr. They come from swift-log. A line looks like this:
/// `2026-11-24T02:28:01.123Z info    listening address=127.0.0.1:8080`.
///
/// Lines of several threads do not mix. No thread waits for the reader of stderr: if there is no room for a
/// line, it is dropped, and the next line that has room says how many were dropped. Control bytes are
/// escaped, because a notice may quote a client.

internal import Foundation
internal import Kernel
internal import Logging

struct Notices: LogHandler {
    var logLevel = Logger.Level.info
    var metadata: Logger.Metadata = [:]

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let milliseconds = Int((Date().timeIntervalSince1970 * 1000).rounded(.down))
        let all = metadata.merging(event.metadata ?? [:]) { $1 }
        let line = Self.line(
            milliseconds: milliseconds, level: event.level, message: event.message.description,
            metadata: all.sorted { $0.key < $1.key }.map { ($0.key, $0.value.description) },
            hasColour: Terminal.hasColour)
        Self.output.withLock { $0.write(line) }
    }

    private static let output = Locked(NoticeOutput())

    static func line(
        milliseconds: Int, level: Logger.Level, message: String, metadata: [(String, String)], hasColour: Bool
    ) -> String {
        let name = level.rawValue + String(repeating: " ", count: max(0, 7 - level.rawValue.count))
        let shownName = hasColour ? colour(level) + name + "\u{1b}[0m" : name
        var line = "\(timestamp(milliseconds)) \(shownName) \(escaped(message))"
        for (key, value) in metadata {
            let value = escaped(value)
            line += " \(key)=" + (value.contains(" ") || value.isEmpty ? "\"\(value)\"" : value)
        }
        return line + "\n"
    }

    private static func colour(_ level: Logger.Level) -> String {
        switch level {
        case .trace, .debug: "\u{1b}[2m"
        case .info, .notice: "\u{1b}[36m"
        case .warning: "\u{1b}[33m"
        case .error, .critical: "\u{1b}[31m"
        }
    }

    private static func escaped(_ text: String) -> String {
        var out = ""
        for scalar in text.unicodeScalars {
            if scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value) {
                out += "\\x" + (scalar.value < 0x10 ? "0" : "") + String(scalar.value, radix: 16)
            } else {
                out.unicodeScalars.append(scalar)
            }
        }
        return out
    }

    /// Milliseconds since 1970 as ISO 8601 in UTC. The computation of the date, in the proleptic Gregorian
    /// calendar, follows Howard Hinnant's `civil_from_days`.
    static func timestamp(_ milliseconds: Int) -> String {
        let days = milliseconds / 86_400_000 + 719_468
        let era = days / 146_097
        let dayOfEra = days % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * shifted + 2) / 5 + 1
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        let rest = milliseconds % 86_400_000
        func padded(_ number: Int, _ width: Int) -> String {
            let text = String(number)
            return String(repeating: "0", count: max(0, width - text.count)) + text
        }
        return "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))T\(padded(rest / 3_600_000, 2)):"
            + "\(padded(rest / 60_000 % 60, 2)):\(padded(rest / 1000 % 60, 2)).\(padded(rest % 1000, 3))Z"
    }
}

/// Writes lines to standard error as far as there is room.
private struct NoticeOutput {
    /// The number of lines dropped since the last whole line.
    private var dropped = 0
    /// Was only a part of the last line written?
    private var isInsideLine = false

    mutating func write(_ line: String) {
        var text = isInsideLine ? "\n" : ""
        if dropped > 0 { text += "(notices dropped before this one: \(dropped))\n" }
        let before = text.utf8.count
        text += line
        let count = StandardError.writeSoon(Array(text.utf8).span)
        if count > 0 { isInsideLine = count < text.utf8.count }
        if count >= before, count > 0 { dropped = 0 }
        if count < text.utf8.count { dropped += 1 }
    }
}
