/// What the simulator holds the worker to, and the words that it reports a broken promise in.

/// What is promised. Each promise has a planted fault that breaks it.
enum Invariant: String {
    case whole, variant, age, fresh, purged, shared, alone, answered, condition, statistics, asked
    /// Messages are framed as HTTP/1.1 says, for the client's version.
    case framed
    /// Nothing is left behind: no connection, no counted byte.
    case released
    /// What cannot be repeated is sent to an origin once.
    case once
}

struct Violation: Error, CustomStringConvertible {
    var invariant: Invariant
    var text: String
    var description: String { "\(invariant): \(text)" }
}

/// Where the worker says that an answer came from.
enum Source: Equatable {
    /// nil: a plain hit.
    case store(Cause?)
    case origin
    /// Made by the worker.
    case local

    enum Cause: Equatable {
        /// After another request's fetch, for which this one waited.
        case collapsed
        /// By this very request's own fetch, which was stored first.
        case fetched
        /// After the origin's 304 to this very request.
        case revalidated
        /// The origin failed this very request.
        case failed
    }
}

/// What has been purged, by resource; in steps, -1 for never.
struct Purges {
    var hard: [Int]
    var soft: [Int]
    /// What is older than this has been purged.
    var version: [Int]

    init(count: Int) {
        hard = Array(repeating: -1, count: count)
        soft = hard
        version = Array(repeating: 0, count: count)
    }
}
