internal import Bytes
internal import Caching
internal import Compression
internal import Store

/// Undoes a stored body's gzip for one client, in slices: first to see that it is sound, then, if the
/// whole is too large to be stored, once more to send it.
struct Undoing: ~Copyable {
    var decoder: Decoder
    /// The stored body and head, and its Vary values.
    let coded: ByteBuffer
    let head: ByteBuffer
    let vary: ByteBuffer
    let facts: EntryFacts
    let serial: UInt64
    /// What had been purged when it was looked up.
    let stamp: FetchStamp
    let age: AnswerAge
    /// Why the request was looked up, if for a reason.
    let again: Again?
    /// Bytes of `coded` that are used.
    var offset = 0
    /// What it decodes to, as long as that may be stored.
    var plain = ByteBuffer(capacity: 16 * 1024)
    var keepsPlain = true
    /// Bytes that were decoded.
    var count = 0
    var isSending = false
    /// It waits for its next slice.
    var isQueued = false
}

extension Undoing {
    /// Bytes that one slice makes at most.
    static var sliceBytes: Int { 64 * 1024 }
    /// Bytes of the coded body that one slice reads at most.
    private static var sliceInput: Int { 16 * 1024 }
    /// The most bytes that are stored of a decoded body.
    private static var storedLimit: Int { 1 << 20 }
    /// A body that decodes to more than this goes as it is.
    private static var undoneLimit: Int { 256 << 20 }

    /// What it counts for against `limits.buffers`.
    var bytes: Int { coded.capacity + plain.capacity }

    /// Decodes the next slice into `output`.
    /// - Parameter room: bytes that may be kept beside what is kept already.
    mutating func decodeSlice(into output: inout ByteBuffer, room: Int) -> Decoder.Step {
        // An empty body is no gzip, and decodes to itself.
        var step = Decoder.Step.end
        if !coded.isEmpty {
            step = Self.decode(&decoder, coded, from: &offset, into: &output)
            if step == .needMore || step == .end, offset < coded.count { step = .full }
        }
        count += output.count
        if count > Self.undoneLimit { step = .malformed }
        guard keepsPlain else { return step }
        keepsPlain = plain.count + output.count <= Self.storedLimit && output.count <= room
        if keepsPlain { plain.append(output.span) } else { plain = ByteBuffer(capacity: 1) }
        return step
    }

    private static func decode(
        _ decoder: inout Decoder, _ bytes: borrowing ByteBuffer, from offset: inout Int,
        into output: inout ByteBuffer
    ) -> Decoder.Step {
        let input = bytes.span.extracting(first: min(offset + sliceInput, bytes.count))
        return decoder.decode(input, from: &offset, into: &output, atMost: sliceBytes)
    }

    /// Begins anew: the body is decoded once more, and sent.
    mutating func beginSending() {
        decoder.reset()
        offset = 0
        count = 0
        isSending = true
    }
}
