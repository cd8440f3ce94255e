public import CKernel
public import SystemPackage

/// What happened to one descriptor.
@frozen
public struct Event: Sendable, BitwiseCopyable {
    /// What `add` was given.
    public let token: UInt64
    @usableFromInline let flags: UInt32

    @inlinable
    init(token: UInt64, flags: UInt32) {
        self.token = token
        self.flags = flags
    }

    // The bits are part of Linux's user-space interface and the same on every architecture.
    /// Bytes, the end of the stream or an error can be read.
    @inlinable public var readable: Bool { flags & 0x001 != 0 }
    /// There is room to send, or a connect has ended.
    @inlinable public var writable: Bool { flags & 0x004 != 0 }
    /// The connection has an error: `connectError` tells which.
    @inlinable public var error: Bool { flags & 0x008 != 0 }
    /// Both directions are closed.
    @inlinable public var hangup: Bool { flags & 0x010 != 0 }
    /// The peer has closed its sending side; bytes it sent before may still be unread.
    @inlinable public var readHangup: Bool { flags & 0x2000 != 0 }
}

/// An epoll instance and the events of its last wait. Confined to one thread.
///
/// A connection is added once, edge-triggered, and never changed: closing its descriptor removes it. Events
/// of one wait may concern a connection that an earlier event of the same wait closed: tokens must tell
/// (generations).
@safe
public struct Poller: ~Copyable {
    @usableFromInline let descriptor: Descriptor
    // `capacity` events of `stride` bytes; the first `count` are initialised by the last wait.
    @usableFromInline let events: UnsafeMutableRawPointer
    @usableFromInline let stride: Int
    @usableFromInline let tokenOffset: Int
    @usableFromInline let capacity: Int
    /// Events of the last wait.
    @inlinable public var count: Int { found }
    @usableFromInline var found = 0

    public init() throws(Errno) { try self.init(capacity: 256) }

    /// - Parameter capacity: events per wait at most; the rest is told by the next wait.
    public init(capacity: Int) throws(Errno) {
        precondition(capacity > 0)
        let raw = try check(larder_poller())
        let stride = larder_event_stride()
        descriptor = Descriptor(owning: raw)
        self.capacity = capacity
        self.stride = stride
        tokenOffset = larder_event_token_offset()
        unsafe events = .allocate(byteCount: capacity * stride, alignment: 8)
    }

    deinit { unsafe events.deallocate() }

    /// Watches a connection for its whole life: readable, writable and half-closed, edge-triggered.
    public func add(_ raw: CInt, token: UInt64) throws(Errno) {
        try check(larder_poller_add(descriptor.raw, raw, token, CInt(LARDER_WATCH_STREAM)))
    }

    /// Watches whether `raw` can be read, level-triggered: counters, tickers, signals, pidfds.
    public func addReadable(_ raw: CInt, token: UInt64) throws(Errno) {
        try check(larder_poller_add(descriptor.raw, raw, token, CInt(LARDER_WATCH_READABLE)))
    }

    /// Watches a listener, level-triggered; of several pollers that watch it at least one is woken, not all.
    public func addListener(_ raw: CInt, token: UInt64) throws(Errno) {
        try check(larder_poller_add(descriptor.raw, raw, token, CInt(LARDER_WATCH_LISTENER)))
    }

    /// Stops watching. Closing a descriptor does so by itself, unless a duplicate is open.
    public func remove(_ raw: CInt) {
        _ = larder_poller_remove(descriptor.raw, raw)
    }

    /// Waits for events and returns how many there are; 0 when the time is up or a signal came.
    /// - Parameter timeoutMilliseconds: 0 only looks; nil waits without end.
    @inlinable @inline(__always)
    public mutating func wait(timeoutMilliseconds: Int?) -> Int {
        let timeout = timeoutMilliseconds.map { CInt(clamping: max(0, $0)) } ?? -1
        // `events` has room for `capacity` events.
        let n = unsafe larder_poller_wait(descriptor.raw, events, CInt(clamping: capacity), timeout)
        precondition(n >= 0, "epoll_wait refuses a poller of our own making")
        found = Int(n)
        return found
    }

    /// An event of the last wait.
    @inlinable
    public subscript(index: Int) -> Event {
        precondition(index >= 0 && index < count)
        // The kernel filled `count` events; both loads lie inside the one at `index`.
        let event = unsafe events + index &* stride
        return unsafe Event(
            token: event.loadUnaligned(fromByteOffset: tokenOffset, as: UInt64.self),
            flags: event.loadUnaligned(as: UInt32.self))
    }
}

/// A kernel counter that wakes a poller from any thread (eventfd).
public struct EventCounter: ~Copyable, Sendable {
    let descriptor: Descriptor

    public init() throws(Errno) {
        descriptor = Descriptor(owning: try check(larder_event_counter()))
    }

    /// The descriptor's number, for the poller; valid as long as this value lives.
    public var raw: CInt { descriptor.raw }

    /// Makes the counter readable. From any thread.
    public func signal() {
        // Fails only when the counter is full, and then it is readable anyway.
        _ = larder_event_signal(descriptor.raw)
    }

    /// The signals since the last drain; 0 if there were none. The counter is not readable afterwards.
    @discardableResult
    public func drain() -> Int {
        max(0, Int(larder_event_drain(descriptor.raw)))
    }
}
