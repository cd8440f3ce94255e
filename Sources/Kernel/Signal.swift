internal import CKernel
public import SystemPackage

/// A signal's number. The named ones are those that a server handles; Linux numbers them alike everywhere it
/// matters.
public struct Signal: RawRepresentable, Sendable, Hashable {
    public let rawValue: CInt

    public init(rawValue: CInt) { self.rawValue = rawValue }

    public static let hangup = Signal(rawValue: 1)
    public static let interrupt = Signal(rawValue: 2)
    public static let quit = Signal(rawValue: 3)
    public static let user1 = Signal(rawValue: 10)
    public static let user2 = Signal(rawValue: 12)
    public static let pipe = Signal(rawValue: 13)
    public static let terminate = Signal(rawValue: 15)
    public static let child = Signal(rawValue: 17)

    /// Ignores a signal in the whole process (and, unless they say otherwise, in its children).
    public static func ignore(_ signal: Signal) throws(Errno) {
        try check(larder_signal_ignore(signal.rawValue))
    }
}

/// Signals as readable events (signalfd).
///
/// Make it before any thread is spawned: it blocks the signals in the calling thread, and threads inherit
/// that. Processes inherit it too: a spawned child must be given an empty mask.
public struct SignalReceiver: ~Copyable, Sendable {
    let descriptor: Descriptor

    public init(_ signals: [Signal]) throws(Errno) {
        var mask: UInt64 = 0
        for signal in signals {
            precondition((1...64).contains(signal.rawValue))
            mask |= 1 << UInt64(signal.rawValue - 1)
        }
        descriptor = Descriptor(owning: try check(larder_signal_receiver(mask)))
    }

    /// The descriptor's number, for the poller; valid as long as this value lives.
    public var raw: CInt { descriptor.raw }

    /// The next pending signal, or nil. Several of one number may have become one.
    public func next() -> Signal? {
        let number = larder_signal_next(descriptor.raw)
        return number > 0 ? Signal(rawValue: number) : nil
    }
}

/// How many descriptors this process may have open (RLIMIT_NOFILE, the soft limit).
public enum DescriptorLimit {
    public static var current: Int { Int(max(0, larder_descriptor_limit_current())) }

    /// Raises it to the hard limit; the new value.
    @discardableResult
    public static func raise() throws(Errno) -> Int { try set(0) }

    /// Sets it to `count` (> 0), at most the hard limit.
    public static func lower(to count: Int) throws(Errno) {
        precondition(count > 0)
        _ = try set(UInt64(count))
    }

    private static func set(_ count: UInt64) throws(Errno) -> Int {
        let limit = larder_descriptor_limit(count)
        if limit < 0 { throw Errno(rawValue: CInt(truncatingIfNeeded: -limit)) }
        return Int(limit)
    }
}
