internal import Logging
internal import Machines
internal import Synchronization

/// Writes a notice when the process runs short of something: at once the first time, then at most once a
/// minute with the number of cases. Workers count, and a helper thread writes.
final class ShortageNotices: Sendable {
    private final class Tally: Sendable {
        let count = Atomic<UInt64>(0)
        /// When the next notice may be written.
        let nextAt = Atomic<UInt64>(0)
    }

    private static var restMilliseconds: UInt64 { 60_000 }

    private let tallies = Shortage.allCases.map { _ in Tally() }
    private let notices: Logger

    init(_ notices: Logger) { self.notices = notices }

    /// Counts one case.
    /// - Returns: true if a notice is due: the caller has `tell` called.
    func note(_ shortage: Shortage, now: UInt64) -> Bool {
        let tally = tallies[shortage.rawValue]
        tally.count.wrappingAdd(1, ordering: .relaxed)
        let next = tally.nextAt.load(ordering: .relaxed)
        guard now >= next else { return false }
        return tally.nextAt.compareExchange(
            expected: next, desired: now + Self.restMilliseconds, ordering: .relaxed
        ).exchanged
    }

    /// Writes a notice for each shortage that was counted since the last notice.
    func tell() {
        for (shortage, tally) in zip(Shortage.allCases, tallies) {
            let count = tally.count.exchange(0, ordering: .relaxed)
            if count > 0 { notices.warning("\(shortage.text(count))") }
        }
    }
}
