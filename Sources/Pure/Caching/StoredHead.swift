/// The head of an entry in its stored form: a status line and field lines, each with CRLF, without the blank
/// line. On a hit, the head on the wire is these bytes, then the lines that differ from hit to hit (Age,
/// Cache-Status, Connection if needed), then the blank line.
///
/// The stored form omits fields that concern one connection only (RFC 9110 §7.6.1), Content-Length (replaced
/// by the length of the stored body) and Age (written on each hit). Date is added if the origin sent none.

public import Bytes
public import HTTP

public enum StoredHead {
    /// Appends the stored form of `response`.
    ///
    /// - Parameters:
    ///   - bodyCount: bytes of the body as stored.
    ///   - receivedSeconds: Unix time, for a missing Date.
    ///   - limit: `Rules.maxHeadBytes`.
    ///   - transform: `.varies` if other clients may get the answer compressed or decoded; `.coded` if the
    ///     stored body is already compressed.
    /// - Returns: nil, or `.headTooLarge`; then `head` is unchanged.
    public static func write(
        _ response: borrowing ResponseHead, _ bytes: Span<UInt8>, bodyCount: Int, receivedSeconds: Int64,
        limit: Int, transform: HeadTransform = .none, into head: inout ByteBuffer
    ) -> Reason? {
        let start = head.count
        var transform = transform
        head.append("HTTP/1.1 ")
        head.append(decimal: UInt64(response.status))
        head.append(UInt8(ascii: " "))
        head.append(bytes.slice(response.reason))
        head.append("\r\n")
        for index in 0..<response.fields.count {
            let field = response.fields[index]
            if field.id == .contentLength || field.id == .age || HopByHop.contains(field.id) { continue }
            if response.connection.nominates(line: index) { continue }
            transform.append(bytes.slice(field.name), bytes.slice(field.value), field.id, to: &head)
        }
        transform.finish(to: &head)
        if !response.fields.contains(.date) {
            head.append("Date: ")
            HTTPDate.append(receivedSeconds, to: &head)
            head.append("\r\n")
        }
        // RFC 9110 §8.6: not with 204.
        if response.status != 204 {
            head.append("Content-Length: ")
            head.append(decimal: UInt64(bodyCount))
            head.append("\r\n")
        }
        guard head.count &- start <= limit else {
            head.removeLast(head.count &- start)
            return .headTooLarge
        }
        return nil
    }

    /// The value of the line with this (lower-case) name in a stored head; nil if there is none or more than
    /// one.
    @_lifetime(copy head)
    static func field(_ name: StaticString, in head: Span<UInt8>) -> Span<UInt8>? {
        var found: Range<Int>?
        var position = 0
        while let line = nextLine(of: head, from: &position) {
            guard let value = value(ofLine: line, name, in: head) else { continue }
            if found != nil { return nil }
            found = value
        }
        guard let found else { return nil }
        return head.extracting(found)
    }

    /// Does Vary say that the answer exists in other codings? It does if it lists Accept-Encoding or `*`.
    static func variesByCoding(_ head: Span<UInt8>) -> Bool {
        hasLine("vary", in: head) { HeadTransform.coversAcceptEncoding($0) }
    }

    /// Is there a line of this (lower-case) name whose value satisfies `passes`?
    static func hasLine(_ name: StaticString, in head: Span<UInt8>, passes: (Span<UInt8>) -> Bool) -> Bool {
        var position = 0
        while let line = nextLine(of: head, from: &position) {
            if let value = value(ofLine: line, name, in: head), passes(head.extracting(value)) { return true }
        }
        return false
    }

    /// The next field line (without CRLF). If `position` is 0, skips the status line first.
    static func nextLine(of head: Span<UInt8>, from position: inout Int) -> Range<Int>? {
        if position == 0 {
            guard let end = head.firstIndex(of: 0x0a) else { return nil }
            position = end &+ 1
        }
        guard position < head.count, let end = head.firstIndex(of: 0x0a, from: position) else { return nil }
        let start = position
        position = end &+ 1
        return start..<(end > start && head[end &- 1] == 0x0d ? end &- 1 : end)
    }

    /// The range of the value, if `line` has this (lower-case) name.
    static func value(ofLine line: Range<Int>, _ name: StaticString, in head: Span<UInt8>) -> Range<Int>? {
        // The position of the colon rules out most names.
        let colon = line.lowerBound &+ name.utf8CodeUnitCount
        guard colon < line.upperBound, head[colon] == UInt8(ascii: ":"),
            head.extracting(line.lowerBound..<colon).equalsIgnoringCase(name)
        else { return nil }
        let start = colon &+ 1
        let value = head.extracting(start..<line.upperBound).trimmedRange()
        return (start &+ value.lowerBound)..<(start &+ value.upperBound)
    }
}
