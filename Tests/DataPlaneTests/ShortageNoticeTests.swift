// Notices of shortages: the first at once, later ones once a minute with a count, each with a remedy.

import Machines
import Logging
import Kernel
import Testing

@testable import DataPlane

struct ShortageNoticeTests {
    private final class Sink: Sendable {
        let lines = Locked<[String]>([])
    }

    private struct Handler: LogHandler {
        let sink: Sink
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace

        init(_ sink: Sink) { self.sink = sink }

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) { sink.lines.withLock { $0.append("\(event.message)") } }
    }

    @Test func theFirstShortageIsToldAtOnceAndLaterOnesAreCounted() {
        let sink = Sink()
        let notices = ShortageNotices(Logger(label: "test") { _ in Handler(sink) })
        #expect(notices.note(.ports, now: 1_000))
        notices.tell()
        for now in 1_001...1_100 as ClosedRange<UInt64> { #expect(!notices.note(.ports, now: now)) }
        // Another kind has its own time.
        #expect(notices.note(.buffers, now: 1_100))
        #expect(notices.note(.ports, now: 61_000))
        notices.tell()
        notices.tell()
        let lines = sink.lines.withLock { $0 }
        #expect(lines == [Shortage.ports.text(1), Shortage.ports.text(101), Shortage.buffers.text(1)])
    }

    @Test(arguments: Shortage.allCases) func eachShortageNamesARemedy(_ shortage: Shortage) {
        let text = shortage.text(7)
        #expect(text.contains("7"))
        #expect(text.contains("raise") || text.contains("widen"))
    }
}
