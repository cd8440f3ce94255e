internal import Bytes
public import Glibc
internal import Kernel
public import Synchronization

/// The mapping as words: the only file that turns offsets into addresses.
///
/// Invariants: while the Store lives that made this value (every StoreThread holds it), `base` is mapped,
/// readable and writable for `geometry.memory` bytes, and `plan` is initialised. Every offset passed in was
/// computed from the geometry, or read from shared memory and checked by `RecordHeader.read`. Words that two
/// threads may touch at once are accessed atomically; record contents are written before the release store
/// that publishes them and never after.
@safe
@usableFromInline
struct Arena: @unchecked Sendable {
    /// What never changes, of the process's own memory.
    @usableFromInline
    struct Plan {
        @usableFromInline let geometry: Geometry
        @usableFromInline let seed: UInt64
    }

    @usableFromInline let base: UnsafeMutableRawPointer
    // Behind a pointer, so that an arena is two words: with the twenty of a geometry in it, every borrow of
    // one would copy them.
    @usableFromInline let plan: UnsafePointer<Plan>

    init(base: UnsafeMutableRawPointer, geometry: Geometry, seed: UInt64) {
        unsafe self.base = unsafe base
        let plan = UnsafeMutablePointer<Plan>.allocate(capacity: 1)
        unsafe plan.initialize(to: Plan(geometry: geometry, seed: seed))
        unsafe self.plan = unsafe UnsafePointer(plan)
    }

    /// To be called once, by the Store that made this value, when nobody uses it any more.
    func releasePlan() { unsafe plan.deallocate() }

    @inlinable
    var geometry: Geometry {
        // Initialised, and never changed, for as long as the Store lives.
        @inline(__always) unsafeAddress { unsafe UnsafePointer(plan.pointer(to: \.geometry)!) }
    }

    @inlinable
    var seed: UInt64 {
        // As `geometry`.
        @inline(__always) get { unsafe plan.pointee.seed }
    }

    // MARK: Atomic words

    @inlinable @inline(__always)
    func word(_ offset: Int) -> UnsafeMutablePointer<Atomic<UInt64>> {
        assert(offset >= 0 && offset & 7 == 0 && offset < geometry.memory)
        // Inside the mapping, aligned; an Atomic<UInt64> has the layout of its word.
        return unsafe (base + offset).assumingMemoryBound(to: Atomic<UInt64>.self)
    }

    @inlinable @inline(__always)
    func load(_ offset: Int) -> UInt64 { unsafe word(offset).pointee.load(ordering: .relaxed) }

    @inlinable @inline(__always)
    func loadAcquiring(_ offset: Int) -> UInt64 { unsafe word(offset).pointee.load(ordering: .acquiring) }

    @inlinable @inline(__always)
    func store(_ value: UInt64, _ offset: Int) {
        unsafe word(offset).pointee.store(value, ordering: .relaxed)
    }

    @inlinable @inline(__always)
    func storeReleasing(_ value: UInt64, _ offset: Int) {
        unsafe word(offset).pointee.store(value, ordering: .releasing)
    }

    @inlinable @inline(__always)
    func exchange(_ value: UInt64, _ offset: Int) {
        _ = unsafe word(offset).pointee.exchange(value, ordering: .sequentiallyConsistent)
    }

    /// Reads by a read-modify-write, so that it is ordered with every exchange and addition on the word.
    @inlinable @inline(__always)
    func loadOrdered(_ offset: Int) -> UInt64 {
        unsafe word(offset).pointee.bitwiseOr(0, ordering: .sequentiallyConsistent).oldValue
    }

    @inlinable @inline(__always)
    func compareExchange(_ expected: UInt64, _ desired: UInt64, _ offset: Int) -> Bool {
        unsafe word(offset).pointee.compareExchange(
            expected: expected, desired: desired, ordering: .sequentiallyConsistent
        ).exchanged
    }

    /// The old value.
    @inlinable @inline(__always)
    func fetchOr(_ bits: UInt64, _ offset: Int) -> UInt64 {
        unsafe word(offset).pointee.bitwiseOr(bits, ordering: .sequentiallyConsistent).oldValue
    }

    /// The old value.
    func fetchAnd(_ bits: UInt64, _ offset: Int) -> UInt64 {
        unsafe word(offset).pointee.bitwiseAnd(bits, ordering: .sequentiallyConsistent).oldValue
    }

    /// The new value.
    @inlinable @inline(__always)
    func increment(_ offset: Int) -> UInt64 {
        unsafe word(offset).pointee.wrappingAdd(1, ordering: .sequentiallyConsistent).newValue
    }

    // MARK: Narrow words

