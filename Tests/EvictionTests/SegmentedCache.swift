import Eviction

/// A cache of objects without contents. Segments, queues and ghosts are plain arrays, and `Eviction` makes
/// every decision, as it does for the Store's shared memory.
struct SegmentedCache {
    struct Object {
        var size: Int
        var segment: Int
        var frequency: UInt8 = 0
    }

    struct Segment {
        var queue: Queue
        var objects: [Int] = []
        var bytes = 0
    }

    struct GhostArray: GhostMemory {
        final class Words {
            var words: [UInt32]
            init(_ count: Int) { words = [UInt32](repeating: 0, count: count) }
        }
        let storage: Words
        var ghostWords: Int { storage.words.count }
        func ghost(at index: Int) -> UInt32 { storage.words[index] }
        func setGhost(_ word: UInt32, at index: Int) { storage.words[index] = word }
    }

    let capacity: Int
    let segmentBytes: Int
    var segments: [Int: Segment] = [:]
    /// By queue, oldest first; the last one is open.
    var order: [[Int]] = [[], []]
    var queueBytes = [0, 0]
    var objects: [Int: Object] = [:]
    let ghosts: GhostArray
    var ghostClock: UInt64 = 0
    var nextSegment = 0
    var hits = 0
    var requests = 0
    var bytesKept = 0

    init(capacity: Int, segmentBytes: Int, ghostWords: Int = 1 << 16) {
        self.capacity = capacity
        self.segmentBytes = segmentBytes
        ghosts = GhostArray(storage: GhostArray.Words(ghostWords))
    }

    var hitRatio: Double { Double(hits) / Double(max(requests, 1)) }

    mutating func request(_ id: Int, size: Int) {
        requests += 1
        if var object = objects[id] {
            hits += 1
            object.frequency = min(object.frequency + 1, Eviction.maxFrequency)
            objects[id] = object
            return
        }
        guard Eviction.admits(size: size, capacity: capacity) else { return }
        let remembered = Ghosts.recall(hash(id), clock: ghostClock, window: objects.count, in: ghosts)
        while queueBytes[0] + queueBytes[1] + size > capacity { reclaim() }
        append(id, size: size, frequency: 0, to: Eviction.admit(remembered: remembered, replacing: nil))
    }

    private mutating func append(_ id: Int, size: Int, frequency: UInt8, to queue: Queue) {
        let index = Int(queue.rawValue)
        var open = order[index].last ?? -1
        // A segment holds at least one object, however large.
        if open < 0 || segments[open]!.bytes + size > segmentBytes {
            open = nextSegment
            nextSegment += 1
            segments[open] = Segment(queue: queue)
            order[index].append(open)
        }
        segments[open]!.objects.append(id)
        segments[open]!.bytes += size
        queueBytes[index] += size
        objects[id] = Object(size: size, segment: open, frequency: frequency)
    }

    private mutating func reclaim() {
        let queue = Eviction.victimQueue(small: queueBytes[0], main: queueBytes[1])
        let index = Int(queue.rawValue)
        let count = Eviction.victims(of: queue, available: order[index].count, segmentBytes: segmentBytes)
        let batch = Array(order[index].prefix(count))
        var selection = Selection(queue: queue)
        var bytes = 0
        for segment in batch {
            for id in segments[segment]!.objects {
                let object = objects[id]!
                selection.consider(size: object.size, frequency: object.frequency, expired: false)
                bytes += object.size
            }
        }
        var cut = selection.cut(capacity: bytes)
        order[index].removeFirst(count)
        for segment in batch {
            let victims = segments.removeValue(forKey: segment)!
            queueBytes[index] -= victims.bytes
            for id in victims.objects {
                let object = objects.removeValue(forKey: id)!
                if cut.keep(size: object.size, frequency: object.frequency, expired: false) {
                    bytesKept += object.size
                    append(id, size: object.size, frequency: Eviction.decayed(object.frequency), to: .main)
                } else if Eviction.remembers(evictedFrom: queue) {
                    Ghosts.remember(hash(id), clock: ghostClock, in: ghosts)
                    ghostClock += 1
                }
            }
        }
    }

    private func hash(_ id: Int) -> UInt64 {
        var z = UInt64(id) &+ 0x9e37_79b9_7f4a_7c15
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
