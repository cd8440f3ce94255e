/// Makes the heads of answers to range requests from a stored head. The result has the stored form: no Age,
/// no blank line.

public import Bytes
internal import HTTP

extension StoredHead {
    /// Appends the head of a 206 (RFC 9110 §15.3.7).
    ///
    /// - Parameters:
    ///   - range: the bytes to send, at least one, of a body of `bodyCount` bytes.
    public static func appendPartial(
        _ head: Span<UInt8>, _ range: Range<Int>, of bodyCount: Int, to output: inout ByteBuffer
    ) {
        output.append("HTTP/1.1 206 Partial Content\r\n")
        var position = 0
        while let line = nextLine(of: head, from: &position) {
            guard !isOfWhole(line, of: head) else { continue }
            output.append(head.extracting(line))
            output.append("\r\n")
        }
        output.append("Content-Range: bytes ")
        output.append(decimal: UInt64(range.lowerBound))
        output.append("-")
        output.append(decimal: UInt64(range.upperBound &- 1))
        output.append("/")
        output.append(decimal: UInt64(bodyCount))
        output.append("\r\nContent-Length: ")
        output.append(decimal: UInt64(range.count))
        output.append("\r\n")
    }

    /// Appends the head of a 416 without a body (RFC 9110 §15.5.17).
    public static func appendUnsatisfiable(
        _ head: Span<UInt8>, bodyCount: Int, to output: inout ByteBuffer
    ) {
        output.append("HTTP/1.1 416 Range Not Satisfiable\r\n")
        var position = 0
        while let line = nextLine(of: head, from: &position) {
            guard
                value(ofLine: line, "date", in: head) != nil
                    || value(ofLine: line, "cache-status", in: head) != nil
            else { continue }
            output.append(head.extracting(line))
            output.append("\r\n")
        }
        output.append("Content-Range: bytes */")
        output.append(decimal: UInt64(bodyCount))
        output.append("\r\nContent-Length: 0\r\n")
    }

    /// Does this line describe the whole content? (`Repr-Digest` describes the representation: it stays.)
    private static func isOfWhole(_ line: Range<Int>, of head: Span<UInt8>) -> Bool {
        guard !line.isEmpty, head[line.lowerBound] | 0x20 == UInt8(ascii: "c") else {
            return value(ofLine: line, "digest", in: head) != nil
        }
        return value(ofLine: line, "content-length", in: head) != nil
            || value(ofLine: line, "content-range", in: head) != nil
            || value(ofLine: line, "content-md5", in: head) != nil
            || value(ofLine: line, "content-digest", in: head) != nil
    }
}
