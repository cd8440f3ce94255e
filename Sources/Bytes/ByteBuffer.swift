/// An owned, growable run of bytes with a read end and a write end.
///
///     base          start             end          capacity
///      |  consumed    |   readable      |   spare     |
///
/// One owner, freed by `deinit`. Composing a head is a row of `append`s; receiving fills the spare part;
/// sending drops from the front. Nothing here bounds the size: the callers' limits do.
@safe
public struct ByteBuffer: ~Copyable, Sendable {
    // Always a valid allocation of `capacity` bytes (never nil; 1 byte at least); [start, end) is
    // initialised.
    @usableFromInline nonisolated(unsafe) var base: UnsafeMutablePointer<UInt8>
    @usableFromInline var start: Int
    @usableFromInline var end: Int
    public private(set) var capacity: Int

    /// An empty buffer with room for `capacity` bytes.
    public init(capacity: Int) {
        precondition(capacity >= 0)
        self.capacity = max(capacity, 1)
        unsafe base = .allocate(capacity: max(capacity, 1))
        start = 0
        end = 0
    }

    deinit { unsafe base.deallocate() }

    /// Readable bytes.
    @inlinable public var count: Int { end &- start }
    @inlinable public var isEmpty: Bool { end == start }
    /// Bytes that fit behind the readable ones without moving or growing.
    @inlinable public var spareCount: Int { capacity &- end }

    /// The readable bytes.
    @inlinable
    public var span: Span<UInt8> {
        @_lifetime(borrow self)
        get {
            // [start, end) is initialised and owned by self for as long as the borrow lasts.
            let span = unsafe Span(_unsafeStart: base + start, count: end &- start)
            return unsafe _overrideLifetime(span, borrowing: self)
        }
    }

    /// The readable bytes, writable in place.
    @inlinable
    public var mutableSpan: MutableSpan<UInt8> {
        @_lifetime(&self)
        mutating get {
            // As `span`, and exclusive: self is borrowed mutably.
            let span = unsafe MutableSpan(_unsafeStart: base + start, count: end &- start)
            return unsafe _overrideLifetime(span, mutating: &self)
        }
    }

    @inlinable
    public mutating func removeAll() {
        start = 0
        end = 0
    }

    /// Drops `n` readable bytes from the front.
    @inlinable
    public mutating func removeFirst(_ n: Int) {
        precondition(n >= 0 && n <= count)
        start &+= n
        if start == end { removeAll() }
    }

    /// Drops `n` readable bytes from the end.
    @inlinable
    public mutating func removeLast(_ n: Int) {
        precondition(n >= 0 && n <= count)
        end &-= n
        if start == end { removeAll() }
    }

    /// Makes room for `n` more bytes behind the readable ones: by moving them to the front, else by growing.
    @inlinable
    public mutating func reserve(_ n: Int) {
        if spareCount < n { makeRoom(n) }
    }

    @usableFromInline
    mutating func makeRoom(_ n: Int) {
        precondition(n >= 0)
        let needed = count + n
        if needed <= capacity {
            // Both runs lie inside the allocation; `update` allows overlap.
            unsafe base.update(from: base + start, count: count)
        } else {
            let grown = max(needed, capacity * 2)
            let fresh = UnsafeMutablePointer<UInt8>.allocate(capacity: grown)
            // `fresh` holds at least `count` bytes and does not overlap the old block.
            unsafe fresh.initialize(from: base + start, count: count)
            unsafe base.deallocate()
            unsafe base = fresh
            capacity = grown
        }
        end = count
        start = 0
    }

    // MARK: Appending

    @inlinable
    public mutating func append(_ byte: UInt8) {
        reserve(1)
        // reserve(1) left room at `end`.
        unsafe base[end] = byte
        end &+= 1
    }

    @inlinable
    public mutating func append(_ span: borrowing Span<UInt8>) {
        let n = span.count
        guard n > 0 else { return }
        reserve(n)
        // reserve(n) left room; the source is borrowed, so it cannot be this buffer's own memory.
        unsafe span.withUnsafeBufferPointer { unsafe (base + end).update(from: $0.baseAddress!, count: n) }
        end &+= n
    }

