/// Range requests answered from a stored 200 (RFC 9110 §14).
///
/// Larder answers a single range of bytes: closed, open or suffix. For several ranges, and for a malformed
/// value, it sends the whole answer: that is permitted, and never larger than the stored answer.

internal import Bytes
public import HTTP

public enum RangeRequest {
    public enum Outcome: Sendable, Equatable {
        /// There is no range, or the range is ignored: send the whole answer.
        case whole
        /// Send these bytes of the body, at least one, in a 206.
        case part(Range<Int>)
        /// Send 416.
        case unsatisfiable
    }

    /// Evaluates Range. `Conditional.evaluate` comes first (RFC 9110 §13.2.2).
    ///
    /// - Parameters:
    ///   - bytes: the buffer that `request` was parsed from.
    ///   - head: the stored head.
    ///   - status: the stored status; only a 200 has parts.
    ///   - bodyCount: bytes of the body that belongs to `head`.
    ///   - nowSeconds: Unix time, for two-digit years.
    public static func evaluate(
        _ request: borrowing RequestHead, _ bytes: Span<UInt8>, head: Span<UInt8>, status: UInt16,
        bodyCount: Int, nowSeconds: Int64
    ) -> Outcome {
        guard request.method == .get, status == 200, let field = request.fields.first(.range),
            !request.fields.isRepeated(.range), let wanted = one(bytes.slice(field.value)),
            isCurrent(request, bytes, head, nowSeconds)
        else { return .whole }
        switch wanted {
        case .from(let first, let last):
            guard first < bodyCount else { return .unsatisfiable }
            return .part(Int(first)..<(Int(min(last, UInt64(bodyCount &- 1))) &+ 1))
        case .last(let count):
            guard count > 0 else { return .unsatisfiable }
            // An empty body has no part that Content-Range could name.
            guard bodyCount > 0 else { return .whole }
            return .part((bodyCount &- Int(min(count, UInt64(bodyCount))))..<bodyCount)
        }
    }

    private enum Wanted {
        /// Both ends are inclusive; an open end is `.max`.
        case from(UInt64, last: UInt64)
        /// This many bytes at the end.
        case last(UInt64)
    }

    /// The only member of `bytes=…`; nil for several members, another unit, or a malformed value.
    private static func one(_ value: Span<UInt8>) -> Wanted? {
        guard let equals = value.firstIndex(of: UInt8(ascii: "=")),
            value.extracting(first: equals).equalsIgnoringCase("bytes")
        else { return nil }
        let set = value.extracting(droppingFirst: equals &+ 1)
        var members = ListTokens(set)
        guard let member = members.next(), members.next() == nil else { return nil }
        let text = set.extracting(member)
        guard let dash = text.firstIndex(of: UInt8(ascii: "-")) else { return nil }
        let end = text.extracting(droppingFirst: dash &+ 1)
        guard dash > 0 else {
            guard let count = end.decimalSaturating() else { return nil }
            return .last(count)
        }
        guard let first = text.extracting(first: dash).decimalSaturating() else { return nil }
        if end.isEmpty { return .from(first, last: .max) }
        guard let last = end.decimalSaturating(), first <= last else { return nil }
        return .from(first, last: last)
    }

    /// Does `If-Range` (§13.1.5) hold? It holds if it is a strong tag equal to the stored one, or the date of
    /// the stored Last-Modified. The date must be a strong validator, so no other coding of this answer may
    /// share it (§8.8.1). Without the field, the result is true.
    private static func isCurrent(
        _ request: borrowing RequestHead, _ bytes: Span<UInt8>, _ head: Span<UInt8>, _ nowSeconds: Int64
    ) -> Bool {
        guard let field = request.fields.first(.ifRange) else { return true }
        guard !request.fields.isRepeated(.ifRange) else { return false }
        let condition = bytes.slice(field.value)
        guard let date = HTTPDate.parse(condition, now: nowSeconds) else {
            guard let tag = StoredHead.field("etag", in: head) else { return false }
            return EntityTag.isStrong(condition, equalTo: tag)
        }
        guard !StoredHead.variesByCoding(head),
            let modifiedText = StoredHead.field("last-modified", in: head),
            let modified = HTTPDate.parse(modifiedText, now: nowSeconds), modified == date,
            let sentText = StoredHead.field("date", in: head),
            let sent = HTTPDate.parse(sentText, now: nowSeconds)
        else { return false }
        // §8.8.2.2: the resource may have changed twice within one second. A minute also covers a difference
        // between the two clocks.
        return sent &- modified >= 60
    }
}
