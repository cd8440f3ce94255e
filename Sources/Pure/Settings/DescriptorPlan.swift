/// How the open files that a process may have are divided. A client connection is an open file, and so is a
/// connection to an origin. If clients could use all of them, no miss could be fetched.
///
/// If the kernel lets each thread have its own descriptor table (`DescriptorTable`), the limit applies to
/// each table. Otherwise all threads share one table.
public struct DescriptorPlan: Sendable, Equatable {
    /// Maximum number of client connections of one thread. The rest of its descriptors, at least a quarter,
    /// is for connections to origins and for the thread's own files.
    public let clientsPerThread: Int
    /// Maximum number of client connections of the process: the configured number, or fewer if there are too
    /// few descriptors.
    public let clients: Int
    /// The limit of open files that the configured connections need. It gives each thread an eighth more than
    /// its share, because the kernel does not spread connections evenly.
    public let wanted: Int

    /// - Parameters:
    ///   - limit: RLIMIT_NOFILE.
    ///   - connections: `limits.connections`.
    ///   - listeners: the number of listening sockets.
    public init(limit: Int, threads: Int, tablesAreSeparate: Bool, connections: Int, listeners: Int) {
        // Doorbells, poller, ticker, log, standard streams, and a few files that libraries open.
        let own = 32 + 2 * threads + listeners
        let sharers = tablesAreSeparate ? 1 : threads
        clientsPerThread = max(1, max(0, min(limit, 1 << 30) - own) / sharers * 3 / 4)
        clients = min(connections, clientsPerThread * threads)
        let share = (connections + threads - 1) / threads
        wanted = (share + share / 8 + 1) * 4 / 3 * sharers + own
    }
}