    /// Appends two runs, each with two bytes behind it: a field line, as one step.
    @inlinable
    public mutating func append(
        _ first: borrowing Span<UInt8>, _ a: UInt8, _ b: UInt8, _ second: borrowing Span<UInt8>, _ c: UInt8,
        _ d: UInt8
    ) {
        let (n, m) = (first.count, second.count)
        reserve(n &+ m &+ 4)
        // reserve left room for all of it; the sources are borrowed, so they cannot be this buffer's own.
        let target = unsafe base + end
        unsafe first.withUnsafeBufferPointer {
            if let source = $0.baseAddress { unsafe target.update(from: source, count: n) }
        }
        unsafe target[n] = a
        unsafe target[n &+ 1] = b
        unsafe second.withUnsafeBufferPointer {
            if let source = $0.baseAddress { unsafe (target + n + 2).update(from: source, count: m) }
        }
        unsafe target[n &+ m &+ 2] = c
        unsafe target[n &+ m &+ 3] = d
        end &+= n &+ m &+ 4
    }

    /// Appends an ASCII literal.
    @inlinable
    public mutating func append(_ literal: StaticString) {
        let n = literal.utf8CodeUnitCount
        precondition(literal.hasPointerRepresentation)
        reserve(n)
        // reserve(n) left room; literals live for the whole program.
        unsafe (base + end).update(from: literal.utf8Start, count: n)
        end &+= n
    }

    /// Appends text with the ASCII capitals made small.
    @inlinable
    public mutating func append(lowercasing text: borrowing Span<UInt8>) {
        let n = text.count
        reserve(n)
        var index = 0
        while index < n {
            // The last word overlaps the one before; fewer than eight bytes go one by one.
            if n >= 8 {
                let place = min(index, n &- 8)
                let word = text.word(at: place).lowercasedBytes.littleEndian
                // reserve(n) left room for n bytes, of which these eight are some.
                unsafe UnsafeMutableRawPointer(base + end + place).storeBytes(of: word, as: UInt64.self)
                index &+= 8
            } else {
                // Room as above.
                unsafe base[end &+ index] = ASCII.lowercased(text[index])
                index &+= 1
            }
        }
        end &+= n
    }

    @inlinable
    public mutating func append(littleEndian value: UInt64) {
        reserve(8)
        // reserve(8) left room for the eight bytes.
        unsafe UnsafeMutableRawPointer(base + end).storeBytes(of: value.littleEndian, as: UInt64.self)
        end &+= 8
    }

    /// Appends text. For configuration and logs, not for the hot path.
    public mutating func append(text: String) {
        for byte in text.utf8 { append(byte) }
    }

    /// Appends a number in decimal.
    @inlinable
    public mutating func append(decimal value: UInt64) {
        reserve(20)
        var digits = 1
        var rest = value
        while rest >= 10_000 {
            rest /= 10_000
            digits &+= 4
        }
        digits &+= rest >= 1_000 ? 3 : rest >= 100 ? 2 : rest >= 10 ? 1 : 0
        rest = value
        var index = end &+ digits
        repeat {
            index &-= 1
            // 20 bytes were reserved; `index` runs from end + digits - 1 down to end.
            unsafe base[index] = 0x30 &+ UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        } while rest > 0
        end &+= digits
    }

    /// Appends a number in lower-case hexadecimal without leading zeros.
    @inlinable
    public mutating func append(hexadecimal value: UInt64) {
        reserve(16)
        var shift = value == 0 ? 0 : (63 &- value.leadingZeroBitCount) & ~3
        while shift >= 0 {
            let nibble = UInt8(truncatingIfNeeded: (value >> UInt64(shift)) & 15)
            // 16 bytes were reserved and a 64-bit number has at most 16 digits.
            unsafe base[end] = nibble < 10 ? 0x30 &+ nibble : 0x57 &+ nibble
            end &+= 1
            shift &-= 4
        }
    }

    /// Lets `fill` write up to `capacity` bytes behind the readable ones; what it appended becomes readable.
    @inlinable
    public mutating func append<R, E: Error>(
        capacity: Int, _ fill: (inout OutputSpan<UInt8>) throws(E) -> R
    ) throws(E) -> R {
        reserve(capacity)
        // The spare part is exclusive to this call; finalize tells how much of it was written.
        let spare = unsafe UnsafeMutableBufferPointer(start: base + end, count: capacity)
        var output = unsafe OutputSpan(buffer: spare, initializedCount: 0)
        let result = try fill(&output)
        end &+= unsafe output.finalize(for: spare)
        return result
    }
}
