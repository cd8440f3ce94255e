/// A started thread that another thread joins, with or without a deadline.
///
/// `Thread.JoinHandle` is noncopyable, and an array or an optional in a class cannot hold it well. This class
/// can be stored anywhere. If it is dropped without a join, the thread runs on by itself.
public final class RunningThread: Sendable {
    private struct State: ~Copyable, Sendable {
        /// nil after the first join.
        var handle: Thread.JoinHandle?
        var hasEnded = false
    }

    private let state: Locked<State>

    public init(_ handle: consuming Thread.JoinHandle) { state = Locked(State(handle: handle)) }

    /// Waits until the thread ends, without a limit. Returns at once after an earlier join.
    public func join() {
        state.withLock { state in
            guard let handle = state.handle.take() else { return }
            handle.join()
            state.hasEnded = true
        }
    }

    /// Waits until the thread ends or the deadline passes. A thread that misses the deadline runs on by
    /// itself. A later call does not wait: it returns what the first one returned.
    /// - Returns: whether the thread ended in time.
    public func join(by deadline: Deadline) -> Bool {
        state.withLock { state in
            if let handle = state.handle.take() {
                state.hasEnded = handle.join(withinMilliseconds: deadline.remainingMilliseconds)
            }
            return state.hasEnded
        }
    }
}
