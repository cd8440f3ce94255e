/// Reserved room at the end of a buffer, written from its front: what is composed of many small runs looks at
/// the buffer once for all of them.
extension ByteBuffer {
    /// Appends several runs as one step, `n` bytes at most; `fill` appends to the room for them.
    @inlinable @inline(__always)
    public mutating func append(atMost n: Int, _ fill: (inout Room) -> Void) {
        precondition(n >= 0)
        reserve(n)
        // reserve(n) left as many bytes at `end`.
        var room = unsafe Room(UnsafeMutableRawPointer(base + end), count: n)
        fill(&room)
        end &+= n &- room.count
    }

    @safe
    public struct Room: ~Copyable {
        // `count` bytes from `place` on are free, and nobody else's.
        @usableFromInline var place: UnsafeMutableRawPointer
        @usableFromInline var count: Int

        @inlinable @inline(__always)
        init(_ place: UnsafeMutableRawPointer, count: Int) {
            unsafe self.place = unsafe place
            self.count = count
        }

        /// The place for `n` bytes, which are then taken. Where whole words are stored, `least` bytes must be
        /// free.
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

        /// As the other, of a run that is seldom short: without a look for the cheapest way to copy it.
        @inlinable @inline(__always)
        public mutating func append(long span: borrowing Span<UInt8>) {
            let target = unsafe take(span.count)
            unsafe span.withUnsafeBufferPointer { source in
                // As above.
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

        /// Text with the ASCII capitals made small. Eight bytes must be free, however short it is.
        @inlinable @inline(__always)
        public mutating func append(lowercasing text: borrowing Span<UInt8>) {
            let n = text.count
            let target = unsafe take(n, least: 8)
            guard n >= 8 else {
                // Eight bytes were free.
                let word = text.word(at: 0, length: n).lowercasedBytes.littleEndian
                return unsafe target.storeBytes(of: word, as: UInt64.self)
            }
            // The first word and the last, which may overlap; then what is between them.
            let last = n &- 8
            let first = text.word(at: 0).lowercasedBytes.littleEndian
            let word = text.word(at: last).lowercasedBytes.littleEndian
            unsafe target.storeBytes(of: first, as: UInt64.self)
            unsafe target.storeBytes(of: word, toByteOffset: last, as: UInt64.self)
            var index = 8
            while index < last {
                let word = text.word(at: index).lowercasedBytes.littleEndian
                // index < n - 8: inside what was taken.
                unsafe target.storeBytes(of: word, toByteOffset: index, as: UInt64.self)
                index &+= 8
            }
        }

        /// A number in decimal. Twenty bytes must be free, however small it is.
        @inlinable @inline(__always)
        public mutating func append(decimal value: UInt64) {
            precondition(count >= 20, "more than was asked for")
            // At most the twenty that are free.
            let digits = unsafe Self.write(decimal: value, place)
            unsafe place += digits
            count &-= digits
        }

        /// Writes a number to where there is room for twenty bytes.
        /// - Returns: how many digits it has.
        @usableFromInline @inline(never)
        static func write(decimal value: UInt64, _ target: UnsafeMutableRawPointer) -> Int {
            guard value < 100_000_000 else { return unsafe write(long: value, target) }
            if value < 100 {
                // An Age, most often.
                let tens = (value &* 103) &>> 10
                let text = 0x3030 &+ tens &+ (value &- tens &* 10) &<< 8
                let skipped: UInt64 = tens == 0 ? 8 : 0
                let shown = UInt16(truncatingIfNeeded: text &>> skipped)
                unsafe target.storeBytes(of: shown.littleEndian, as: UInt16.self)
                return tens == 0 ? 1 : 2
            }
            let text = eightDigits(value)
            // Zeros in front are left out, but for the last digit.
            let skipped = (text | 1 << 63).trailingZeroBitCount & ~7
            let shown = (text &+ zeros) &>> UInt64(truncatingIfNeeded: skipped)
            unsafe target.storeBytes(of: shown.littleEndian, as: UInt64.self)
            return 8 &- skipped &>> 3
        }

        @inline(never)
        private static func write(long value: UInt64, _ target: UnsafeMutableRawPointer) -> Int {
            // Twelve digits at most, and these eight behind them.
            let digits = unsafe write(decimal: value / 100_000_000, target)
            let text = eightDigits(value % 100_000_000) &+ zeros
            unsafe target.storeBytes(of: text.littleEndian, toByteOffset: digits, as: UInt64.self)
            return digits &+ 8
        }

        private static var zeros: UInt64 { 0x3030_3030_3030_3030 }

        /// The digits of a number below 10⁸ as bytes 0 to 9, the first one lowest: halves, then pairs, then
        /// digits, each step in all lanes at once. Products by a rounded reciprocal are exact in these
        /// ranges.
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
