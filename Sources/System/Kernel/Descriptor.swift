internal import CKernel
public import SystemPackage

/// A file descriptor with one owner, closed by `deinit` exactly once.
///
/// Close errors are ignored: nothing here is written to a disk, and Linux frees the number in any case.
public struct Descriptor: ~Copyable, Sendable {
    /// The number; valid as long as this value lives.
    public let raw: CInt

    /// Takes over an open descriptor.
    public init(owning raw: CInt) {
        precondition(raw >= 0, "not a descriptor")
        self.raw = raw
    }

    deinit { _ = larder_close_descriptor(raw) }

    /// Gives the number away without closing it.
    public consuming func release() -> CInt {
        let number = raw
        discard self
        return number
    }
}

/// What a non-blocking read or write came to. Interrupted calls are retried before anyone sees them.
public enum IOResult: Sendable, Equatable {
    /// So many bytes were moved. Fewer than asked for means that the kernel's side is drained or full.
    case bytes(Int)
    case wouldBlock
    /// The peer has sent all that it will send.
    case endOfStream
    case failed(Errno)

    /// The result of a C wrapper: a count, or -errno.
    @inlinable @inline(__always)
    init(received result: Int64) {
        self = result > 0 ? .bytes(Int(result)) : result == 0 ? .endOfStream : IOResult(error: result)
    }

    @inlinable @inline(__always)
    init(sent result: Int64) {
        self = result >= 0 ? .bytes(Int(result)) : IOResult(error: result)
    }

    @usableFromInline
    init(error: Int64) {
        let errno = Errno(rawValue: CInt(truncatingIfNeeded: -error))
        self = errno == .wouldBlock ? .wouldBlock : .failed(errno)
    }
}

/// The value of a C wrapper, or its error thrown.
@discardableResult
func check(_ result: CInt) throws(Errno) -> CInt {
    if result < 0 { throw Errno(rawValue: -result) }
    return result
}
