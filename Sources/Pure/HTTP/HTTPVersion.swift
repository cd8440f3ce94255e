/// Parses `HTTP/1.0` and `HTTP/1.1` (RFC 9112 §2.3). Any other version is refused.
import Bytes

enum HTTPVersion {
    enum Result {
        /// HTTP/1.minor, and the index behind it.
        case minor(UInt8, end: Int)
        /// Another text, or too few bytes.
        case other
    }

    @inline(__always)
    static func parse(_ bytes: Span<UInt8>, from start: Int) -> Result {
        guard start &+ 8 <= bytes.count else { return .other }
        let word = bytes.word(at: start)
        if word == ("HTTP/1.1" as StaticString).word(at: 0) { return .minor(1, end: start &+ 8) }
        if word == ("HTTP/1.0" as StaticString).word(at: 0) { return .minor(0, end: start &+ 8) }
        return .other
    }

    /// Are the bytes at `start` `HTTP/` DIGIT `.` DIGIT?
    static func isWellFormed(_ bytes: Span<UInt8>, from start: Int) -> Bool {
        start &+ 8 <= bytes.count && bytes.extracting(start..<bytes.count).hasPrefix("HTTP/")
            && ASCII.isDigit(bytes[start &+ 5]) && bytes[start &+ 6] == 0x2e
            && ASCII.isDigit(bytes[start &+ 7])
    }

    /// The error in a request line whose version should begin at `start`, or `.incomplete`.
    static func brokenEnd(_ bytes: Span<UInt8>, from start: Int, lineStart: Int) -> StartLineResult {
        guard let lineFeed = bytes.firstIndex(of: FieldLine.lineFeed, from: start) else {
            return .incomplete(lineStart: lineStart)
        }
        guard lineFeed > start, bytes[lineFeed &- 1] == FieldLine.carriageReturn else {
            return .refused(.bareLineBreak)
        }
        let isVersion = lineFeed == start &+ 9 && isWellFormed(bytes, from: start)
        return .refused(isVersion ? .version : .requestLine)
    }
}
