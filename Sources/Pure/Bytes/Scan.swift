public import CVector
public import CXXHash

/// Vector loads, literals and the hash. With `ByteBuffer`, this is the only file of the module that uses
/// `unsafe`. Each function reads only inside a span or literal whose length it has checked.

extension StaticString {
    /// The byte at `index` of an ASCII literal. The literal has a pointer representation, as every literal of
    /// more than one scalar has.
    @inlinable @inline(__always)
    public func byte(at index: Int) -> UInt8 {
        precondition(hasPointerRepresentation && index < utf8CodeUnitCount)
        // The bounds are checked above. Literals live for the whole program.
        return unsafe utf8Start[index]
    }

    /// Up to eight bytes from `index` on as a little-endian number, the first byte lowest. The optimiser
    /// folds it to a constant, so comparing a name with a literal costs one instruction for eight bytes.
    @inlinable @inline(__always)
    public func word(at index: Int) -> UInt64 {
        precondition(hasPointerRepresentation && index >= 0 && index <= utf8CodeUnitCount)
        let n = utf8CodeUnitCount &- index
        if n >= 8 {
            // Eight bytes are left (checked). Literals live for the whole program.
            let word = unsafe UnsafeRawPointer(utf8Start).loadUnaligned(
                fromByteOffset: index, as: UInt64.self)
            return UInt64(littleEndian: word)
        }
        var word: UInt64 = 0
        // index + n is utf8CodeUnitCount, checked above.
        for offset in 0..<n { word |= unsafe UInt64(utf8Start[index &+ offset]) &<< UInt64(offset &* 8) }
        return word
    }
}

extension SIMD16<UInt8> {
    /// Sixteen bytes from two words, the first byte lowest.
    @inlinable @inline(__always)
    init(_ low: UInt64, _ high: UInt64) {
        // Both types are sixteen bytes.
        self = unsafe unsafeBitCast(
            SIMD2(low.littleEndian, high.littleEndian), to: SIMD16<UInt8>.self)
    }
}

extension UInt64 {
    /// Eight bytes in ASCII lower case. Bytes that are not ASCII capitals keep their value.
    @inlinable @inline(__always)
    public var lowercasedBytes: UInt64 {
        // Capitals lack this bit. Host names rarely contain another byte without it, so most words end here.
        if self & 0x2020_2020_2020_2020 == 0x2020_2020_2020_2020 { return self }
        let ones: UInt64 = 0x0101_0101_0101_0101
        let heptets = self & (ones &* 0x7f)
        let fromA = heptets &+ (ones &* (0x80 - 0x41))
        let pastZ = heptets &+ (ones &* (0x80 - 0x5b))
        let capitals = (fromA ^ pastZ) & ~self & (ones &* 0x80)
        return self | (capitals &>> 2)
    }

    /// Eight bytes in lower case, for comparison with a literal that consists of small letters and bytes
    /// below 0x40 (digits, hyphens). Only such bytes and capitals can become equal to such a literal.
    @inlinable @inline(__always)
    public var foldedLetters: UInt64 { self | ((self & 0x4040_4040_4040_4040) &>> 1) }

    /// The decimal number in `digits` (1 to 8) bytes, the first byte lowest, with zero bytes above them. Nil
    /// if a byte is not a digit.
    @inlinable @inline(__always)
    public func decimalValue(digits: Int) -> UInt64? {
        // The values of the digits, with zeros in front: the last digit is in the highest byte.
        let values = (self ^ 0x3030_3030_3030_3030) &<< UInt64(truncatingIfNeeded: (8 &- digits) &* 8)
        if ((values &+ 0x7676_7676_7676_7676) | values) & 0x8080_8080_8080_8080 != 0 { return nil }
        // Neighbours join into pairs, and pairs into the number. Each product puts its sum above bit 32.
        let pairs = values &* 10 &+ values &>> 8
        let odd = (pairs & 0x0000_00ff_0000_00ff) &* (100 + 1_000_000 << 32)
        let even = (pairs &>> 16 & 0x0000_00ff_0000_00ff) &* (1 + 10_000 << 32)
        return (odd &+ even) &>> 32
    }
}

