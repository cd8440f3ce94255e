public import Kernel
internal import Synchronization
public import SystemPackage

/// Wakes a loop from other threads. Rings while the loop has not answered yet cost no system call.
public final class Doorbell: Sendable {
    private let counter: EventCounter
    /// A ring that has not been answered.
    private let rung = Atomic<Bool>(false)

    public init() throws(Errno) { counter = try EventCounter() }

    /// The descriptor's number, for whoever rings or answers from a table of its own.
    public var raw: CInt { counter.raw }

    /// Makes the loop's poller report `token` when the bell rings.
    public func attach(to poller: borrowing Poller, token: UInt64) throws(Errno) {
        try poller.addReadable(counter.raw, token: token)
    }

    /// Wakes the loop. Whatever was written before is seen by the loop after its `answer`.
    public func ring() {
        if !rung.exchange(true, ordering: .acquiringAndReleasing) { counter.signal() }
    }

    /// The loop's first act when the bell has rung; after it, look at everything that may have been left.
    /// In this order, a ring between the two lines is not lost: the loop has yet to look.
    public func answer() {
        counter.drain()
        _ = rung.exchange(false, ordering: .acquiringAndReleasing)
    }
}
