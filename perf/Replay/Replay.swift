// `replay nasa|web07 SHARE` runs a trace through the real Store and prints its hit ratio.
//
// SHARE is the memory of the store divided by the footprint of the trace. In the footprint every object
// counts as its size plus 300 bytes (NASA), or as 1 KiB (web07); see Tests/Traces/README.md. The Store's own
// needs (index, ghosts, rows, the unused ends of segments, the free segment) are part of that memory. The
// simulators that it is compared with have no such needs.

import Bytes
import Glibc
import Store
import TraceReader

@main
enum Replay {
    static func main() throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 3, let share = Double(arguments[2]), share > 0, share <= 2,
            let trace = trace(arguments[1])
        else {
            print("usage: replay nasa|web07 SHARE")
            exit(2)
        }
        let memory = Int(Double(trace.footprint) * share)
        // The memory is too small for the Store's usual segments (at least eight of 128 KiB). Use as many
        // segments as leave room for the largest objects, but at least twelve.
        let most = trace.isSized ? 68 << 10 : 16 << 10
        let options = StoreOptions(
            memory: memory, rows: 1,
            segmentBytes: memory >= 8 << 20 ? nil : min(most, (memory - (24 << 10)) / 12))
        print(try replay(trace, options))
    }

    /// A trace whose objects have the same size in the store as in the simulators.
    struct Sample {
        var requests: [(id: Int, size: Int)]
        var footprint: Int
        /// Are the sizes of the objects different, with a head stored with each body?
        var isSized: Bool
    }

    static func trace(_ name: String) -> Sample? {
        switch name {
        case "nasa":
            let trace = Trace.nasa(overhead: 0)
            let objects = Set(trace.requests.map(\.id)).count
            return Sample(
                requests: trace.requests, footprint: trace.footprint + 300 * objects, isSized: true)
        case "web07":
            let trace = Trace.web07(size: 1024)
            return Sample(requests: trace.requests, footprint: trace.footprint, isSized: false)
        default: return nil
        }
    }

    static func replay(_ trace: Sample, _ options: StoreOptions) throws -> String {
        let store = try Store.create(options)
        guard var thread = store.row() else { throw StoreError.badOptions }
        let content = [UInt8](repeating: 1, count: 65536)
        // Together with key and record header this is about the 300 bytes that the footprint counts.
        let head = [UInt8](repeating: 2, count: trace.isSized ? 180 : 0)
        let empty: [UInt8] = []
        var hits = 0
        var refused = 0
        for request in trace.requests {
            thread.beginTurn()
            let key = Array("/objects/\(request.id)".utf8)
            let hash = thread.hash(key.span)
            if has(thread, key.span, hash) {
                hits += 1
            } else {
                let outcome = thread.insert(
                    key: key.span, hash: hash, variant: .original(), facts: RecordFacts(),
                    vary: empty.span, head: head.span,
                    body: content.span.extracting(0..<request.size), expires: .max, now: 1,
                    stamp: thread.stamp(hash))
                if outcome != .stored { refused += 1 }
            }
            thread.endTurn()
        }
        let statistics = store.statistics
        return "requests=\(trace.requests.count) hits=\(hits) refused=\(refused) memory=\(options.memory) "
            + "segments=\(statistics.segments) segmentBytes=\(statistics.segmentBytes) "
            + "objects=\(statistics.objects)"
    }

    static func has(_ thread: borrowing StoreThread, _ key: Span<UInt8>, _ hash: Hash128) -> Bool {
        let view = thread.lookup(key: key, hash: hash) { _, _ in 1 }
        return view != nil
    }
}
