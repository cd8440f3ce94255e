internal import Logging
internal import Machines
internal import Synchronization

/// Tells of what the process runs short of: at once when it happens, then how often it happened, once a
/// minute at most. Loops count, a helper thread writes.
final class ShortageNotices: Sendable {
    private final class Tally: Sendable {
        let count = Atomic<UInt64>(0)
        /// When it may be told again.
        let nextAt = Atomic<UInt64>(0)
    }

    private static var restMilliseconds: UInt64 { 60_000 }

    private let tallies = Shortage.allCases.map { _ in Tally() }
    private let notices: Logger

    init(_ notices: Logger) { self.notices = notices }

    /// Counts one case. True: it is time to tell.
    func note(_ shortage: Shortage, now: UInt64) -> Bool {
        let tally = tallies[shortage.rawValue]
        tally.count.wrappingAdd(1, ordering: .relaxed)
        let next = tally.nextAt.load(ordering: .relaxed)
        guard now >= next else { return false }
        return tally.nextAt.compareExchange(
            expected: next, desired: now + Self.restMilliseconds, ordering: .relaxed
        ).exchanged
    }

    /// Tells what was counted since it was told last.
    func tell() {
        for (shortage, tally) in zip(Shortage.allCases, tallies) {
            let count = tally.count.exchange(0, ordering: .relaxed)
            if count > 0 { notices.warning("\(shortage.text(count))") }
        }
    }
}
