/// The heads of variants that Larder makes itself: from the stored head of an answer, that of the same answer
/// with its body coded, or decoded. Stored heads come out of shared memory: one that is not well formed
/// derives nothing.

public import Bytes
internal import HTTP

extension StoredHead {
    /// Appends the head of the variant in `coding` (one) of an identity answer, or of the identity variant of
    /// an answer stored in gzip.
    ///
    /// - Parameters:
    ///   - head: as `write` wrote it.
    ///   - bodyCount: bytes of the variant's body.
    ///   - limit: `Rules.maxHeadBytes`.
    /// - Returns: false if the answer is in any other coding, the head malformed, or the result above the
    ///   limit; then `output` is as it was.
    public static func derive(
        from head: Span<UInt8>, coding: Codings, bodyCount: Int, limit: Int, into output: inout ByteBuffer
    ) -> Bool {
        let start = output.count
        let transform: HeadTransform = coding == .identity ? .decoded : .coded(coding)
        guard let statusEnd = head.firstIndex(of: 0x0a),
            appendLines(of: head, from: statusEnd &+ 1, transform, to: &output)
        else {
            output.removeLast(output.count &- start)
            return false
        }
        output.append("Content-Length: ")
        output.append(decimal: UInt64(bodyCount))
        output.append("\r\n")
        guard output.count &- start <= limit else {
            output.removeLast(output.count &- start)
            return false
        }
        return true
    }

    /// Appends the head of a variant anew, from that of its original, which was renewed.
    ///
    /// - Parameters:
    ///   - variant: the variant's head as it is stored, which tells the length of its body.
    ///   - head: the renewed head of the original.
    ///   - coding: the variant's.
    /// - Returns: false, as `derive`, and where the renewed head forbids a transformation; then the variant
    ///   goes.
    public static func renewVariant(
        _ variant: Span<UInt8>, from head: Span<UInt8>, coding: Codings, limit: Int,
        into output: inout ByteBuffer
    ) -> Bool {
        guard !forbidsTransform(head), let length = field("content-length", in: variant),
            let count = length.decimalSaturating(), count <= UInt64(UInt32.max)
        else { return false }
        return derive(from: head, coding: coding, bodyCount: Int(count), limit: limit, into: &output)
    }

    private static func appendLines(
        of head: Span<UInt8>, from first: Int, _ transform: HeadTransform, to output: inout ByteBuffer
    ) -> Bool {
        var transform = transform
        var codings = 0
        output.append(head.extracting(first: first))
        var position = first
        while let range = nextLine(of: head, from: &position) {
            let line = head.extracting(range)
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > 0 else { return false }
            let name = line.extracting(first: colon)
            let value = line.extracting(droppingFirst: colon &+ 1).trimmed()
            let id = FieldName.identify(name)
            if id == .contentEncoding {
                guard transform.change == .decoded, Codings.named(value) == .gzip else { return false }
                codings &+= 1
            }
            transform.append(name, value, id, to: &output)
        }
        transform.finish(to: &output)
        return position == head.count && codings == (transform.change == .decoded ? 1 : 0)
    }

    /// Does Cache-Control forbid coding the body anew (`no-transform`, RFC 9111 §5.2.2.6)?
    public static func forbidsTransform(_ head: Span<UInt8>) -> Bool {
        hasLine("cache-control", in: head) { CompressionRules.mentionsNoTransform($0) }
    }
}
