/// Parses response heads (RFC 9112 §4 to §6), as strictly as request heads, except that white space before a
/// colon is accepted. The caller answers 502 for every refusal.
///
/// As in a request, a line is judged when its LF has arrived. Only a beginning other than `HTTP/` is refused
/// at once.
import Bytes

extension ResponseHead {
    /// Parses the head at the front of `bytes`, the response to a request with `requestMethod`. Works as
    /// `RequestHead.parse`, but does not accept an empty line in front. A refused status line is
    /// `.requestLine` or `.version`.
    public mutating func parse(
        _ bytes: borrowing Span<UInt8>, limits: HeadLimits, scan: inout HeadScan, requestMethod: Method
    ) -> HeadResult {
        let view = bytes.extracting(0..<min(bytes.count, limits.head))
        var result = HeadResult.needMore
        if !scan.scanIncompleteLine(view) {
            result = parse(view, limits: limits, resuming: &scan)
            if case .complete = result, scan.lines > 0 { result = parseAnew(view, limits: limits, &scan) }
        }
        switch result {
        case .needMore:
            if bytes.count < limits.head { return .needMore }
            result = .refused(.headTooLarge)
        case .complete:
            if let refusal = judge(view, requestMethod) { result = .refused(refusal) }
        case .refused: break
        }
        scan = HeadScan()
        return result
    }

    /// Parses a head that arrived in pieces again, from its first byte.
    @inline(never)
    private mutating func parseAnew(
        _ bytes: Span<UInt8>, limits: HeadLimits, _ scan: inout HeadScan
    ) -> HeadResult {
        scan = HeadScan()
        return parse(bytes, limits: limits, resuming: &scan)
    }

    @inline(__always)
    private mutating func parse(
        _ bytes: Span<UInt8>, limits: HeadLimits, resuming scan: inout HeadScan
    )
        -> HeadResult
    {
        var cursor = Int(scan.lineStart)
        var lines = Int(scan.lines)
        if lines == 0 {
            switch parseStatusLine(bytes) {
            case .whole(let next): cursor = next
            case .refused(let refusal): return .refused(refusal)
            case .incomplete:
                // All bytes of a version but its slash are token bytes, so there is nothing to judge byte by
                // byte behind "HTTP/".
                scan.firstWordIsWhole = true
                scan.stop(atLine: 0, lines: 0, bytes: bytes)
                return .needMore
            }
            lines = 1
        }
        return fields.parseLines(
            bytes, from: cursor, lines: lines, limits: limits, isAnswer: true, scan: &scan)
    }

    /// `HTTP/1.x` SP 3DIGIT SP [reason] CRLF. If the reason is empty, the second space may be missing, as all
    /// recipients accept.
    private mutating func parseStatusLine(_ bytes: Span<UInt8>) -> StartLineResult {
        // The most common line by far.
        if bytes.startsWithOK {
            (minorVersion, status, reason) = (1, 200, Slice(parsed: 13, count: 2))
            return .whole(17)
        }
        guard case .minor(let minor, let end) = HTTPVersion.parse(bytes, from: 0) else {
            return brokenVersion(bytes)
        }
        var lineEnd = bytes.firstControl(from: end)
        if lineEnd < bytes.count, bytes[lineEnd] == 0x09 {
            lineEnd = FieldLine.controlBehindTabs(bytes, from: lineEnd)
        }
        guard lineEnd < bytes.count else { return .incomplete(lineStart: 0) }
        guard bytes.hasPair(FieldLine.lineBreak, at: lineEnd) else {
            return brokenLineEnd(bytes, at: lineEnd)
        }
        guard lineEnd >= 12, bytes[8] == 0x20,
            let code = bytes.word(at: 9, length: 3).decimalValue(digits: 3), code >= 100, code < 600,
            lineEnd == 12 || bytes[12] == 0x20
        else { return .refused(.requestLine) }
        minorVersion = minor
        status = UInt16(truncatingIfNeeded: code)
        reason = lineEnd > 13 ? Slice(parsed: 13, count: lineEnd &- 13) : .empty
        return .whole(lineEnd &+ 2)
    }

    private func brokenVersion(_ bytes: Span<UInt8>) -> StartLineResult {
        let known = min(bytes.count, 5)
        for index in 0..<known where bytes[index] != ("HTTP/" as StaticString).byte(at: index) {
            return .refused(bytes[index] == FieldLine.lineFeed ? .bareLineBreak : .requestLine)
        }
        guard FieldLine.hasLineEnd(bytes, from: known) else { return .incomplete(lineStart: 0) }
        let isVersion = HTTPVersion.isWellFormed(bytes, from: 0) && bytes.count > 8 && bytes[8] == 0x20
        return .refused(isVersion ? .version : .requestLine)
    }

    private func brokenLineEnd(_ bytes: Span<UInt8>, at index: Int) -> StartLineResult {
        guard FieldLine.hasLineEnd(bytes, from: index) else { return .incomplete(lineStart: 0) }
        let isBreak = bytes[index] == FieldLine.lineFeed || bytes[index] == FieldLine.carriageReturn
        return .refused(isBreak ? .bareLineBreak : .requestLine)
    }

    /// Applies the rules that need the whole head, and finds the framing (RFC 9112 §6.3).
    private mutating func judge(_ bytes: Span<UInt8>, _ requestMethod: Method) -> BrokenRule? {
        guard let stated = FieldFraming.judge(fields, bytes, minorVersion: minorVersion) else {
            return .framing
        }
        connection = ConnectionOptions(fields, bytes)
        keepAlive = connection.keepsAlive(minorVersion: minorVersion)
        let neverHasBody = status < 200 || status == 204
        if neverHasBody || status == 304 || requestMethod == .head {
            framing = .none
            // A length or coding that these responses must not have (RFC 9110 §8.6): the sender may send a
            // body all the same, so the connection is not reused.
            if neverHasBody, stated.body != .none, stated.body != .length(0) { keepAlive = false }
        } else if stated.body == .none {
            framing = .untilClose
            keepAlive = false
        } else {
            framing = stated.body
        }
        return nil
    }
}

extension Span<UInt8> {
    /// Is this `HTTP/1.1 200 OK` CRLF? Compares two words and the space between them.
    @inline(__always)
    fileprivate var startsWithOK: Bool {
        let line: StaticString = "HTTP/1.1 200 OK\r\n"
        return count >= 17 && word(at: 0) == line.word(at: 0) && word(at: 9) == line.word(at: 9)
            && self[8] == 0x20
    }
}
