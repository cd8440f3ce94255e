/// The exact bytes of a field name, kept to recognise the same name again.
///
/// It holds a name of up to 32 bytes as words of eight bytes: the first and the last word, which overlap if
/// the name is shorter than sixteen bytes and are equal if it is shorter than eight. If the name is longer
/// than sixteen bytes, `inner` holds the two words between.
import Bytes

@usableFromInline
struct Spelling: BitwiseCopyable, Sendable {
    private var first: UInt64 = 0
    private var last: UInt64 = 0
    private var inner: (UInt64, UInt64) = (0, 0)
    private var length: UInt8 = 0

    var count: Int { Int(length) }

    /// The spelling of no name: it matches nothing, because a name has no zero bytes.
    init() {}

    /// The spelling of a name inside a head. Matches nothing if the name is longer than 32 bytes or near the
    /// end of the bytes.
    @inline(__always)
    init(_ bytes: Span<UInt8>, from start: Int, count: Int) {
        guard count <= 32, start &+ 16 <= bytes.count else { return }
        (first, last) = bytes.ends(at: start, length: count)
        if count > 16 { inner = (bytes.word(at: start &+ 8), bytes.word(at: start &+ count &- 16)) }
        length = UInt8(truncatingIfNeeded: count)
    }

    /// Is this name at `start`, followed by this pair of bytes? False near the end of the bytes, without a
    /// check.
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
