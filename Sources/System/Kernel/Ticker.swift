internal import CKernel
public import SystemPackage

/// Wakes a poller at a fixed interval (timerfd): the kernel arms it once, where a wait with a timeout has it
/// arm a timer, and disarm it, for every wait.
public struct Ticker: ~Copyable, Sendable {
    let descriptor: Descriptor

    public init(everyMilliseconds interval: UInt32) throws(Errno) {
        precondition(interval > 0)
        descriptor = Descriptor(owning: try check(larder_ticker(interval)))
    }

    /// The descriptor's number, for the poller; valid as long as this value lives.
    public var raw: CInt { descriptor.raw }

    /// The ticks since the last drain; 0 if there were none. It is not readable afterwards.
    @discardableResult
    public func drain() -> Int {
        max(0, Int(larder_event_drain(descriptor.raw)))
    }
}
