/// Room reserved at the end of a buffer and filled from its front. Text made of many small runs is written
/// this way, with one check of the buffer for all of them.
extension ByteBuffer {
    /// Appends several runs as one step. `fill` writes at most `n` bytes to the room it gets.
    @inlinable @inline(__always)
    public mutating func append(atMost n: Int, _ fill: (inout Room) -> Void) {
        precondition(n >= 0)
        reserve(n)
        // reserve(n) left `n` bytes free at `end`.
        var room = unsafe Room(UnsafeMutableRawPointer(base + end), count: n)
        fill(&room)
        end &+= n &- room.count
    }

    @safe
    public struct Room: ~Copyable {
        // `count` bytes from `place` on are free and belong to this value alone.
        @usableFromInline var place: UnsafeMutableRawPointer
        @usableFromInline var count: Int

        @inlinable @inline(__always)
        init(_ place: UnsafeMutableRawPointer, count: Int) {
            unsafe self.place = unsafe place
            self.count = count
        }

        /// Takes the next `n` bytes of the room and returns their address. At least `least` bytes must be
        /// free: a caller that stores whole words may write more than the `n` bytes.
        @inlinable @inline(__always)
        mutating func take(_ n: Int, least: Int = 0) -> UnsafeMutableRawPointer {
            precondition(n >= 0 && n <= count && least <= count, "more than was asked for")
            let taken = unsafe place
            unsafe place += n
            count &-= n
            return unsafe taken
        }

        @inlinable @inline(__always)
        public mutating func append(_ byte: UInt8) { unsafe take(1).storeBytes(of: byte, as: UInt8.self) }

        @inlinable @inline(__always)
        public mutating func append(_ span: borrowing Span<UInt8>) {
            let target = unsafe take(span.count).assumingMemoryBound(to: UInt8.self)
            // The source is borrowed, so it cannot be the buffer's own memory.
            unsafe ByteBuffer.copy(span, to: target)
        }

        /// As `append(_:)`, for a run that is usually long: copies by a call, without the check for short
        /// runs.
        @inlinable @inline(__always)
        public mutating func append(long span: borrowing Span<UInt8>) {
            let target = unsafe take(span.count)
            unsafe span.withUnsafeBufferPointer { source in
                // `take` made room for `source.count` bytes; the source is borrowed, so it does not overlap.
                if let start = source.baseAddress {
                    unsafe target.copyMemory(from: start, byteCount: source.count)
                }
            }
        }

        /// An ASCII literal.
        @inlinable @inline(__always)
        public mutating func append(_ literal: StaticString) {
            precondition(literal.hasPointerRepresentation)
            let n = literal.utf8CodeUnitCount
            // Literals live for the whole program.
            unsafe take(n).copyMemory(from: literal.utf8Start, byteCount: n)
        }

        @inlinable @inline(__always)
        public mutating func append(littleEndian value: UInt64) {
            unsafe take(8).storeBytes(of: value.littleEndian, as: UInt64.self)
        }

        /// Text in ASCII lower case. Eight bytes must be free, even for a shorter text.
        @inlinable @inline(__always)
        public mutating func append(lowercasing text: borrowing Span<UInt8>) {
            let n = text.count
            let target = unsafe take(n, least: 8)
            guard n >= 8 else {
                // `take` checked that eight bytes are free.
                let word = text.word(at: 0, length: n).lowercasedBytes.littleEndian
                return unsafe target.storeBytes(of: word, as: UInt64.self)
            }
            // The first word and the last word, which may overlap; then the words between them.
            let last = n &- 8
            let first = text.word(at: 0).lowercasedBytes.littleEndian
            let word = text.word(at: last).lowercasedBytes.littleEndian
            unsafe target.storeBytes(of: first, as: UInt64.self)
            unsafe target.storeBytes(of: word, toByteOffset: last, as: UInt64.self)
            var index = 8
            while index < last {
                let word = text.word(at: index).lowercasedBytes.littleEndian
                // index < n - 8: the store lies inside the taken bytes.
                unsafe target.storeBytes(of: word, toByteOffset: index, as: UInt64.self)
                index &+= 8
            }
        }

        /// A number in decimal. Twenty bytes must be free, even for a smaller number.
        @inlinable @inline(__always)
        public mutating func append(decimal value: UInt64) {
            precondition(count >= 20, "more than was asked for")
            // `write` stores at most twenty bytes, which are free.
            let digits = unsafe Self.write(decimal: value, place)
            unsafe place += digits
            count &-= digits
        }

        /// Writes a number in decimal. `target` must have room for twenty bytes.
        /// - Returns: the number of digits.
        @usableFromInline @inline(never)
        static func write(decimal value: UInt64, _ target: UnsafeMutableRawPointer) -> Int {
            guard value < 100_000_000 else { return unsafe write(long: value, target) }
            if value < 100 {
                // Most often the value of an `Age` field.
                let tens = (value &* 103) &>> 10
                let text = 0x3030 &+ tens &+ (value &- tens &* 10) &<< 8
                let skipped: UInt64 = tens == 0 ? 8 : 0
                let shown = UInt16(truncatingIfNeeded: text &>> skipped)
                unsafe target.storeBytes(of: shown.littleEndian, as: UInt16.self)
                return tens == 0 ? 1 : 2
            }
            let text = eightDigits(value)
            // Drop leading zeros, but keep the last digit.
            let skipped = (text | 1 << 63).trailingZeroBitCount & ~7
            let shown = (text &+ zeros) &>> UInt64(truncatingIfNeeded: skipped)
            unsafe target.storeBytes(of: shown.littleEndian, as: UInt64.self)
            return 8 &- skipped &>> 3
        }

        @inline(never)
        private static func write(long value: UInt64, _ target: UnsafeMutableRawPointer) -> Int {
            // At most twelve digits, followed by the eight digits of the remainder.
            let digits = unsafe write(decimal: value / 100_000_000, target)
            let text = eightDigits(value % 100_000_000) &+ zeros
            unsafe target.storeBytes(of: text.littleEndian, toByteOffset: digits, as: UInt64.self)
            return digits &+ 8
        }

        private static var zeros: UInt64 { 0x3030_3030_3030_3030 }

        /// The digits of a number below 10⁸ as bytes 0 to 9, the first digit in the lowest byte. Each step
        /// splits all lanes at once: into halves, pairs, digits. A multiplication by a rounded reciprocal
        /// replaces the division; it is exact in these ranges.
        @inline(__always)
        private static func eightDigits(_ value: UInt64) -> UInt64 {
            let high = value / 10_000
            let fours = high | (value &- high &* 10_000) &<< 32
            let hundreds = (fours &* 5243) &>> 19 & 0x0000_007f_0000_007f
            let pairs = hundreds | (fours &- hundreds &* 100) &<< 16
            let tens = (pairs &* 103) &>> 10 & 0x000f_000f_000f_000f
            return tens | (pairs &- tens &* 10) &<< 8
        }
    }
}
