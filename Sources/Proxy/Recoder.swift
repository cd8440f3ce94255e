internal import Bytes
internal import Caching
internal import Compression

/// What becomes of an answer's body between the origin and the client.
enum Recoder: ~Copyable {
    case none
    case encoding(Encoding)
    case decoding(Decoding)

    /// Compresses as it passes. Where the answer is stored, the stream is kept: it becomes the variant, so
    /// that nothing is compressed twice.
    struct Encoding: ~Copyable {
        var encoder: Encoder
        /// The stream so far; nil where it is not to be stored, or has become too large.
        var variant: ByteBuffer?
        /// The encoder holds bytes back.
        var holdsBack = false
    }

    /// Undoes a coding that the client did not ask for. A few bytes may stand for very many, so those that
    /// wait are kept coded: what is decoded is bounded by what the client takes.
    struct Decoding: ~Copyable {
        var decoder: Decoder
        var waiting = ByteBuffer(capacity: 1024)
        /// The origin's body is whole.
        var isLast = false
        /// There is more to decode, once the client has taken what was sent.
        var isHeldUp = false
    }
}
