/// Shows the line of a head that breaks a rule. For logs and notices; messages that keep the rules do not
/// come here.

public import Bytes

public enum Fault {
    /// Maximum bytes shown.
    public static var limit: Int { 96 }

    /// Appends the lines of a head that break the rule `refusal`, without their line breaks, at most `limit`
    /// bytes in all. Appends nothing if no single line is the cause: a head that is too large, a missing
    /// Host.
    ///
    /// The bytes come from the peer and may be anything. They are read in one pass.
    public static func append(_ refusal: BrokenRule, of head: Span<UInt8>, to out: inout ByteBuffer) {
        let end = out.count + limit
        switch refusal {
        case .requestLine, .target, .method, .version, .targetTooLong:
            append(line(of: head, from: startLine(head)), of: head, until: end, to: &out)
        case .fieldLine, .fieldValue, .bareLineBreak:
            append(brokenLine(refusal, of: head), of: head, until: end, to: &out)
        case .host: appendLines(named: "host", "host", of: head, until: end, to: &out)
        case .framing:
            appendLines(named: "content-length", "transfer-encoding", of: head, until: end, to: &out)
        case .headTooLarge, .chunk, .trailers, .bodyTooLarge: break
        }
    }

    /// Appends the bytes around `place`, where a body reader refused its input; at most `limit` bytes.
    public static func append(at place: Int, of bytes: Span<UInt8>, to out: inout ByteBuffer) {
        let start = max(0, min(place, bytes.count) - limit / 3)
        out.append(bytes.extracting(start..<min(bytes.count, start + limit)))
    }

    private static func startLine(_ head: Span<UInt8>) -> Int {
        head.count > 1 && head[0] == FieldLine.carriageReturn && head[1] == FieldLine.lineFeed ? 2 : 0
    }

    /// The line that begins at `start`, with its line break.
    private static func line(of head: Span<UInt8>, from start: Int) -> Range<Int> {
        let lineFeed = head.firstIndex(of: FieldLine.lineFeed, from: min(start, head.count))
        return min(start, head.count)..<(lineFeed.map { $0 + 1 } ?? head.count)
    }

    private static func append(
        _ range: Range<Int>, of head: Span<UInt8>, until end: Int, to out: inout ByteBuffer
    ) {
        var range = range
        // Do not show the line break, unless the line break is the error.
        if range.count > 1, head[range.upperBound - 2] == FieldLine.carriageReturn,
            head[range.upperBound - 1] == FieldLine.lineFeed
        {
            range = range.lowerBound..<(range.upperBound - 2)
        }
        out.append(head.extracting(range).extracting(first: min(range.count, max(0, end - out.count))))
    }

    /// The first line that `FieldLine.parse` refuses, or that contains a bare CR or LF.
    private static func brokenLine(_ refusal: BrokenRule, of head: Span<UInt8>) -> Range<Int> {
        let isBreak = refusal == .bareLineBreak
        var start = startLine(head)
        var isStart = true
        while start < head.count {
            let range = line(of: head, from: start)
            if isBreak, hasBareBreak(head.extracting(range)) { return range }
            if !isStart, head[start] != FieldLine.carriageReturn,
                case .refused(refusal, _) = FieldLine.parse(head, from: start)
            {
                return range
            }
            isStart = false
            start = range.upperBound
        }
        return 0..<0
    }

    private static func hasBareBreak(_ line: Span<UInt8>) -> Bool {
        for index in 0..<line.count {
            switch line[index] {
            case FieldLine.lineFeed:
                if index == 0 || line[index - 1] != FieldLine.carriageReturn { return true }
            case FieldLine.carriageReturn:
                if index + 1 < line.count, line[index + 1] != FieldLine.lineFeed { return true }
            default: break
            }
        }
        return false
    }

    private static func appendLines(
        named first: StaticString, _ second: StaticString, of head: Span<UInt8>, until end: Int,
        to out: inout ByteBuffer
    ) {
        var start = line(of: head, from: startLine(head)).upperBound
        var isFirst = true
        while start < head.count, out.count < end {
            let range = line(of: head, from: start)
            start = range.upperBound
            guard let colon = head.firstIndex(of: UInt8(ascii: ":"), from: range.lowerBound),
                colon < range.upperBound
            else { continue }
            let name = head.extracting(range.lowerBound..<colon)
            guard name.equalsIgnoringCase(first) || name.equalsIgnoringCase(second) else { continue }
            if !isFirst { out.append(" | ") }
            isFirst = false
            append(range, of: head, until: end, to: &out)
        }
    }
}
