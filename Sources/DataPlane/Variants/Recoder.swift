internal import Bytes
internal import Caching
internal import Compression
internal import Store

/// What becomes of an answer's body between the origin and the client.
enum Recoder: ~Copyable {
    case none
    case encoding(Encoding)
    case undoing(Undoing)

    /// Compresses as it passes. Where the answer is stored, the stream is kept: it becomes the variant, so
    /// that nothing is compressed twice.
    struct Encoding: ~Copyable {
        var encoder: Encoder
        /// The stream so far; nil where it is not to be stored, or has become too large.
        var variant: ByteBuffer?
        /// The encoder holds bytes back.
        var holdsBack = false
    }

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
}
