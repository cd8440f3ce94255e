import Bytes
import Store
import Testing
import TraceReader

/// Hit ratios of the real store. Its memory is a fifth of the footprint, and all of its own overhead counts.
@Suite struct StoreTraceTests {
    @Test func theHitRatioHoldsOnNASA() throws {
        let trace = Trace.nasa(overhead: 0)
        // The footprint as in Tests/Traces/README.md: 300 bytes an object beside its body.
        let objects = Set(trace.requests.map(\.id)).count
        let ratio = try hitRatio(
            trace, memory: (trace.footprint + 300 * objects) / 5, segment: 68 << 10, head: 180)
        print("NASA, real store: \(ratio)")
        #expect(ratio >= 0.86)
    }

    @Test func theHitRatioHoldsOnWeb07() throws {
        let trace = Trace.web07(size: 1024)
        let ratio = try hitRatio(trace, memory: trace.footprint / 5, segment: nil, head: 0)
        print("web07, real store: \(ratio)")
        #expect(ratio >= 0.61)
    }

    private func hitRatio(_ trace: Trace, memory: Int, segment: Int?, head: Int) throws -> Double {
        let store = try Store.create(StoreOptions(memory: memory, rows: 2, segmentBytes: segment))
        var thread = store.row()!
        let content = [UInt8](repeating: 1, count: 65536)
        let head = [UInt8](repeating: 2, count: head)
        let empty: [UInt8] = []
        var hits = 0
        for request in trace.requests {
            thread.beginTurn()
            let key = bytes("/objects/\(request.id)")
            let hash = thread.hash(key.span)
            if thread.contains(key) {
                hits += 1
            } else {
                let outcome = thread.insert(
                    key: key.span, hash: hash, variant: .original(), facts: RecordFacts(), vary: empty.span,
                    head: head.span,
                    body: content.span.extracting(0..<request.size), expires: .max, now: 1,
                    stamp: thread.stamp(hash))
                #expect(outcome == .stored)
            }
            thread.endTurn()
        }
        return Double(hits) / Double(trace.requests.count)
    }
}
