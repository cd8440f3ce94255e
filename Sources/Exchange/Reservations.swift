/// Who may fetch a key, and who waits for that: one fetch a key (RFC 9111 §4, "collapsed requests").
///
///     free ── ask ──▶ reserved ── stored, unstorable ──▶ free: all who wait look again, or go on alone
///                        │  ▲
///                        └──┘ failed, and somebody waits: the next of them has the reservation
///
/// Keys whose answers could not be stored are remembered for a while as *not worth waiting for*, in a table
/// of bounded size that forgets by overwriting. A value: callers bring the time, and the lock where threads
/// share it. Hash collisions cost a wait and never an answer, since whoever waited looks up again.
public import Bytes

public struct Reservations: Sendable {
    /// Somebody who waits: which thread's, and what it calls it.
    public struct Waiter: Sendable, Hashable, BitwiseCopyable {
        public let thread: Int32
        public let token: UInt64

        public init(thread: Int32, token: UInt64) {
            self.thread = thread
            self.token = token
        }
    }

    public enum Grant: Sendable, Equatable, BitwiseCopyable {
        /// The caller fetches, and tells by `release` how it ended.
        case reserved
        /// The caller waits until it is called; it gives up by itself when its time is up.
        case wait
        /// Another fetches, and the caller will not or cannot wait.
        case busy
        /// Recent answers could not be stored: fetch alone, and nobody waits for it.
        case worthless
    }

    public enum Ending: Sendable, Equatable, BitwiseCopyable {
        /// An entry was stored, or renewed.
        case stored
        /// The answer cannot be stored. `remember`: nor will the next one, so nobody should wait for it.
        case unstorable(remember: Bool)
        /// There was no answer, or not the whole of it.
        case failed
    }

    /// Keys remembered as not worth waiting for, at most.
    static let memorySize = 1024

    private struct Memory: BitwiseCopyable, Sendable {
        var hash = Hash128(low: 0, high: 0)
        /// 0: empty.
        var until: UInt64 = 0
    }

    private var waiting: [Hash128: [Waiter]] = [:]
    private var memory = [Memory](repeating: Memory(), count: memorySize)
    private let waiterLimit: Int
    private let memoryMilliseconds: UInt64

    /// - Parameters:
    ///   - waiterLimit: who waits for one key, at most.
    ///   - memoryMilliseconds: how long a key is remembered as not worth waiting for.
    public init(waiterLimit: Int = 10_000, memoryMilliseconds: UInt64 = 60_000) {
        self.waiterLimit = waiterLimit
        self.memoryMilliseconds = memoryMilliseconds
    }

    /// Keys that somebody fetches.
    public var count: Int { waiting.count }

    /// Asks for the right to fetch a key.
    /// - Parameters:
    ///   - waiter: who waits if another fetches; nil for one that does not.
    ///   - now: monotonic milliseconds.
    public mutating func ask(_ key: Hash128, _ waiter: Waiter?, now: UInt64) -> Grant {
        if let waiters = waiting[key] {
            guard let waiter, waiters.count < waiterLimit else { return .busy }
            waiting[key]?.append(waiter)
            return .wait
        }
        if isWorthless(key, now: now) { return .worthless }
        waiting[key] = []
        return .reserved
    }

    /// Is the key remembered as not worth waiting for?
    public func isWorthless(_ key: Hash128, now: UInt64) -> Bool {
        let place = memory[Self.place(key)]
        return place.until > now && place.hash == key
    }

    /// The key's answers can be stored after all: it is worth waiting for again.
    public mutating func forgive(_ key: Hash128) {
        let place = Self.place(key)
        if memory[place].hash == key { memory[place].until = 0 }
    }

    /// The fetch of a reserved key has ended: who is to be told. After `failed` that is one, who has the
    /// reservation now, or nobody; else all who waited.
    public mutating func release(_ key: Hash128, _ ending: Ending, now: UInt64) -> [Waiter] {
        guard var waiters = waiting.removeValue(forKey: key) else { return [] }
        switch ending {
        case .stored:
            forgive(key)
            return waiters
        case .unstorable(let remember):
            if remember { memory[Self.place(key)] = Memory(hash: key, until: now + memoryMilliseconds) }
            return waiters
        case .failed:
            guard !waiters.isEmpty else { return [] }
            let next = waiters.removeFirst()
            waiting[key] = waiters
            return [next]
        }
    }

    private static func place(_ key: Hash128) -> Int {
        Int(truncatingIfNeeded: key.low >> 8) & (memorySize - 1)
    }
}
