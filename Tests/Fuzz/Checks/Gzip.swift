/// Invariants of the gzip decoder, for every input. A breach traps.
import Bytes
import Compression

private struct Decoded: Equatable {
    var body: [UInt8] = []
    var last = Decoder.Step.needMore
}

/// The most that is decoded: a kilobyte of input can stand for a megabyte.
private let gzipLimit = 200_000

/// Decodes the pieces that `cuts` makes, `limit` bytes a call.
private func decode(
    _ decoder: inout Decoder, _ bytes: Span<UInt8>, cuts: some Sequence<Int>, limit: Int
) -> Decoded {
    var decoded = Decoded()
    var output = ByteBuffer(capacity: 1)
    var start = 0
    for end in Array(cuts) + [bytes.count] {
        let piece = bytes.extracting(start..<end)
        var offset = 0
        repeat {
            let before = output.count
            let from = offset
            decoded.last = decoder.decode(piece, from: &offset, into: &output, atMost: limit)
            precondition(output.count - before <= limit && offset >= from && offset <= piece.count)
            precondition(decoded.last != .full || output.count - before == limit, "full and not full")
        } while decoded.last == .full && output.count < gzipLimit
        if decoded.last == .full { break }
        precondition(decoded.last == .malformed || offset == piece.count, "input left over")
        if decoded.last == .malformed { break }
        start = end
    }
    decoded.body = output.span.copied
    return decoded
}

/// The outcome does not depend on the cuts, on the limit of a call, or on what the decoder did before.
public func checkGzip(_ bytes: Span<UInt8>) {
    guard var decoder = Decoder() else { preconditionFailure("no memory") }
    let whole = decode(&decoder, bytes, cuts: [], limit: gzipLimit)
    guard whole.last != .full else { return }
    for limit in [1_000, 77] {
        for cuts in [Array(0..<bytes.count), [bytes.count / 2]] {
            decoder.reset()
            let other = decode(&decoder, bytes, cuts: cuts, limit: limit)
            precondition(other.last == whole.last, "the cut changes the verdict")
            // A malformed stream may show its fault after any number of bytes.
            precondition(whole.last == .malformed || other.body == whole.body, "the cut changes the body")
        }
    }
}
