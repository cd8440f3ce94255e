/// A thread's own descriptors.

internal import CKernel

/// The table that a thread's descriptor numbers are looked up in.
///
/// Threads share one, and pay for it: every system call on a descriptor counts a reference up and down with
/// two locked instructions, and every accept and close of all threads takes one lock. A thread whose table is
/// its own pays neither (close_range(2) with CLOSE_RANGE_UNSHARE).
///
/// What it costs is that a number means nothing in another table. A descriptor that two threads use is opened
/// before and kept; each closes its own copy, and only what is closed in all tables is closed.
public enum DescriptorTable {
    /// Can threads have tables of their own here? Tried in a thread that ends.
    public static func isSeparable() -> Bool {
        let answer = Answer()
        guard
            let handle = try? Thread.spawn(
                name: "table", seed: answer,
                body: { answer in
                    let isSeparate = separate(keeping: [])
                    answer.value.withLock { $0 = isSeparate }
                })
        else { return false }
        handle.join()
        return answer.value.withLock { $0 }
    }

    /// Gives the calling thread a copy of its table in which the standard streams and `kept` are open, under
    /// their numbers.
    /// - Returns: whether there is one now. If not (Linux before 5.9, or a filter of system calls), nothing
    ///   has changed.
    public static func separate(keeping kept: [CInt]) -> Bool {
        let ascending = Set(kept).filter { $0 > 2 }.sorted()
        // The numbers are read during the call.
        return unsafe ascending.withUnsafeBufferPointer {
            unsafe larder_separate_descriptors($0.baseAddress, $0.count) == 0
        }
    }

    private final class Answer: Sendable {
        let value = Locked(false)
    }
}
