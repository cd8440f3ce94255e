/// Waiting for an event counter alone, for threads without a poller.

internal import CKernel

extension EventCounter {
    /// Waits for a signal without a poller, and drains it: for threads that wait for nothing else.
    /// - Parameter timeoutMilliseconds: nil waits without end.
    /// - Returns: whether there was a signal; false when the time is up.
    @discardableResult
    public func wait(timeoutMilliseconds: Int?) -> Bool {
        let timeout = timeoutMilliseconds.map { CInt(clamping: max(0, $0)) } ?? -1
        return larder_poll(raw, 0, timeout) != 0 && drain() > 0
    }
}
