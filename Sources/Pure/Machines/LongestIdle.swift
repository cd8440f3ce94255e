/// Finds the connections that have been idle longest, without an order that every request would have to keep
/// up: one walk over all of them finds the first few, and these serve until they are used up.
///
/// They stay the right ones meanwhile: whatever becomes idle after the walk has been idle for less long than
/// each of them. The caller passes over those that are no longer idle, or were in use since: their `since`
/// has changed.
///
///     begin()  offer(…) for each idle connection  end()        next() … next() nil
public struct LongestIdle: Sendable {
    public struct Candidate: Sendable, Equatable {
        /// When it became idle.
        public let since: UInt64
        /// Which connection it is.
        public let token: UInt64
    }

    /// How many a walk finds at most.
    public let capacity: Int
    /// During a walk a heap, the one that is idle for the shortest time first; afterwards in order, the one
    /// that is idle longest last.
    private var found: [Candidate] = []

    public init(capacity: Int) {
        precondition(capacity > 0)
        self.capacity = capacity
    }

    /// A walk begins; what is left of the last one is forgotten.
    public mutating func begin() { found.removeAll(keepingCapacity: true) }

    /// Would a connection that is idle since then be among those found so far?
    public func wants(since: UInt64) -> Bool { found.count < capacity || since < found[0].since }

    public mutating func offer(since: UInt64, token: UInt64) {
        let candidate = Candidate(since: since, token: token)
        if found.count < capacity {
            found.append(candidate)
            siftUp(found.count - 1)
        } else if since < found[0].since {
            found[0] = candidate
            siftDown()
        }
    }

    /// The walk has ended.
    public mutating func end() { found.sort { $0.since > $1.since } }

    /// The next one: idle for longer than those that follow. nil: walk again.
    public mutating func next() -> Candidate? { found.popLast() }

    private mutating func siftUp(_ start: Int) {
        var child = start
        while child > 0 {
            let parent = (child - 1) / 2
            guard found[child].since > found[parent].since else { return }
            found.swapAt(child, parent)
            child = parent
        }
    }

    private mutating func siftDown() {
        var parent = 0
        while true {
            var largest = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < found.count {
                if found[child].since > found[largest].since { largest = child }
            }
            guard largest != parent else { return }
            found.swapAt(parent, largest)
            parent = largest
        }
    }
}
