internal import Bytes
internal import Compression

/// A body that is compressed as it passes to the client. Where the response is stored, the compressed stream
/// is kept too: it becomes the variant beside the stored original, so that nothing is compressed twice.
struct Encoding: ~Copyable {
    var encoder: Encoder
    /// The stream so far; nil where it is not to be stored, or has become too large.
    var variant: ByteBuffer?
    /// The encoder holds bytes back.
    var holdsBack = false
}

extension Encoding {
    /// What the kept stream counts for against `limits.buffers`.
    var variantBytes: Int {
        switch variant {
        case .some(let variant): variant.capacity
        case .none: 0
        }
    }

    /// Encodes a run of the body into `coded`. False: the library failed.
    mutating func encode(
        _ bytes: borrowing ByteBuffer, _ range: Range<Int>, into coded: inout ByteBuffer
    ) -> Bool {
        holdsBack = true
        return encoder.encode(bytes.span.extracting(range), .none, into: &coded)
    }

    /// Ends a run: lets out what the encoder holds back, and adds `coded` to the variant.
    /// - Parameters:
    ///   - limit: bytes of the variant; a longer one is given up.
    ///   - lowers: a lower level is used from here on.
    /// - Returns: false where the library failed.
    mutating func endRun(
        _ flush: FlushMode, into coded: inout ByteBuffer, limit: Int, lowers: Bool
    ) -> Bool {
        var isDone = true
        if lowers { encoder.lower() }
        if flush == .finish || flush == .flush && holdsBack {
            isDone = encoder.encode(Span(), flush, into: &coded)
            holdsBack = false
        }
        if var kept = variant.take(), kept.count + coded.count <= limit {
            kept.append(coded.span)
            variant = consume kept
        }
        return isDone
    }
}
