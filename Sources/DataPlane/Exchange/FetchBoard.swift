internal import Bytes
internal import Caching
internal import Kernel
internal import Loop
internal import Machines
internal import SystemPackage

/// What one who waited for another's fetch is told.
struct WakeUp: Sendable {
    enum Call: Sendable, Equatable {
        /// Look up again: an entry was stored.
        case look
        /// The answer could not be stored: whoever `scope` concerns goes on alone.
        case alone
        /// The fetch failed, and this one has the reservation now.
        case fetch
    }

    let exchange: Handle<Exchange>
    let hash: Hash128
    let call: Call
    var scope = RefusalScope.everybody
}

/// The reservations of a process, of keys and of their variants: shared by its threads, in shards so that
/// they seldom meet. A hit does not come here, and of what is never stored `isHitForMiss` tells without a
/// lock; a miss takes one twice. Private to the process: two generations may fetch the same twice.
final class FetchBoard: Sendable {
    private final class Shard: Sendable {
        let table: Locked<Reservations>

        init(_ hitForMiss: HitForMiss) { table = Locked(Reservations(hitForMiss: hitForMiss)) }
    }

    private let shards: [Shard]
    private let hitForMiss: HitForMiss
    /// By thread.
    let mailboxes: [Mailbox<WakeUp>]

    init(threads: Int, hitForMiss: HitForMiss = HitForMiss()) throws(Errno) {
        self.hitForMiss = hitForMiss
        shards = (0..<64).map { _ in Shard(hitForMiss) }
        var mailboxes: [Mailbox<WakeUp>] = []
        for _ in 0..<threads { mailboxes.append(Mailbox(doorbell: try Doorbell())) }
        self.mailboxes = mailboxes
    }

    /// Keys and variants that are reserved now.
    var count: Int { shards.reduce(0) { $0 + $1.table.withLock { $0.count } } }

    /// What its threads ring by.
    var descriptors: [CInt] { mailboxes.map(\.doorbell.raw) }

    func ask(_ key: Hash128, _ waiter: Reservations.Waiter?, now: UInt64) -> Reservations.Grant {
        shard(key).table.withLock { $0.ask(key, waiter, now: now) }
    }

    func isHitForMiss(_ key: Hash128, now: UInt64) -> Bool { hitForMiss.contains(key, now: now) }

    /// The answers of a variant cannot be stored, though the whole key was reserved.
    func remember(_ variant: Hash128, now: UInt64) { hitForMiss.insert(variant, now: now) }

    /// An answer of the key was stored, though nobody had it reserved.
    func clearHitForMiss(_ key: Hash128) { hitForMiss.remove(key) }

    /// The fetch of a reserved key has ended: tells those who wait. One whose thread has ended is passed
    /// over.
    /// - Parameter scope: whom it concerns that the answer could not be stored.
    func release(
        _ key: Hash128, _ ending: Reservations.Ending, scope: RefusalScope = .everybody, now: UInt64
    ) {
        let call: WakeUp.Call =
            switch ending {
            case .stored: .look
            case .unstorable: .alone
            case .failed: .fetch
            }
        while true {
            let waiters = shard(key).table.withLock { $0.release(key, ending, now: now) }
            var isHeard = waiters.isEmpty
            for waiter in waiters {
                let wakeUp = WakeUp(
                    exchange: Handle(token: waiter.token), hash: key, call: call, scope: scope)
                if PlantedFault.isPlanted(.forgetsWaiters), call == .fetch { return }
                if mailboxes[Int(waiter.thread)].post(wakeUp) { isHeard = true }
            }
            // The reservation would be lost with the one that was handed it.
            if isHeard || ending != .failed { return }
        }
    }

    /// A thread ends: what was handed to it goes to others.
    func leave(_ thread: Int, now: UInt64) {
        for call in mailboxes[thread].close() where call.call == .fetch {
            release(call.hash, .failed, now: now)
        }
    }

    private func shard(_ key: Hash128) -> Shard { shards[Int(truncatingIfNeeded: key.low & 63)] }
}
