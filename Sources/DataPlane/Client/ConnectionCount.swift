internal import Kernel
internal import Loop
internal import Synchronization

/// The client connections of a process, counted against `limits.connections`, and the threads that wait for
/// room. Touched where a connection begins and ends, and read once a turn.
///
/// One word holds the count and a bit that says that a thread waits, so that no wake-up is lost: `wait` sets
/// the bit and sees the count in one step, and `give` sees the bit as it takes one away.
///
///     thread B is at the limit, has a client queued and no idle connection of its own
///        B: wait(B)            the bit is set
///        B: ask(B)             a message to the next thread, which closes its longest idle connection or
///                              passes the message on, until it comes round to B
///        any thread: give()    the bit is cleared, and waiting threads are rung
final class ConnectionCount: Sendable {
    private final class Waiter: Sendable {
        let isWaiting = Atomic<Bool>(false)
    }

    private static var waitingBit: UInt64 { 1 << 63 }

    let limit: Int
    /// Above this, each new connection has the one closed that has been idle longest, and answers end their
    /// connections: nine tenths of the limit. Of less than ten there is no such share.
    let crowdedAbove: Int
    private let word = Atomic<UInt64>(0)
    private let waiters: [Waiter]
    private let doorbells: [Doorbell]
    /// By thread: who asks it to close an idle connection. They ring its doorbell.
    private let requests: [Mailbox<Int>]

    /// - Parameter doorbells: the threads'.
    init(limit: Int, doorbells: [Doorbell]) {
        self.limit = limit
        crowdedAbove = limit - limit / 10
        self.doorbells = doorbells
        waiters = doorbells.map { _ in Waiter() }
        requests = doorbells.map { Mailbox(doorbell: $0) }
    }

    private static func count(_ word: UInt64) -> Int { Int(word & ~waitingBit) }

    var count: Int { Self.count(word.load(ordering: .relaxed)) }

    var hasRoom: Bool { count < limit }

    var isCrowded: Bool { count > crowdedAbove }

    /// Counts one more connection. False: the limit is reached.
    func take() -> Bool {
        var before = word.load(ordering: .relaxed)
        while Self.count(before) < limit {
            let (exchanged, original) = word.compareExchange(
                expected: before, desired: before &+ 1, ordering: .acquiringAndReleasing)
            if exchanged { return true }
            before = original
        }
        return false
    }

    /// A connection has ended: whoever waits for room is rung.
    func give() {
        let before = word.wrappingSubtract(1, ordering: .acquiringAndReleasing).oldValue
        precondition(Self.count(before) > 0, "a connection that was never counted")
        if before & Self.waitingBit != 0 { ringWaiters() }
    }

    /// Has this thread's doorbell rung when there is room. False: there is some now.
    func wait(_ thread: Int) -> Bool {
        waiters[thread].isWaiting.store(true, ordering: .releasing)
        let before = word.bitwiseOr(Self.waitingBit, ordering: .acquiringAndReleasing).oldValue
        return Self.count(before) >= limit
    }

    private func ringWaiters() {
        word.bitwiseAnd(~Self.waitingBit, ordering: .acquiringAndReleasing)
        for (waiter, doorbell) in zip(waiters, doorbells)
        where waiter.isWaiting.exchange(false, ordering: .acquiringAndReleasing) {
            doorbell.ring()
        }
    }

    // MARK: Asking others

    /// Asks the thread after `thread` to close an idle connection for `asker`. False: there is no other.
    @discardableResult
    func ask(from thread: Int, for asker: Int) -> Bool {
        let next = (thread + 1) % requests.count
        guard next != asker else { return false }
        return requests[next].post(asker)
    }

    /// Who asks this thread.
    func collect(_ thread: Int, into batch: inout [Int]) { requests[thread].collect(into: &batch) }
}
