/// Finds the connections that have been idle longest. It keeps no order, which every request would have to
/// update. Instead, one walk over all connections finds the first few, and they are used one after another.
///
/// They remain the right ones: a connection that becomes idle after the walk has been idle for less time than
/// each of them. The caller skips a connection that is no longer idle or was in use since the walk: its
/// `since` has changed.
///
///     begin()  offer(…) for each idle connection  end()        next() … next() nil
public struct LongestIdle: Sendable {
    public struct Candidate: Sendable, Equatable {
        /// When the connection became idle.
        public let since: UInt64
        /// The caller's name for the connection.
        public let token: UInt64
    }

    /// Maximum number of connections that a walk finds.
    public let capacity: Int
    /// During a walk: a heap with the shortest idle time on top. After it: sorted, the longest idle time
    /// last.
    private var found: [Candidate] = []

    public init(capacity: Int) {
        precondition(capacity > 0)
        self.capacity = capacity
    }

    /// Begins a walk. Forgets what is left of the last one.
    public mutating func begin() { found.removeAll(keepingCapacity: true) }

    /// Would a connection that became idle at `since` be among those found so far?
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

    /// Ends the walk.
    public mutating func end() { found.sort { $0.since > $1.since } }

    /// The connection with the longest idle time among the remaining ones. Nil: a new walk is needed.
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