extension Span<UInt8> {
    /// `length` (0 to 8) bytes from `index` on as a little-endian number; the higher bytes are zero.
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

    /// The first and the last eight bytes of a run of `length` (at least 1) bytes at `index`. If the run is
    /// shorter than eight bytes, both words hold the whole run in their highest bytes, with zeros below. The
    /// span must have eight bytes from `index` on.
    @inlinable @inline(__always)
    public func ends(at index: Int, length: Int) -> (first: UInt64, last: UInt64) {
        precondition(index >= 0 && length >= 0 && index &+ 8 <= count && index &+ length <= count)
        // Checked: the span has eight bytes from `index` on, and all of `length`.
        let word = unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: index, as: UInt64.self)
        if length < 8 {
            let all = UInt64(littleEndian: word) &<< UInt64(truncatingIfNeeded: 64 &- length &* 8)
            return (all, all)
        }
        let last = unsafe bytes.unsafeLoadUnaligned(
            fromUncheckedByteOffset: index &+ length &- 8, as: UInt64.self)
        return (UInt64(littleEndian: word), UInt64(littleEndian: last))
    }

    /// Is there at `index` a run of `length` bytes with these `ends`, followed by these two bytes? Always
    /// false if the run is longer than sixteen bytes, or if it begins in the last seventeen bytes of the
    /// span.
    @inlinable @inline(__always)
    public func has(
        _ ends: (first: UInt64, last: UInt64), length: UInt8, before pair: UInt16, at index: Int
    ) -> Bool {
        // This check covers all loads: each lies inside the eighteen bytes from `index` on, or ends with the
        // run.
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

    /// Are the two bytes at `index` these, the first byte lowest? False if fewer than two bytes are there.
    @inlinable @inline(__always)
    public func hasPair(_ pair: UInt16, at index: Int) -> Bool {
        // One comparison for both bounds: a negative index becomes a large unsigned number.
        guard UInt(bitPattern: index) < UInt(bitPattern: Swift.max(count, 1) &- 1) else { return false }
        // Both bytes lie inside the span.
        let word = unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: index, as: UInt16.self)
        return UInt16(littleEndian: word) == pair
    }

    @inlinable
    public func hasPrefix(_ other: borrowing Span<UInt8>) -> Bool {
        guard count >= other.count, other.count > 0 else { return other.count == 0 }
        // Both are non-empty, so both have an address. Both hold at least `other.count` bytes.
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

    /// As `first(_:from:)`, but tests only whole steps of sixteen bytes from `start` on. If it returns
    /// `count`, there may still be a match in the last fifteen bytes. It makes no call, so all constants stay
    /// in registers.
    @inlinable @inline(__always)
    func firstInVectors<Test: LaneTest>(_ test: Test, from start: Int) -> Int {
        var index = start
        // One comparison for both bounds: a negative index becomes a large unsigned number.
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

    /// The index of the first byte at or after `start` that `test` finds, if that byte and the next are
    /// `pair` (the first byte lowest). Nil if they are not, and nil in the last sixteen bytes of the span. A
    /// match in the first step costs no call. A loop here would take registers from the caller's loop.
    @inlinable @inline(__always)
    func first<Test: LaneTest>(_ test: Test, from start: Int, beginning pair: UInt16) -> Int? {
        // One comparison for both bounds, with one byte to spare, so that both bytes of the pair lie inside.
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

    /// As `first(_:from:)`, for one to sixteen remaining bytes. It is a call, so that its constants take no
    /// register from the loops that `first` is inlined into.
    @inlinable @inline(never)
    func firstInTail<Test: LaneTest>(_ test: Test, from start: Int) -> Int {
        // The last sixteen bytes, or the whole span if it is shorter.
        let base = Swift.max(0, count &- 16)
        let low = word(at: base, length: Swift.min(count, 8))
        let high = count > 8 ? word(at: base &+ 8, length: Swift.min(count, 16) &- 8) : 0
        // Lanes before `start` and lanes behind the end do not count.
        let found = UInt32(larder_high_bits(test.lanes(SIMD16(low, high)))) &>> UInt32(start &- base)
        return found == 0 ? count : Swift.min(start &+ found.trailingZeroBitCount, count)
    }

    /// The index of the first `byte` at or after `start`, or nil. Tests 16 bytes in a step.
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

    /// The index of the first byte at or after `start` that is below 0x20 (HTAB included) or DEL, or `count`.
    @inlinable @inline(__always)
    public func firstControl(from start: Int) -> Int { first(Control(), from: start) }

    /// As `firstControl(from:)`, if `pair` begins there (the first byte lowest). Nil if it does not, and nil
    /// in the last sixteen bytes of the span.
    @inlinable @inline(__always)
    public func firstControl(from start: Int, beginning pair: UInt16) -> Int? {
        first(Control(), from: start, beginning: pair)
    }

    /// The index of the first byte at or after `start` outside visible ASCII (0x21 to 0x7E), or `count`.
    @inlinable @inline(__always)
    public func firstNonVisible(from start: Int) -> Int { first(NonVisible(), from: start) }

    /// The index of the first byte at or after `start` that ends a path: `#`, `?` or a byte outside visible
    /// ASCII. `count` if there is none.
    @inlinable @inline(__always)
    public func firstNonPath(from start: Int) -> Int { first(NonPath(), from: start) }

    /// As `firstNonPath(from:)`. Sets `hasMarks` if the path before that index contains `%`, `;`, `\` or a
    /// `.` directly behind a `/`. Also sets it, without a check, near the end of the span.
    @inlinable @inline(__always)
    public func firstNonPath(from start: Int, hasMarks: inout Bool) -> Int {
        precondition(start > 0 && start <= count)
        var marks: UInt16 = 0
        var index = start
        while index &+ 16 <= count {
            // The loop condition keeps both loads inside the span. `start` is above 0.
            let vector = unsafe bytes.unsafeLoadUnaligned(
                fromUncheckedByteOffset: index, as: SIMD16<UInt8>.self)
            let before = unsafe bytes.unsafeLoadUnaligned(
                fromUncheckedByteOffset: index &- 1, as: SIMD16<UInt8>.self)
            let ends = larder_high_bits(NonPath().lanes(vector))
            let found = larder_high_bits(PathMark.lanes(vector, behind: before))
            if ends != 0 {
                // The marks in front of the first end.
                hasMarks = marks | (found & (ends &- 1) & ~ends) != 0
                return index &+ ends.trailingZeroBitCount
            }
            marks |= found
            index &+= 16
        }
        hasMarks = true
        return firstNonPath(from: index)
    }

    /// The index of the first byte at or after `start` that is neither a letter nor a hyphen, or `count`.
    /// Most field names end there.
    @inlinable @inline(__always)
    public func firstNonWord(from start: Int) -> Int { first(NonWord(), from: start) }

    /// As `firstNonWord(from:)`, if `pair` begins there (the first byte lowest). Nil if it does not, and nil
    /// in the last sixteen bytes of the span.
    @inlinable @inline(__always)
    public func firstNonWord(from start: Int, beginning pair: UInt16) -> Int? {
        first(NonWord(), from: start, beginning: pair)
    }

    /// The index of the first byte at or after `start` that is no letter, digit, hyphen or dot, or `count`.
    /// Most host names end there.
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

/// XXH3 of xxHash: a fast, well distributed hash with a seed. It is not cryptographic: where equality
/// matters, compare the full bytes as well.
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
