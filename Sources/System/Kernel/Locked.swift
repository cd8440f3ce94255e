internal import CKernel

/// A value that threads share by taking turns: for what is rare and short, never on the data plane.
///
/// `Synchronization.Mutex` on pthread's mutex: ThreadSanitizer does not see Swift's own and would report
/// every use of it as a race. Not recursive: taking it again inside `withLock` never returns.
@safe
public struct Locked<Value: ~Copyable & Sendable>: ~Copyable, Sendable {
    // Both live from init to deinit; `value` is touched only while `lock` is held.
    private nonisolated(unsafe) let lock: OpaquePointer
    @usableFromInline nonisolated(unsafe) let value: UnsafeMutablePointer<Value>

    public init(_ value: consuming Value) {
        guard let lock = unsafe larder_lock_make() else { preconditionFailure("no memory for a lock") }
        unsafe self.lock = unsafe lock
        unsafe self.value = .allocate(capacity: 1)
        unsafe self.value.initialize(to: value)
    }

    deinit {
        unsafe value.deinitialize(count: 1)
        unsafe value.deallocate()
        unsafe larder_lock_free(lock)
    }

    /// Calls `body` with the value while no other thread has it. Inlined: unspecialised, the call costs more
    /// than the lock.
    @inlinable
    public borrowing func withLock<R, E: Error>(_ body: (inout Value) throws(E) -> R) throws(E) -> R {
        take()
        defer { give() }
        // Exclusive while the lock is held.
        return try unsafe body(&value.pointee)
    }

    @usableFromInline
    borrowing func take() { unsafe larder_lock_take(lock) }

    @usableFromInline
    borrowing func give() { unsafe larder_lock_give(lock) }
}
