/// The body framing given by Content-Length and Transfer-Encoding (RFC 9112 §6). Strict: every combination
/// that two recipients are known to read differently (request smuggling) is refused.
import Bytes

struct FieldFraming {
    /// `.none` if neither field is present.
    var body: BodyFraming

    /// Nil if the fields are not permitted: both fields together, a repeated field (even with equal values),
    /// a length that is not a plain decimal number below 2^63, a Transfer-Encoding other than `chunked`, or a
    /// Transfer-Encoding in HTTP/1.0.
    @inline(__always)
    static func judge(
        _ fields: borrowing FieldTable, _ bytes: Span<UInt8>, minorVersion: UInt8
    ) -> FieldFraming? {
        guard fields.containsAny(of: FieldSet(.contentLength).with(.transferEncoding)) else {
            return FieldFraming(body: .none)
        }
        return judgePresent(fields, bytes, minorVersion: minorVersion)
    }

    private static func judgePresent(
        _ fields: borrowing FieldTable, _ bytes: Span<UInt8>, minorVersion: UInt8
    ) -> FieldFraming? {
        if fields.contains(.transferEncoding) {
            guard minorVersion == 1, !fields.contains(.contentLength),
                fields.isSingle(.transferEncoding, equalTo: "chunked", bytes)
            else {
                return nil
            }
            return FieldFraming(body: .chunked)
        }
        guard let line = fields.first(.contentLength) else { return FieldFraming(body: .none) }
        guard !fields.isRepeated(.contentLength), let length = bytes.slice(line.value).decimalSaturating(),
            length <= UInt64(Int64.max)
        else { return nil }
        return FieldFraming(body: .length(length))
    }
}
