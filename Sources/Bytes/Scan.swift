public import CXXHash

/// The few places of this module that say `unsafe`: vector loads, literals and the hash.
/// Each reads only inside a span (or a literal) whose length it has checked.

extension StaticString {
    /// The byte at `index` of an ASCII literal with pointer representation (every literal of more than one scalar).
    @inlinable @inline(__always)
    public func byte(at index: Int) -> UInt8 {
        precondition(hasPointerRepresentation && index < utf8CodeUnitCount)
        // Bounds checked above; literals live for the whole program.
        return unsafe utf8Start[index]
    }
}

extension Span<UInt8> {
    /// The index of the first `byte` at or after `start`, or nil. 16 bytes at a step.
    @inlinable
    public func firstIndex(of byte: UInt8, from start: Int = 0) -> Int? {
        var index = start
        let pattern = SIMD16<UInt8>(repeating: byte)
        while index &+ 16 <= count {
            // The loop condition keeps the whole load inside the span.
            let lanes = unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: index, as: SIMD16<UInt8>.self)
            if any(lanes .== pattern) { break }
            index &+= 16
        }
        while index < count {
            if self[index] == byte { return index }
            index &+= 1
        }
        return nil
    }
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
        let hash = unsafe span.withUnsafeBufferPointer { unsafe XXH3_128bits_withSeed($0.baseAddress, $0.count, seed) }
        return Hash128(low: hash.low64, high: hash.high64)
    }
}
