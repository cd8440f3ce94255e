/// Parses request heads (RFC 9112 §3, §5, §6). Strict: whatever two recipients could read differently is
/// refused.
///
/// One pass over the bytes, without allocation. A line is judged when its LF has arrived, so the verdict does
/// not depend on how the bytes were cut. One exception: the method is judged byte by byte, so a TLS
/// ClientHello is refused at its first byte. Errors are reported in the order of the bytes, then for Host,
/// then for framing.
import Bytes

/// The result of parsing a start line.
enum StartLineResult {
    /// The line is incomplete. It begins at `lineStart`, which is behind an empty line if one came.
    case incomplete(lineStart: Int)
    /// The line is complete; this is the index behind its CRLF.
    case whole(Int)
    case refused(BrokenRule)
}

extension RequestHead {
    /// Parses the head at the front of `bytes`. Slices and `.complete(n)` count from `bytes[0]`. One empty
    /// line before the request line is skipped and included in the count.
    ///
    /// After `.needMore`, call again with the same bytes, more bytes behind them, and the same `scan`. Every
    /// other result resets `scan`. Unless the result is `.complete`, the content of this head is meaningless.
    /// No byte is read more than twice, however the bytes are cut.
    public mutating func parse(
        _ bytes: borrowing Span<UInt8>, limits: HeadLimits, scan: inout HeadScan
    )
        -> HeadResult
    {
        let view = bytes.extracting(0..<min(bytes.count, limits.head))
        fields.trustsClaims = false
        var result = HeadResult.needMore
        var isRecalled = false
        if !scan.scanIncompleteLine(view) {
            while true {
                result = parse(view, limits: limits, resuming: &scan, isRecalled: &isRecalled)
                guard case .complete = result, scan.lines > 0 else { break }
                // The head arrived in pieces: parse it again, from its first byte.
                scan = HeadScan()
            }
        }
        switch result {
        case .needMore:
            if bytes.count < limits.head { return .needMore }
            result = .refused(scan.lines == 0 ? Self.refusalOfLongLine(view) : .headTooLarge)
        case .complete where isRecalled: break
        case .complete(let end):
            if let refusal = judge(view) {
                result = .refused(refusal)
            } else {
                rememberFields(view, end: end)
            }
        case .refused: break
        }
        scan = HeadScan()
        return result
    }

    /// Parses from the incomplete line on. The result is a whole head only if that line is the first one.
    @inline(__always)
    private mutating func parse(
        _ bytes: Span<UInt8>, limits: HeadLimits, resuming scan: inout HeadScan, isRecalled: inout Bool
    ) -> HeadResult {
        var cursor = Int(scan.lineStart)
        var lines = Int(scan.lines)
        if lines == 0 {
            switch parseRequestLine(bytes, from: cursor, firstWordIsWhole: &scan.firstWordIsWhole) {
            case .whole(let next): cursor = next
            case .refused(let refusal): return .refused(refusal)
            case .incomplete(let start):
                scan.stop(atLine: start, lines: 0, bytes: bytes)
                return .needMore
            }
            lines = 1
            if let end = recallFields(bytes, from: cursor, limits) {
                isRecalled = true
                return .complete(end)
            }
        }
        recalled.forget()
        return fields.parseLines(
            bytes, from: cursor, lines: lines, limits: limits, isAnswer: false, scan: &scan)
    }

    private mutating func parseRequestLine(
        _ bytes: Span<UInt8>, from lineStart: Int, firstWordIsWhole: inout Bool
    ) -> StartLineResult {
        var start = lineStart
        if start == 0, bytes.count > 0, bytes[0] == FieldLine.carriageReturn {
            guard bytes.count > 1 else { return .incomplete(lineStart: 0) }
            guard bytes[1] == FieldLine.lineFeed else { return .refused(.bareLineBreak) }
            start = 2
        }
        var cursor = start
        if let known = Method.known(bytes, at: start) {
            method = known.method
            cursor &+= known.count
        } else {
            // An unknown method, or a line that is too short to be complete.
            method = .other
            while cursor < bytes.count, bytes[cursor] != 0x20 {
                guard ASCII.token.contains(bytes[cursor]) else {
                    return .refused(bytes[cursor] == FieldLine.lineFeed ? .bareLineBreak : .requestLine)
                }
                cursor &+= 1
            }
            guard cursor < bytes.count else { return .incomplete(lineStart: start) }
            guard cursor > start else { return .refused(.requestLine) }
        }
        firstWordIsWhole = true
        methodName = Slice(parsed: start, count: cursor &- start)

        let targetStart = cursor &+ 1
        let pathEnd = bytes.firstNonPath(from: targetStart, hasMarks: &pathHasMarks)
        let targetEnd = Self.targetEnd(bytes, pathEnd: pathEnd)
        guard targetEnd < bytes.count else { return .incomplete(lineStart: start) }
        guard bytes[targetEnd] == 0x20, targetEnd > targetStart else {
            return brokenTarget(bytes, at: targetEnd, lineStart: start)
        }
        target = Slice(parsed: targetStart, count: targetEnd &- targetStart)

        switch HTTPVersion.parse(bytes, from: targetEnd &+ 1) {
        case .minor(let minor, let end):
            guard bytes.hasPair(FieldLine.lineBreak, at: end) else {
                return HTTPVersion.brokenEnd(bytes, from: targetEnd &+ 1, lineStart: start)
            }
            minorVersion = minor
            if method == .connect || method == .trace { return .refused(.method) }
            return parseTarget(bytes, pathEnd: pathEnd) ? .whole(end &+ 2) : .refused(.target)
        case .other: return HTTPVersion.brokenEnd(bytes, from: targetEnd &+ 1, lineStart: start)
        }
    }

