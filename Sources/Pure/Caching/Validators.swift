/// The conditions of a revalidation, and whether the 304 is about the stored entry (RFC 9111 §4.3).

public import Bytes
internal import HTTP
internal import Settings

public enum Validators {
    /// Appends the lines that make a fetch conditional: `If-None-Match`, `If-Modified-Since`, or both (RFC
    /// 9111 §4.3.1).
    ///
    /// - Parameter head: the stored head of an original. (A variant that Larder made has a weakened tag.)
    /// - Returns: false, without output, if the head has no usable validator or its status is not 2xx.
    public static func append(head: Span<UInt8>, to output: inout ByteBuffer) -> Bool {
        guard let status = StoredHead.status(of: head), 200..<300 ~= status else { return false }
        var isConditional = false
        if let tag = StoredHead.field("etag", in: head), EntityTag.opaqueRange(of: tag) != nil {
            output.append("If-None-Match: ")
            output.append(tag)
            output.append("\r\n")
            isConditional = true
        }
        // `now` only decides the century of a two-digit year, not whether the text is a date.
        if let date = StoredHead.field("last-modified", in: head), HTTPDate.parse(date, now: 0) != nil {
            output.append("If-Modified-Since: ")
            output.append(date)
            output.append("\r\n")
            isConditional = true
        }
        return isConditional
    }

    /// Does a 304 select the entry whose validators were sent (§4.3.4)? Its ETag decides: a strong tag by
    /// strong comparison, a weak tag by weak comparison. Without an ETag, Last-Modified decides; it must be
    /// the same instant.
    ///
    /// A 304 without validators does not identify an answer. `reading: rfc` accepts it, because a fetch sends
    /// the validators of one entry only. Otherwise it selects nothing.
    static func select(
        _ head: Span<UInt8>, by response: borrowing ResponseHead, _ bytes: Span<UInt8>,
        _ reading: Policy.Reading, nowSeconds: Int64
    ) -> Bool {
        guard response.fields.containsAny(of: FieldSet(.etag).with(.lastModified)) else {
            return reading == .rfc
        }
        guard !response.fields.isRepeated(.etag), !response.fields.isRepeated(.lastModified) else {
            return false
        }
        if let field = response.fields.first(.etag) {
            let tag = bytes.slice(field.value)
            guard let stored = StoredHead.field("etag", in: head) else { return false }
            return tag.hasPrefix("W/")
                ? EntityTag.opaqueRange(of: tag) != nil && EntityTag.list(tag, containsWeakly: stored)
                : EntityTag.isStrong(tag, equalTo: stored)
        }
        guard let field = response.fields.first(.lastModified) else { return false }
        return isSameInstant(
            bytes.slice(field.value), StoredHead.field("last-modified", in: head), nowSeconds)
    }

    /// Are all validators of an answer to HEAD equal to the stored ones, byte for byte or to the instant
    /// (§4.3.5)? Nil if the answer has no validators.
    static func agree(
        _ head: Span<UInt8>, with response: borrowing ResponseHead, _ bytes: Span<UInt8>, nowSeconds: Int64
    ) -> Bool? {
        guard response.fields.containsAny(of: FieldSet(.etag).with(.lastModified)) else { return nil }
        if let field = response.fields.first(.etag) {
            guard !response.fields.isRepeated(.etag), let stored = StoredHead.field("etag", in: head),
                EntityTag.opaqueRange(of: stored) != nil, bytes.slice(field.value).equals(stored)
            else { return false }
        }
        if let field = response.fields.first(.lastModified) {
            guard !response.fields.isRepeated(.lastModified) else { return false }
            return isSameInstant(
                bytes.slice(field.value), StoredHead.field("last-modified", in: head), nowSeconds)
        }
        return true
    }

    private static func isSameInstant(_ date: Span<UInt8>, _ stored: Span<UInt8>?, _ now: Int64) -> Bool {
        guard let stored, let first = HTTPDate.parse(date, now: now),
            let second = HTTPDate.parse(stored, now: now)
        else { return false }
        return first == second
    }
}
