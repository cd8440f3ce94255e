/// The heads of variants that Larder makes itself: derived from the stored head of an answer, for the same
/// answer with its body coded or decoded. Stored heads come from shared memory; from a malformed head nothing
/// is derived.

public import Bytes
internal import HTTP

extension StoredHead {
    /// Appends the head of a variant: of an identity answer in `coding`, or of an answer stored in gzip in
    /// identity.
    ///
    /// - Parameters:
    ///   - head: as `write` wrote it.
    ///   - coding: exactly one coding, that of the variant.
    ///   - bodyCount: bytes of the variant's body.
    ///   - limit: `Rules.maxHeadBytes`.
    /// - Returns: false if the answer has any other coding, the head is malformed, or the result is above the
    ///   limit. Then `output` is unchanged.
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

    /// Appends a new head for a variant, derived from the renewed head of its original.
    ///
    /// - Parameters:
    ///   - variant: the stored head of the variant, which states the length of its body.
    ///   - head: the renewed head of the original.
    ///   - coding: the variant's coding.
    /// - Returns: false as for `derive`, and if the renewed head forbids a transformation. Then the variant
    ///   is to be removed.
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

    /// Does Cache-Control forbid to change the coding (`no-transform`, RFC 9111 §5.2.2.6)?
    public static func forbidsTransform(_ head: Span<UInt8>) -> Bool {
        hasLine("cache-control", in: head) { CompressionRules.mentionsNoTransform($0) }
    }
}
