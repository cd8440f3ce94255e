/// An owned, growable run of bytes. Readers take bytes from its start, writers append at its end.
///
///     base          start             end          capacity
///      |  consumed    |   readable      |   spare     |
///
/// The buffer owns its memory and frees it in `deinit`. It has no maximum size: the callers' limits bound it.
@safe
public struct ByteBuffer: ~Copyable, Sendable {
    // Points to `capacity` bytes, of which [start, end) are initialised. If `capacity` is 0, there is no
    // memory behind it.
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

    /// An empty buffer without memory. The first byte allocates it.
    public init() {
        unsafe base = Self.nowhere
        capacity = 0
        start = 0
        end = 0
    }

    /// A placeholder address. Nothing is read or written there.
    private static var nowhere: UnsafeMutablePointer<UInt8> { unsafe UnsafeMutablePointer(bitPattern: 1)! }

    deinit { if capacity > 0 { unsafe base.deallocate() } }

    /// Readable bytes.
    @inlinable public var count: Int { end &- start }
    @inlinable public var isEmpty: Bool { end == start }
    /// The number of bytes that can be appended without moving or growing.
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
            // As in `span`; the access is exclusive, because self is borrowed mutably.
            let span = unsafe MutableSpan(_unsafeStart: base + start, count: end &- start)
            return unsafe _overrideLifetime(span, mutating: &self)
        }
    }

    @inlinable
    public mutating func removeAll() {
        start = 0
        end = 0
    }

    /// Empties the buffer and keeps `n` bytes free in front, for `prepend`.
    @inlinable
    public mutating func removeAll(leavingRoom n: Int) {
        precondition(n >= 0 && n <= capacity)
        start = n
        end = n
    }

    /// Puts a run in front of the readable bytes. Returns false, without a change, if too few bytes are free
    /// there: those that `removeAll(leavingRoom:)` kept and those that were removed.
    @inlinable
    public mutating func prepend(_ span: borrowing Span<UInt8>) -> Bool {
        guard span.count <= start else { return false }
        start &-= span.count
        // The bytes before `start` belong to this buffer and are unused. The source is borrowed, so it lies
        // elsewhere.
        unsafe Self.copy(span, to: base + start)
        return true
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

    /// Makes room for `n` more bytes behind the readable ones: moves these to the front if that suffices,
    /// otherwise grows.
    @inlinable
    public mutating func reserve(_ n: Int) {
        if spareCount < n { makeRoom(n) }
    }

    @usableFromInline @inline(never)
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
            if capacity > 0 { unsafe base.deallocate() }
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

    /// Copies a run to `target`, which has room for it and does not overlap it. The parts of a head are
    /// short, so up to 32 bytes are copied by two loads and two stores, which meet or overlap in the middle,
    /// without a call.
    @inlinable @inline(__always)
    static func copy(_ source: borrowing Span<UInt8>, to target: UnsafeMutablePointer<UInt8>) {
        let count = source.count
        if count > 32 {
            // More than 32 bytes, so the buffer has an address.
            unsafe source.withUnsafeBufferPointer {
                unsafe UnsafeMutableRawPointer(target).copyMemory(from: $0.baseAddress!, byteCount: count)
            }
        } else if count >= 16 {
            unsafe copyEnds(source, to: target, SIMD16<UInt8>.self)
        } else if count >= 8 {
            unsafe copyEnds(source, to: target, UInt64.self)
        } else if count >= 4 {
            unsafe copyEnds(source, to: target, UInt32.self)
        } else if count > 0 {
            // One to three bytes: the first, the middle and the last.
            unsafe target[0] = source[0]
            unsafe target[count &>> 1] = source[count &>> 1]
            unsafe target[count &- 1] = source[count &- 1]
        }
    }

    /// Copies the first and the last `W` of a run. The run is as long as one to two `W`.
    @inlinable @inline(__always)
    static func copyEnds<W: BitwiseCopyable>(
        _ source: borrowing Span<UInt8>, to target: UnsafeMutablePointer<UInt8>, _: W.Type
    ) {
        let (bytes, raw) = unsafe (source.bytes, UnsafeMutableRawPointer(target))
        let last = source.count &- MemoryLayout<W>.size
        // Both loads lie inside the source, so both stores lie inside the room for it.
        let first = unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: 0, as: W.self)
        let second = unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: last, as: W.self)
        unsafe raw.storeBytes(of: first, as: W.self)
        unsafe raw.storeBytes(of: second, toByteOffset: last, as: W.self)
    }

    @inlinable
    public mutating func append(_ span: borrowing Span<UInt8>) {
        // The rare case is a tail call, so that the common case saves no registers.
        guard spareCount >= span.count else { return appendMakingRoom(span) }
        let target = unsafe base + end
        end &+= span.count
        // There is room. The source is borrowed, so it cannot be this buffer's own memory.
        unsafe Self.copy(span, to: target)
    }

    @usableFromInline @inline(never)
    mutating func appendMakingRoom(_ span: borrowing Span<UInt8>) {
        makeRoom(span.count)
        append(span)
    }

    /// Appends two runs, each followed by two bytes: a whole field line in one step.
    @inlinable
    public mutating func append(
        _ first: borrowing Span<UInt8>, _ a: UInt8, _ b: UInt8, _ second: borrowing Span<UInt8>, _ c: UInt8,
        _ d: UInt8
    ) {
        let (n, m) = (first.count, second.count)
        guard spareCount >= n &+ m &+ 4 else { return appendMakingRoom(first, a, b, second, c, d) }
        // There is room for all of it. The sources are borrowed, so they cannot be this buffer's own memory.
        let target = unsafe base + end
        end &+= n &+ m &+ 4
        unsafe target[n] = a
        unsafe target[n &+ 1] = b
        unsafe target[n &+ m &+ 2] = c
        unsafe target[n &+ m &+ 3] = d
        unsafe Self.copy(first, to: target)
        unsafe Self.copy(second, to: target + n + 2)
    }

    @usableFromInline @inline(never)
    mutating func appendMakingRoom(
        _ first: borrowing Span<UInt8>, _ a: UInt8, _ b: UInt8, _ second: borrowing Span<UInt8>, _ c: UInt8,
        _ d: UInt8
    ) {
        makeRoom(first.count &+ second.count &+ 4)
        append(first, a, b, second, c, d)
    }

    /// Appends an ASCII literal. After inlining, length and bytes are constants and the copy is a few stores.
    @inlinable @inline(__always)
    public mutating func append(_ literal: StaticString) {
        let n = literal.utf8CodeUnitCount
        precondition(literal.hasPointerRepresentation)
        reserve(n)
        // reserve(n) left room. Literals live for the whole program.
        unsafe UnsafeMutableRawPointer(base + end).copyMemory(from: literal.utf8Start, byteCount: n)
        end &+= n
    }

    /// Appends text in ASCII lower case.
    @inlinable
    public mutating func append(lowercasing text: borrowing Span<UInt8>) {
        append(atMost: text.count &+ 8) { $0.append(lowercasing: text) }
    }

    @inlinable
    public mutating func append(littleEndian value: UInt64) {
        append(atMost: 8) { $0.append(littleEndian: value) }
    }

    /// Appends text, byte by byte. For configuration and logs, not for the hot path.
    public mutating func append(text: String) {
        for byte in text.utf8 { append(byte) }
    }

    /// Appends a number in decimal.
    @inlinable
    public mutating func append(decimal value: UInt64) {
        // The longest number has 20 digits.
        append(atMost: 20) { $0.append(decimal: value) }
    }

    /// Appends a number in lower-case hexadecimal without leading zeros.
    @inlinable
    public mutating func append(hexadecimal value: UInt64) {
        reserve(16)
        var shift = value == 0 ? 0 : (63 &- value.leadingZeroBitCount) & ~3
        while shift >= 0 {
            let nibble = UInt8(truncatingIfNeeded: (value >> UInt64(shift)) & 15)
            // 16 bytes are reserved, and a 64-bit number has at most 16 hexadecimal digits.
            unsafe base[end] = nibble < 10 ? 0x30 &+ nibble : 0x57 &+ nibble
            end &+= 1
            shift &-= 4
        }
    }

    /// Lets `fill` write up to `capacity` bytes behind the readable ones. The bytes it wrote become readable.
    @inlinable
    public mutating func append<R, E: Error>(
        capacity: Int, _ fill: (inout OutputSpan<UInt8>) throws(E) -> R
    ) throws(E) -> R {
        reserve(capacity)
        // The spare part is exclusive to this call; `finalize` returns how much of it `fill` wrote.
        let spare = unsafe UnsafeMutableBufferPointer(start: base + end, count: capacity)
        var output = unsafe OutputSpan(buffer: spare, initializedCount: 0)
        let result = try fill(&output)
        end &+= unsafe output.finalize(for: spare)
        return result
    }
}