    @inline(__always)
    private func narrow(_ offset: Int) -> UnsafeMutablePointer<Atomic<UInt32>> {
        assert(offset >= 0 && offset & 3 == 0 && offset < geometry.areaStart)
        // As `word`.
        return unsafe (base + offset).assumingMemoryBound(to: Atomic<UInt32>.self)
    }

    func loadNarrow(_ offset: Int) -> UInt32 { unsafe narrow(offset).pointee.load(ordering: .relaxed) }

    func storeNarrow(_ value: UInt32, _ offset: Int) {
        unsafe narrow(offset).pointee.store(value, ordering: .relaxed)
    }

    /// As `loadOrdered`.
    func loadNarrowOrdered(_ offset: Int) -> UInt32 {
        unsafe narrow(offset).pointee.bitwiseOr(0, ordering: .sequentiallyConsistent).oldValue
    }

    func incrementNarrow(_ offset: Int) {
        _ = unsafe narrow(offset).pointee.wrappingAdd(1, ordering: .sequentiallyConsistent)
    }

    @inlinable @inline(__always)
    func byte(_ offset: Int) -> UnsafeMutablePointer<Atomic<UInt8>> {
        assert(offset >= 0 && offset < geometry.areaStart)
        // As `word`.
        return unsafe (base + offset).assumingMemoryBound(to: Atomic<UInt8>.self)
    }

    @inlinable @inline(__always)
    func loadByte(_ offset: Int) -> UInt8 { unsafe byte(offset).pointee.load(ordering: .relaxed) }

    @inlinable @inline(__always)
    func storeByte(_ value: UInt8, _ offset: Int) {
        unsafe byte(offset).pointee.store(value, ordering: .relaxed)
    }

    // MARK: Contents

    /// Plain words of a record header: read after an acquire that published them, written before.
    @inlinable @inline(__always)
    func plain(_ offset: Int) -> UInt64 {
        assert(offset & 7 == 0 && offset < geometry.memory)
        return unsafe (base + offset).load(as: UInt64.self)
    }

    @inline(__always)
    func setPlain(_ value: UInt64, _ offset: Int) {
        assert(offset & 7 == 0 && offset >= geometry.areaStart && offset < geometry.areaEnd)
        unsafe (base + offset).storeBytes(of: value, as: UInt64.self)
    }

    /// Borrowed bytes; the caller ties them to what keeps them alive.
    @inlinable @inline(__always)
    @_lifetime(borrow self)
    func bytes(_ offset: Int, _ count: Int) -> Span<UInt8> {
        assert(offset >= 0 && count >= 0 && offset + count <= geometry.memory)
        let span = unsafe Span(
            _unsafeStart: (base + offset).assumingMemoryBound(to: UInt8.self), count: count)
        return unsafe _overrideLifetime(span, borrowing: self)
    }

    /// Whether `span` equals the bytes at `offset`, which the caller knows to be inside the mapping.
    @inlinable @inline(__always)
    func equals(_ span: borrowing Span<UInt8>, _ offset: Int) -> Bool {
        // Both runs are `count` bytes and readable.
        unsafe span.withUnsafeBytes { buffer in
            unsafe buffer.isEmpty || memcmp(buffer.baseAddress!, base + offset, buffer.count) == 0
        }
    }

    /// Copies `span` to `offset`, inside a record that this thread has reserved.
    func write(_ span: borrowing Span<UInt8>, _ offset: Int) {
        assert(offset >= geometry.areaStart && offset + span.count <= geometry.areaEnd)
        unsafe span.withUnsafeBytes { buffer in
            if let source = buffer.baseAddress {
                unsafe (base + offset).copyMemory(from: source, byteCount: buffer.count)
            }
        }
    }

    /// Copies record contents to a record that this thread has reserved; the two never overlap.
    func copy(from source: Int, to target: Int, _ count: Int) {
        assert(source + count <= geometry.areaEnd && target + count <= geometry.areaEnd)
        unsafe (base + target).copyMemory(from: base + source, byteCount: count)
    }

    func hash64(_ offset: Int, _ count: Int) -> UInt64 { XXH3.hash64(bytes(offset, count), seed: seed) }
    func hash128(_ offset: Int, _ count: Int) -> Hash128 { XXH3.hash128(bytes(offset, count), seed: seed) }

    // MARK: Locks

    /// Takes the lock at `offset` for `row`, spinning a bounded while. False: it is held, perhaps by the
    /// dead.
    func lock(_ offset: Int, row: Int, spins: Int) -> Bool {
        var left = spins
        while true {
            if load(offset) == 0, compareExchange(0, UInt64(row + 1), offset) { return true }
            if left == 0 { return false }
            left -= 1
            Spin.relax()
        }
    }

    func unlock(_ offset: Int) { storeReleasing(0, offset) }
}
