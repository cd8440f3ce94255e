public import CVector
public import CXXHash

/// The few places of this module that say `unsafe`: vector loads, literals and the hash.
/// Each reads only inside a span (or a literal) whose length it has checked.

extension StaticString {
    /// The byte at `index` of an ASCII literal with pointer representation (every literal of more than one
    /// scalar).
    @inlinable @inline(__always)
    public func byte(at index: Int) -> UInt8 {
        precondition(hasPointerRepresentation && index < utf8CodeUnitCount)
        // Bounds checked above; literals live for the whole program.
        return unsafe utf8Start[index]
    }

    /// Up to eight bytes from `index` on as a little-endian number, the first byte lowest. For a literal it
    /// is a constant: the optimiser folds it, so that comparing names costs one instruction for eight bytes.
    @inlinable @inline(__always)
    public func word(at index: Int) -> UInt64 {
        precondition(hasPointerRepresentation && index >= 0 && index <= utf8CodeUnitCount)
        let n = utf8CodeUnitCount &- index
        if n >= 8 {
            // Eight bytes are left (checked); literals live for the whole program.
            let word = unsafe UnsafeRawPointer(utf8Start).loadUnaligned(
                fromByteOffset: index, as: UInt64.self)
            return UInt64(littleEndian: word)
        }
        var word: UInt64 = 0
        // index + n = utf8CodeUnitCount, checked above.
        for offset in 0..<n { word |= unsafe UInt64(utf8Start[index &+ offset]) &<< UInt64(offset &* 8) }
        return word
    }
}

extension SIMD16<UInt8> {
    /// Sixteen bytes from two words, the first byte lowest.
    @inlinable @inline(__always)
    init(_ low: UInt64, _ high: UInt64) {
        // A cast of equal sizes.
        self = unsafe unsafeBitCast(
            SIMD2(low.littleEndian, high.littleEndian), to: SIMD16<UInt8>.self)
    }
}

extension UInt64 {
    /// Eight bytes with the ASCII capitals made small; all other bytes stay what they are.
    @inlinable @inline(__always)
    public var lowercasedBytes: UInt64 {
        // No capital has this bit, and hosts seldom hold anything without it.
        if self & 0x2020_2020_2020_2020 == 0x2020_2020_2020_2020 { return self }
        let ones: UInt64 = 0x0101_0101_0101_0101
        let heptets = self & (ones &* 0x7f)
        let fromA = heptets &+ (ones &* (0x80 - 0x41))
        let pastZ = heptets &+ (ones &* (0x80 - 0x5b))
        let capitals = (fromA ^ pastZ) & ~self & (ones &* 0x80)
        return self | (capitals &>> 2)
    }

    /// Eight bytes with the ASCII capitals made small, for comparison with a literal of small letters and
    /// bytes below 0x40 (digits, hyphens) only: nothing but these, and capitals, becomes one of them.
    @inlinable @inline(__always)
    public var foldedLetters: UInt64 { self | ((self & 0x4040_4040_4040_4040) &>> 1) }

    /// The number that `digits` (1 to 8) bytes spell in decimal, the first byte lowest and nothing above
    /// them; nil if one is no digit.
    @inlinable @inline(__always)
    public func decimalValue(digits: Int) -> UInt64? {
        // The digits' values, zeros in front of them: the last digit in the highest byte.
        let values = (self ^ 0x3030_3030_3030_3030) &<< UInt64(truncatingIfNeeded: (8 &- digits) &* 8)
        if ((values &+ 0x7676_7676_7676_7676) | values) & 0x8080_8080_8080_8080 != 0 { return nil }
        // Neighbours join into pairs, pairs into the number: each product puts its sum above bit 32.
        let pairs = values &* 10 &+ values &>> 8
        let odd = (pairs & 0x0000_00ff_0000_00ff) &* (100 + 1_000_000 << 32)
        let even = (pairs &>> 16 & 0x0000_00ff_0000_00ff) &* (1 + 10_000 << 32)
        return (odd &+ even) &>> 32
    }
}

