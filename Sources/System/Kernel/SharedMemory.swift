internal import CKernel
internal import Glibc
public import SystemPackage

/// A sealed memfd and its one mapping in this process.
///
/// Invariants: the file never shrinks (it is sealed), so every offset below `size` stays mapped; pages of a
/// range that `allocate` accepted never raise SIGBUS. Unmapped and closed by `deinit`, exactly once.
/// What the bytes mean, and every synchronisation on them, is the business of whoever maps it.
@safe
public struct SharedMemory: ~Copyable, Sendable {
    /// The descriptor, owned by this value: close-on-exec, to be handed to children by number.
    public let descriptor: CInt
    /// Bytes, fixed for life.
    public let size: Int
    // `size` bytes of shared mapping, alive until deinit.
    private nonisolated(unsafe) let address: UnsafeMutableRawPointer

    private init(owning descriptor: CInt, size: Int, address: UnsafeMutableRawPointer) {
        self.descriptor = descriptor
        self.size = size
        unsafe self.address = unsafe address
    }

    deinit {
        unsafe SharedMemory.unmap(address, size)
        _ = larder_close(descriptor)
    }

    /// The first byte of the mapping; valid as long as this value lives.
    @unsafe public var base: UnsafeMutableRawPointer { unsafe address }

    /// A new segment of `size` bytes, all zero and sparse, sealed at that size.
    public static func create(name: String, size: Int) throws(Errno) -> SharedMemory {
        guard size > 0 else { throw .invalidArgument }
        // The name is read only during the call.
        let descriptor = unsafe name.withCString { unsafe larder_memfd_sealed($0, UInt64(size)) }
        if descriptor < 0 { throw Errno(rawValue: -descriptor) }
        return try map(owning: descriptor, size: size)
    }

    /// Maps a segment that another process made. The caller keeps its own descriptor: this value owns a
    /// duplicate. Throws `.invalidArgument` for anything that could shrink under the mapping.
    public static func attach(to descriptor: CInt) throws(Errno) -> SharedMemory {
        let size = larder_sealed_size(descriptor)
        if size < 0 { throw Errno(rawValue: CInt(-size)) }
        if size == 0 { throw .invalidArgument }
        let own = larder_duplicate(descriptor)
        if own < 0 { throw Errno(rawValue: -own) }
        return try map(owning: own, size: Int(size))
    }

    /// Allocates the pages of `range` now. `.noSpace` or `.noMemory` when there are none.
    public func allocate(_ range: Range<Int>) throws(Errno) {
        precondition(range.lowerBound >= 0 && range.upperBound <= size)
        if range.isEmpty { return }
        let result = larder_allocate(descriptor, UInt64(range.lowerBound), UInt64(range.count))
        if result < 0 { throw Errno(rawValue: -result) }
    }

    private static func map(owning descriptor: CInt, size: Int) throws(Errno) -> SharedMemory {
        var error: CInt = 0
        // `error` outlives the call.
        guard let address = unsafe larder_map_shared(descriptor, size, &error) else {
            _ = larder_close(descriptor)
            throw Errno(rawValue: -error)
        }
        return unsafe SharedMemory(owning: descriptor, size: size, address: address)
    }
}

extension SharedMemory {
    private static func unmap(_ address: UnsafeMutableRawPointer, _ size: Int) {
        // The mapping is this value's own and made with this size.
        _ = unsafe larder_unmap(address, size)
    }
}

/// Random numbers from the kernel.
public enum Entropy {
    /// 64 bits that nobody can guess. Throws only where the kernel has no `getrandom`.
    public static func word() throws(Errno) -> UInt64 {
        var word: UInt64 = 0
        // Writes exactly the eight bytes of `word`.
        let result = unsafe larder_random(&word, 8)
        if result < 0 { throw Errno(rawValue: -result) }
        return word
    }
}

/// This process.
public enum ProcessID {
    public static var current: Int32 { larder_process_id() }
}

/// Bounded spinning.
public enum Spin {
    /// Tells the processor that this is a spin loop.
    public static func relax() { larder_relax() }

    /// Gives the processor away for some 0.1 ms: it may be what the holder of a lock waits for.
    public static func rest() { usleep(50) }
}
