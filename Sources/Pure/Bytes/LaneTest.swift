/// A test of sixteen bytes at once. `lanes` sets the highest bit of each lane whose byte the test finds. The
/// other bits of the result mean nothing.
///
/// The tests use only additions and bit operations: Swift 6.3 compiles most comparisons of vectors to a loop
/// over the lanes, which is ten times slower. The rules they use, for a byte `v` and a constant `c`, both
/// below 0x80:
/// - `v - c` has the highest bit set exactly if v < c.
/// - `v + (0x80 - c)` has the highest bit set exactly if v >= c.
/// - `(v ^ c) - 1` has the highest bit set exactly if v == c.

@usableFromInline
protocol LaneTest {
    func lanes(_ v: SIMD16<UInt8>) -> SIMD16<UInt8>
}

@usableFromInline
struct Exactly: LaneTest {
    @usableFromInline let pattern: SIMD16<UInt8>

    @inlinable
    init(_ byte: UInt8) { pattern = SIMD16(repeating: byte) }

    @inlinable @inline(__always)
    func lanes(_ v: SIMD16<UInt8>) -> SIMD16<UInt8> {
        let difference = v ^ pattern
        return (difference &- SIMD16(repeating: 1)) & ~difference
    }
}

@usableFromInline
struct Control: LaneTest {
    @inlinable
    init() {}

    @inlinable @inline(__always)
    func lanes(_ v: SIMD16<UInt8>) -> SIMD16<UInt8> {
        ((v &- SIMD16(repeating: 0x20)) | (v &+ SIMD16(repeating: 0x80 - 0x7f))) & ~v
    }
}

@usableFromInline
struct NonVisible: LaneTest {
    @inlinable
    init() {}

    @inlinable @inline(__always)
    func lanes(_ v: SIMD16<UInt8>) -> SIMD16<UInt8> {
        v | (v &- SIMD16(repeating: 0x21)) | (v &+ SIMD16(repeating: 0x80 - 0x7f))
    }
}

@usableFromInline
struct NonPath: LaneTest {
    @inlinable
    init() {}

    @inlinable @inline(__always)
    func lanes(_ v: SIMD16<UInt8>) -> SIMD16<UInt8> {
        let isHash = (v ^ SIMD16(repeating: 0x23)) &- SIMD16(repeating: 1)
        let isQuestion = (v ^ SIMD16(repeating: 0x3f)) &- SIMD16(repeating: 1)
        return NonVisible().lanes(v) | isHash | isQuestion
    }
}

/// Finds the bytes of a path that need a closer look: `%`, `;`, `\`, and a dot directly behind a slash.
@usableFromInline
enum PathMark {
    @inlinable @inline(__always)
    static func lanes(_ v: SIMD16<UInt8>, behind before: SIMD16<UInt8>) -> SIMD16<UInt8> {
        // A lane is zero exactly if it holds a dot and the lane before it holds a slash.
        let noDot = (v ^ SIMD16(repeating: 0x2e)) | (before ^ SIMD16(repeating: 0x2f))
        let isPercent = (v ^ SIMD16(repeating: 0x25)) &- SIMD16(repeating: 1)
        let isSemicolon = (v ^ SIMD16(repeating: 0x3b)) &- SIMD16(repeating: 1)
        let isBackslash = (v ^ SIMD16(repeating: 0x5c)) &- SIMD16(repeating: 1)
        return (isPercent | isSemicolon | isBackslash | (noDot &- SIMD16(repeating: 1))) & ~v
    }
}

@usableFromInline
struct NonWord: LaneTest {
    @inlinable
    init() {}

    @inlinable @inline(__always)
    func lanes(_ v: SIMD16<UInt8>) -> SIMD16<UInt8> {
        let isHyphen = (v ^ SIMD16(repeating: 0x2d)) &- SIMD16(repeating: 1)
        return (v.nonLetters & ~isHyphen) | v
    }
}

@usableFromInline
struct NonName: LaneTest {
    @inlinable
    init() {}

    @inlinable @inline(__always)
    func lanes(_ v: SIMD16<UInt8>) -> SIMD16<UInt8> {
        let isNoDigit = (v &- SIMD16(repeating: 0x30)) | (v &+ SIMD16(repeating: 0x80 - 0x3a))
        let isNoMark = (v &- SIMD16(repeating: 0x2d)) | (v &+ SIMD16(repeating: 0x80 - 0x2f))
        return (v.nonLetters & isNoDigit & isNoMark) | v
    }
}

extension SIMD16<UInt8> {
    /// Sets the highest bit of the lanes that hold no ASCII letter. The result is undefined for lanes of 0x80
    /// and above.
    @inlinable @inline(__always)
    var nonLetters: SIMD16<UInt8> {
        let small = self | SIMD16(repeating: 0x20)
        return (small &- SIMD16(repeating: 0x61)) | (small &+ SIMD16(repeating: 0x80 - 0x7b))
    }
}
