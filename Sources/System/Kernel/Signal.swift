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
    public static let alarm = Signal(rawValue: 14)
    public static let coprocessorStack = Signal(rawValue: 16)
    public static let child = Signal(rawValue: 17)
    public static let processorTime = Signal(rawValue: 24)
    public static let fileSize = Signal(rawValue: 25)
    public static let virtualAlarm = Signal(rawValue: 26)
    public static let profiling = Signal(rawValue: 27)
    public static let inputOutput = Signal(rawValue: 29)
    public static let power = Signal(rawValue: 30)
    /// 32 and 33 are the C library's.
    public static let realTime = (34...64).map { Signal(rawValue: $0) }

    /// Ignores signals in the whole process, unless something handles them already.
    public static func ignore(_ signals: [Signal]) { larder_ignore_signals(mask(signals)) }

    static func mask(_ signals: [Signal]) -> UInt64 {
        signals.reduce(0) { mask, signal in
            precondition((1...64).contains(signal.rawValue))
            return mask | 1 << UInt64(signal.rawValue - 1)
        }
    }
}

/// Signals as readable events (signalfd).
///
/// Make it before any thread is spawned: it blocks the signals in the calling thread, and threads inherit
/// that. Processes inherit it too: a spawned child must be given an empty mask.
public struct SignalReceiver: ~Copyable, Sendable {
    let descriptor: Descriptor

    public init(_ signals: [Signal]) throws(Errno) {
        descriptor = Descriptor(owning: try check(larder_signal_receiver(Signal.mask(signals))))
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
