/// A field name as it is spelt, byte for byte: kept to know it again.
///
/// Names of up to 32 bytes, by words: the first and the last, which overlap where the name is shorter than
/// two of them, and are all of one that is shorter than one; then the two between, where there are more than
/// sixteen bytes.
import Bytes

@usableFromInline
struct Spelling: BitwiseCopyable, Sendable {
    private var first: UInt64 = 0
    private var last: UInt64 = 0
    private var inner: (UInt64, UInt64) = (0, 0)
    private var length: UInt8 = 0

    var count: Int { Int(length) }

    /// No name's: these bytes would be zero.
    init() {}

    /// Of a name inside a head; nobody's if it is longer, or near the end of the bytes.
    @inline(__always)
    init(_ bytes: Span<UInt8>, from start: Int, count: Int) {
        guard count <= 32, start &+ 16 <= bytes.count else { return }
        (first, last) = bytes.ends(at: start, length: count)
        if count > 16 { inner = (bytes.word(at: start &+ 8), bytes.word(at: start &+ count &- 16)) }
        length = UInt8(truncatingIfNeeded: count)
    }

    /// Does it stand at `start`, with this pair of bytes behind it? Near the end of the bytes nobody knows.
    @inline(__always)
    func stands(in bytes: Span<UInt8>, at start: Int, before pair: UInt16) -> Bool {
        length <= 16
            ? bytes.has((first, last), length: length, before: pair, at: start)
            : isLongAndStands(in: bytes, at: start, before: pair)
    }

    @inline(never)
    private func isLongAndStands(in bytes: Span<UInt8>, at start: Int, before pair: UInt16) -> Bool {
        let end = start &+ count
        return bytes.hasPair(pair, at: end) && bytes.word(at: start) == first
            && bytes.word(at: start &+ 8) == inner.0 && bytes.word(at: end &- 16) == inner.1
            && bytes.word(at: end &- 8) == last
    }
}