extension Span<UInt8> {
    /// `length` (0 to 8) bytes from `index` on as a little-endian number, zero above.
    @inlinable @inline(__always)
    public func word(at index: Int, length: Int = 8) -> UInt64 {
        precondition(index >= 0 && length >= 0 && length <= 8 && index &+ length <= count)
        if index &+ 8 <= count {
            // The whole load lies inside the span.
            let word = unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: index, as: UInt64.self)
            return length == 8
                ? UInt64(littleEndian: word)
                : UInt64(littleEndian: word) & ~(~0 &<< UInt64(truncatingIfNeeded: length &* 8))
        }
        if length >= 4 {
            // Two halves that overlap, both inside the `length` bytes.
            let last = length &- 4
            let low = unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: index, as: UInt32.self)
            let high = unsafe bytes.unsafeLoadUnaligned(
                fromUncheckedByteOffset: index &+ last, as: UInt32.self)
            return UInt64(UInt32(littleEndian: low)) | UInt64(UInt32(littleEndian: high))
                &<< UInt64(truncatingIfNeeded: last &* 8)
        }
        if length == 0 { return 0 }
        // One to three bytes: the first, the middle and the last.
        let (middle, last) = (length &>> 1, length &- 1)
        return UInt64(self[index]) | UInt64(self[index &+ middle]) &<< UInt64(truncatingIfNeeded: middle &* 8)
            | UInt64(self[index &+ last]) &<< UInt64(truncatingIfNeeded: last &* 8)
    }

    /// The first and the last eight of `length` (at least 1) bytes from `index` on; of fewer than eight both
    /// are all of them, and zero below. Eight bytes must be there.
    @inlinable @inline(__always)
    public func ends(at index: Int, length: Int) -> (first: UInt64, last: UInt64) {
        precondition(index >= 0 && length >= 0 && index &+ 8 <= count && index &+ length <= count)
        // Eight bytes are there from `index` on (checked), and up to the end of `length` if those are eight.
        let word = unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: index, as: UInt64.self)
        if length < 8 {
            let all = UInt64(littleEndian: word) &<< UInt64(truncatingIfNeeded: 64 &- length &* 8)
            return (all, all)
        }
        let last = unsafe bytes.unsafeLoadUnaligned(
            fromUncheckedByteOffset: index &+ length &- 8, as: UInt64.self)
        return (UInt64(littleEndian: word), UInt64(littleEndian: last))
    }

    /// Do `length` bytes whose `ends` are these stand at `index`, and this pair behind them? False of more
    /// than sixteen bytes, and within the last seventeen of the span.
    @inlinable @inline(__always)
    public func has(
        _ ends: (first: UInt64, last: UInt64), length: UInt8, before pair: UInt16, at index: Int
    ) -> Bool {
        // Tests for all loads: each lies inside the eighteen bytes from `index` on, or ends with `length`.
        guard length <= 16, UInt(bitPattern: index) < UInt(bitPattern: Swift.max(count, 17) &- 17) else {
            return false
        }
        let end = index &+ Int(length)
        let behind = unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: end, as: UInt16.self)
        var first = unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: index, as: UInt64.self)
            .littleEndian
        guard UInt16(littleEndian: behind) == pair else { return false }
        if length < 8 {
            first = first &<< UInt64(truncatingIfNeeded: 64 &- Int(length) &* 8)
            return first == ends.first
        }
        let last = unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: end &- 8, as: UInt64.self)
        return first == ends.first && UInt64(littleEndian: last) == ends.last
    }

    /// Do two bytes stand at `index`, and are they these, the first lowest?
    @inlinable @inline(__always)
    public func hasPair(_ pair: UInt16, at index: Int) -> Bool {
        // One test for both ends: an index below 0 is a large number without its sign.
        guard UInt(bitPattern: index) < UInt(bitPattern: Swift.max(count, 1) &- 1) else { return false }
        // Both lie inside the span.
        let word = unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: index, as: UInt16.self)
        return UInt16(littleEndian: word) == pair
    }

    @inlinable
    public func hasPrefix(_ other: borrowing Span<UInt8>) -> Bool {
        guard count >= other.count, other.count > 0 else { return other.count == 0 }
        // Neither is empty, so both have addresses; both hold as many bytes as the other.
        return unsafe withUnsafeBufferPointer { own in
            unsafe other.withUnsafeBufferPointer { other in
                unsafe larder_equal(own.baseAddress!, other.baseAddress!, other.count)
            }
        }
    }

    /// The index of the first byte at or after `start` that `test` finds, or `count`.
    @inlinable @inline(__always)
    func first<Test: LaneTest>(_ test: Test, from start: Int) -> Int {
        precondition(start >= 0)
        let index = firstInVectors(test, from: start)
        return index < count || start >= count
            ? index : firstInTail(test, from: Swift.max(start, count &- 16))
    }

    /// As `first`, but looks only at whole steps of sixteen bytes from `start` on: `count` may also mean that
    /// it is among the last fifteen bytes. Without a call, so that all constants stay in registers.
    @inlinable @inline(__always)
    func firstInVectors<Test: LaneTest>(_ test: Test, from start: Int) -> Int {
        var index = start
        // One test for both ends: an index below 0 is a large number without its sign.
        while UInt(bitPattern: index) < UInt(bitPattern: Swift.max(count, 15) &- 15) {
            // The loop condition keeps the whole load inside the span.
            let vector = unsafe bytes.unsafeLoadUnaligned(
                fromUncheckedByteOffset: index, as: SIMD16<UInt8>.self)
            let found = larder_high_bits(test.lanes(vector))
            if found != 0 { return index &+ found.trailingZeroBitCount }
            index &+= 16
        }
        return count
    }

    /// As `first`, if this pair of bytes, the first lowest, begins at what is found; nil also within the last
    /// sixteen bytes. What is found in the first step costs no call; a loop here would want the registers of
    /// the loop around it.
    @inlinable @inline(__always)
    func first<Test: LaneTest>(_ test: Test, from start: Int, beginning pair: UInt16) -> Int? {
        // One test for both ends, as above, and with a byte to spare: of the pair both bytes lie inside.
        guard UInt(bitPattern: start) < UInt(bitPattern: Swift.max(count, 16) &- 16) else { return nil }
        let vector = unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: start, as: SIMD16<UInt8>.self)
        let found = larder_high_bits(test.lanes(vector))
        guard found != 0 else { return further(test, from: start &+ 16, beginning: pair) }
        let place = start &+ found.trailingZeroBitCount
        let word = unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: place, as: UInt16.self)
        return UInt16(littleEndian: word) == pair ? place : nil
    }

    @inlinable @inline(never)
    func further<Test: LaneTest>(_ test: Test, from start: Int, beginning pair: UInt16) -> Int? {
        let place = firstInVectors(test, from: start)
        return hasPair(pair, at: place) ? place : nil
    }

    /// As `first`, where no more than sixteen bytes are left, but not none. A call, so that its constants
    /// take no register from the loops that `first` is inlined into.
    @inlinable @inline(never)
    func firstInTail<Test: LaneTest>(_ test: Test, from start: Int) -> Int {
        // The last sixteen bytes, or all there are.
        let base = Swift.max(0, count &- 16)
        let low = word(at: base, length: Swift.min(count, 8))
        let high = count > 8 ? word(at: base &+ 8, length: Swift.min(count, 16) &- 8) : 0
        // Lanes before `start` do not count, nor do those behind the end.
        let found = UInt32(larder_high_bits(test.lanes(SIMD16(low, high)))) &>> UInt32(start &- base)
        return found == 0 ? count : Swift.min(start &+ found.trailingZeroBitCount, count)
    }

    /// The index of the first `byte` at or after `start`, or nil. 16 bytes at a step.
    @inlinable
    public func firstIndex(of byte: UInt8, from start: Int = 0) -> Int? {
        let index = firstIndexOrCount(of: byte, from: start)
        return index < count ? index : nil
    }

    /// The index of the first `byte` at or after `start`, or `count`.
    @inlinable @inline(__always)
    public func firstIndexOrCount(of byte: UInt8, from start: Int) -> Int {
        first(Exactly(byte), from: start)
    }

    /// The index of the first byte at or after `start` that is below 0x20 (HTAB too) or DEL, or `count`.
    @inlinable @inline(__always)
    public func firstControl(from start: Int) -> Int { first(Control(), from: start) }

    /// As `firstControl`, if this pair of bytes begins there, the first lowest; nil also within the last
    /// sixteen bytes.
    @inlinable @inline(__always)
    public func firstControl(from start: Int, beginning pair: UInt16) -> Int? {
        first(Control(), from: start, beginning: pair)
    }

    /// The index of the first byte at or after `start` outside visible ASCII (0x21 to 0x7E), or `count`.
    @inlinable @inline(__always)
    public func firstNonVisible(from start: Int) -> Int { first(NonVisible(), from: start) }

    /// As `firstNonVisible`, but stops at `#` and `?` too: where a path ends, whatever ends it.
    @inlinable @inline(__always)
    public func firstNonPath(from start: Int) -> Int { first(NonPath(), from: start) }

    /// As `firstNonPath`, and tells whether something stands in front of that by which paths are judged: `%`,
    /// `;`, `\`, or a `.` behind a `/`. Near the end of the span it says so without having looked.
    @inlinable @inline(__always)
    public func firstNonPath(from start: Int, hasMarks: inout Bool) -> Int {
        precondition(start > 0 && start <= count)
        var marks: UInt16 = 0
        var index = start
        while index &+ 16 <= count {
            // The loop condition keeps the loads inside the span: start is inside, and above 0.
            let vector = unsafe bytes.unsafeLoadUnaligned(
                fromUncheckedByteOffset: index, as: SIMD16<UInt8>.self)
            let before = unsafe bytes.unsafeLoadUnaligned(
                fromUncheckedByteOffset: index &- 1, as: SIMD16<UInt8>.self)
            let ends = larder_high_bits(NonPath().lanes(vector))
            let found = larder_high_bits(PathMark.lanes(vector, behind: before))
            if ends != 0 {
                // Those in front of the first end.
                hasMarks = marks | (found & (ends &- 1) & ~ends) != 0
                return index &+ ends.trailingZeroBitCount
            }
            marks |= found
            index &+= 16
        }
        hasMarks = true
        return firstNonPath(from: index)
    }

    /// The index of the first byte at or after `start` that is no letter and no hyphen, or `count`: where
    /// most field names end.
    @inlinable @inline(__always)
    public func firstNonWord(from start: Int) -> Int { first(NonWord(), from: start) }

    /// As `firstNonWord`, if this pair of bytes begins there, the first lowest; nil also within the last
    /// sixteen bytes.
    @inlinable @inline(__always)
    public func firstNonWord(from start: Int, beginning pair: UInt16) -> Int? {
        first(NonWord(), from: start, beginning: pair)
    }

    /// The index of the first byte at or after `start` that is no letter, digit, hyphen or dot, or `count`:
    /// where most host names end.
    @inlinable @inline(__always)
    public func firstNonName(from start: Int) -> Int { first(NonName(), from: start) }
}

/// A 128-bit hash value.
public struct Hash128: Hashable, Sendable, BitwiseCopyable {
    public var low: UInt64
    public var high: UInt64

    @inlinable
    public init(low: UInt64, high: UInt64) {
        self.low = low
        self.high = high
    }
}

/// XXH3 of xxHash: fast and well distributed, keyed by a seed, not cryptographic.
/// Whoever relies on equality compares the full bytes as well.
public enum XXH3 {
    @inlinable
    public static func hash64(_ span: borrowing Span<UInt8>, seed: UInt64) -> UInt64 {
        // The buffer is read only inside the closure.
        unsafe span.withUnsafeBufferPointer { unsafe XXH3_64bits_withSeed($0.baseAddress, $0.count, seed) }
    }

    @inlinable
    public static func hash128(_ span: borrowing Span<UInt8>, seed: UInt64) -> Hash128 {
        // The buffer is read only inside the closure.
        let hash = unsafe span.withUnsafeBufferPointer {
            unsafe XXH3_128bits_withSeed($0.baseAddress, $0.count, seed)
        }
        return Hash128(low: hash.low64, high: hash.high64)
    }
}
