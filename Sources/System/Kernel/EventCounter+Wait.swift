/// Waiting for an event counter alone, for threads without a poller.

internal import CKernel

extension EventCounter {
    /// Waits for a signal without a poller, and drains it: for threads that wait for nothing else.
    /// - Parameter timeoutMilliseconds: nil waits without end.
    /// - Returns: the signals since the last drain; 0 when the time is up.
    @discardableResult
    public func wait(timeoutMilliseconds: Int?) -> Int {
        let timeout = timeoutMilliseconds.map { CInt(clamping: max(0, $0)) } ?? -1
        return larder_poll(raw, 0, timeout) != 0 ? drain() : 0
    }
}
