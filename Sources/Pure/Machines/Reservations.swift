/// Who may fetch a key, and who waits for that: one fetch a key (RFC 9111 §4, "collapsed requests").
///
///     free ── ask ──▶ reserved ── stored, unstorable ──▶ free: all who wait look again, or go on alone
///                        │  ▲
///                        └──┘ failed, and somebody waits: the next of them has the reservation
///
/// What is reserved is a key, or one variant of a key where it is known what that varies by: callers bring a
/// hash of either. So of four languages one is fetched first, then the others at once, each of them once.
///
/// Keys whose answers could not be stored are remembered for a while: nobody waits for them. A value, but for
/// that memory: callers bring the time, and the lock where threads share it. Hash collisions cost a wait and
/// never an answer, since whoever waited looks up again.
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
        /// Recent answers could not be stored: fetch alone, and nobody waits for it. Only to one that would
        /// wait.
        case hitForMiss
    }

    public enum Ending: Sendable, Equatable, BitwiseCopyable {
        /// An entry was stored, or renewed.
        case stored
        /// The answer cannot be stored. `remember`: nor will the next one, so nobody should wait for it.
        case unstorable(remember: Bool)
        /// There was no answer, or not the whole of it.
        case failed
    }

    private var waiting: [Hash128: [Waiter]] = [:]
    private let hitForMiss: HitForMiss
    private let waiterLimit: Int

    /// - Parameters:
    ///   - hitForMiss: which keys are not worth waiting for; may be shared.
    ///   - waiterLimit: who waits for one key, at most.
    public init(hitForMiss: HitForMiss = HitForMiss(), waiterLimit: Int = 10_000) {
        self.hitForMiss = hitForMiss
        self.waiterLimit = waiterLimit
    }

    /// How often a request waits at most: for a key whose variants are not known yet, for its own variant,
    /// and once more where what the key varies by has changed meanwhile.
    public static var waitLimit: UInt8 { 3 }

    /// Keys that somebody fetches.
    public var count: Int { waiting.count }

    /// Asks for the right to fetch a key.
    /// - Parameters:
    ///   - waiter: who waits if another fetches; nil for one that does not, and fetches whatever the key is
    ///     worth to those who wait.
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

    /// The fetch of a reserved key has ended: who is to be told. After `failed` that is one, who has the
    /// reservation now, or nobody; else all who waited.
    public mutating func release(_ key: Hash128, _ ending: Ending, now: UInt64) -> [Waiter] {
        if PlantedFault.isPlanted(.neverReleases) { return [] }
        guard var waiters = waiting.removeValue(forKey: key) else { return [] }
        switch ending {
        case .stored:
            hitForMiss.remove(key)
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
