/// The conditions of a revalidation, and whether its 304 speaks of the entry at hand (RFC 9111 §4.3).

public import Bytes
internal import HTTP
internal import Settings

public enum Validators {
    /// Appends the lines that make a fetch conditional on a stored answer having changed: `If-None-Match`,
    /// `If-Modified-Since`, or both (RFC 9111 §4.3.1).
    ///
    /// - Parameter head: the stored head of an original. (That of a variant which Larder made has a weakened
    ///   tag.)
    /// - Returns: false, and nothing is written, if it has no validator that can be used, or is no 2xx.
    public static func append(head: Span<UInt8>, to output: inout ByteBuffer) -> Bool {
        guard let status = StoredHead.status(of: head), 200..<300 ~= status else { return false }
        var isConditional = false
        if let tag = StoredHead.field("etag", in: head), EntityTag.opaqueRange(of: tag) != nil {
            output.append("If-None-Match: ")
            output.append(tag)
            output.append("\r\n")
            isConditional = true
        }
        // The time of day only tells the century of two-digit years: not whether it is a date.
        if let date = StoredHead.field("last-modified", in: head), HTTPDate.parse(date, now: 0) != nil {
            output.append("If-Modified-Since: ")
            output.append(date)
            output.append("\r\n")
            isConditional = true
        }
        return isConditional
    }

    /// Does a 304 select the entry whose validators were sent (§4.3.4)? Its ETag decides: a strong one by
    /// strong comparison, a weak one by weak; only without it Last-Modified, which must be the same instant.
    ///
    /// A 304 without any validator does not say of what it speaks. `reading: rfc` believes it, since a fetch
    /// names one entry alone: at most one tag, and a date of the same entry. Elsewhere it selects nothing.
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

    /// Are the validators of a HEAD's answer those of the stored one? nil: it has none. Every one that came
    /// must be the same, to the letter (§4.3.5).
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
