/// Collapses requests for one key into one fetch (RFC 9111 §4): decides which request may fetch a key and
/// which requests wait for it.
///
///     free ── ask ──▶ reserved ── stored, unstorable ──▶ free: all waiting requests look up again, or fetch
///     alone
///                        │  ▲
///                        └──┘ failed, and a request waits: the next waiting request gets the reservation
///
/// What is reserved is a key, or one variant of a key if it is known by which fields the key varies. Callers
/// pass a hash of either. So for a page in four languages, one language is fetched first, then the other
/// three at the same time, each of them once.
///
/// Keys whose answers could not be stored are remembered for a while (`HitForMiss`), and no request waits for
/// them. Apart from that table this is a value: callers pass the time, and hold a lock if threads share it. A
/// hash collision costs a wait but never a wrong answer, because every waiting request looks up again.
public import Bytes

public struct Reservations: Sendable {
    /// A waiting request: its thread, and the thread's token for it.
    public struct Waiter: Sendable, Hashable, BitwiseCopyable {
        public let thread: Int32
        public let token: UInt64

        public init(thread: Int32, token: UInt64) {
            self.thread = thread
            self.token = token
        }
    }

    public enum Grant: Sendable, Equatable, BitwiseCopyable {
        /// The caller fetches, and reports the end of the fetch with `release`.
        case reserved
        /// The caller waits until it is called. It gives up by itself when its patience ends.
        case wait
        /// Another request fetches, and the caller does not want to wait or cannot.
        case busy
        /// Recent answers could not be stored: fetch alone, and no request waits for this fetch. Returned
        /// only to a caller that would wait.
        case hitForMiss
    }

    public enum Ending: Sendable, Equatable, BitwiseCopyable {
        /// An entry was stored, or renewed.
        case stored
        /// The answer cannot be stored. `remember`: the next one cannot either, so requests should not wait.
        case unstorable(remember: Bool)
        /// There was no answer, or only a part of it.
        case failed
    }

    private var waiting: [Hash128: [Waiter]] = [:]
    private let hitForMiss: HitForMiss
    private let waiterLimit: Int

    /// - Parameters:
    ///   - hitForMiss: the keys that requests do not wait for; may be shared.
    ///   - waiterLimit: maximum number of requests that wait for one key.
    public init(hitForMiss: HitForMiss = HitForMiss(), waiterLimit: Int = 10_000) {
        self.hitForMiss = hitForMiss
        self.waiterLimit = waiterLimit
    }

    /// How often a request waits at most: for a key whose variants are unknown, for its own variant, and once
    /// more if the fields that the key varies by have changed.
    public static var waitLimit: UInt8 { 3 }

    /// The number of keys that are being fetched.
    public var count: Int { waiting.count }

    /// Asks for the right to fetch a key.
    /// - Parameters:
    ///   - waiter: the caller, if it waits when another request fetches. Nil if it does not wait; then it may
    ///     fetch even a key that is marked hit-for-miss.
    ///   - now: monotonic milliseconds.
    public mutating func ask(_ key: Hash128, _ waiter: Waiter?, now: UInt64) -> Grant {
        if let waiters = waiting[key] {
            guard let waiter, waiters.count < waiterLimit else { return .busy }
            if PlantedFault.isPlanted(.fetchesTwice) { return .reserved }
            waiting[key]?.append(waiter)
            return .wait
        }
        if waiter != nil, hitForMiss.contains(key, now: now) { return .hitForMiss }
        waiting[key] = []
        return .reserved
    }

    /// Records that the fetch of a reserved key has ended. Returns the waiting requests to call. After
    /// `failed` this is at most one, which now has the reservation; otherwise all.
    public mutating func release(_ key: Hash128, _ ending: Ending, now: UInt64) -> [Waiter] {
        if PlantedFault.isPlanted(.neverReleases) { return [] }
        guard var waiters = waiting.removeValue(forKey: key) else { return [] }
        switch ending {
        case .stored:
            if !PlantedFault.isPlanted(.keepsHitForMiss) { hitForMiss.remove(key) }
            return PlantedFault.isPlanted(.wakesOne) ? Array(waiters.prefix(1)) : waiters
        case .unstorable(let remember):
            if remember { hitForMiss.insert(key, now: now) }
            return waiters
        case .failed:
            guard !waiters.isEmpty else { return [] }
            let next = waiters.removeFirst()
            waiting[key] = waiters
            return [next]
        }
    }
}