    /// The refusal for a request line that fills the whole head: the method does not end (501, RFC 9112 §3),
    /// the target does not end (414), or the text behind the target is too long.
    private static func refusalOfLongLine(_ bytes: Span<UInt8>) -> BrokenRule {
        guard let methodEnd = bytes.firstIndex(of: 0x20) else { return .method }
        return bytes.firstIndex(of: 0x20, from: methodEnd &+ 1) == nil ? .targetTooLong : .requestLine
    }

    /// The refusal for a target that is empty or does not end in a space (as in HTTP/0.9).
    private func brokenTarget(_ bytes: Span<UInt8>, at index: Int, lineStart: Int) -> StartLineResult {
        guard FieldLine.hasLineEnd(bytes, from: index) else { return .incomplete(lineStart: lineStart) }
        switch bytes[index] {
        case FieldLine.lineFeed: return .refused(.bareLineBreak)
        case FieldLine.carriageReturn:
            return .refused(bytes[index &+ 1] == FieldLine.lineFeed ? .requestLine : .bareLineBreak)
        case 0x20: return .refused(.requestLine)
        default: return .refused(.target)
        }
    }

    /// Applies the rules that need the whole head. Nil if the head keeps them.
    @inline(__always)
    private mutating func judge(_ bytes: Span<UInt8>) -> BrokenRule? {
        guard judgeHost(bytes) else { return .host }
        guard let framing = FieldFraming.judge(fields, bytes, minorVersion: minorVersion) else {
            return .framing
        }
        self.framing = framing.body
        connection = ConnectionOptions(fields, bytes)
        keepAlive = connection.keepsAlive(minorVersion: minorVersion)
        expectsContinue = minorVersion == 1 && fields.isSingle(.expect, equalTo: "100-continue", bytes)
        upgradesToWebSocket =
            connection.upgrade && minorVersion == 1 && method == .get && self.framing == .none
            && fields.isSingle(.upgrade, equalTo: "websocket", bytes)
        return nil
    }
}

extension FieldTable {
    /// Is there exactly one line of this name, with this value in any case?
    @inline(__always)
    func isSingle(_ id: FieldName, equalTo lowercaseLiteral: StaticString, _ bytes: Span<UInt8>) -> Bool {
        guard let field = first(id), !isRepeated(id) else { return false }
        return bytes.slice(field.value).equalsIgnoringCase(lowercaseLiteral)
    }
}

extension Method {
    /// The method at `start`, if a space follows it, and its length without the space. Nil for other methods,
    /// and if fewer than eight bytes are left. Methods are case-sensitive (RFC 9110 §9.1).
    @inline(__always)
    static func known(_ bytes: Span<UInt8>, at start: Int) -> (method: Method, count: Int)? {
        guard start &+ 8 <= bytes.count else { return nil }
        let word = bytes.word(at: start)
        if word.begins(with: "GET ") { return (.get, 3) }
        if word.begins(with: "HEAD ") { return (.head, 4) }
        if word.begins(with: "POST ") { return (.post, 4) }
        if word.begins(with: "PUT ") { return (.put, 3) }
        if word.begins(with: "DELETE ") { return (.delete, 6) }
        if word.begins(with: "OPTIONS ") { return (.options, 7) }
        if word.begins(with: "TRACE ") { return (.trace, 5) }
        if word.begins(with: "CONNECT ") { return (.connect, 7) }
        if word.begins(with: "PATCH ") { return (.patch, 5) }
        return nil
    }
}

extension UInt64 {
    /// Are the lowest bytes equal to a literal of at most eight bytes?
    @inline(__always)
    fileprivate func begins(with literal: StaticString) -> Bool {
        let unused = UInt64((8 &- literal.utf8CodeUnitCount) &* 8)
        return self &<< unused == literal.word(at: 0) &<< unused
    }
}
