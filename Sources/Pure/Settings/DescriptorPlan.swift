/// How the open files that a process may have are shared out. A connection is an open file, and so is each
/// connection to an origin: were all of them given to clients, no miss could be fetched any more.
///
/// Where the kernel lets each thread have a table of its own (`DescriptorTable`), the limit holds for each
/// table; else all threads share one.
public struct DescriptorPlan: Sendable, Equatable {
    /// Client connections that one thread takes. The rest of its descriptors is for origins, at least a
    /// quarter, and for what it has of its own.
    public let clientsPerThread: Int
    /// Client connections of the process: no more than the configuration says, nor than there are descriptors
    /// for.
    public let clients: Int
    /// A limit that has room for the configured connections, with an eighth more to each thread than its
    /// share, as the kernel does not spread them evenly.
    public let wanted: Int

    /// - Parameters:
    ///   - limit: RLIMIT_NOFILE.
    ///   - connections: `limits.connections`.
    ///   - listeners: sockets that are listened on.
    public init(limit: Int, threads: Int, tablesAreSeparate: Bool, connections: Int, listeners: Int) {
        // Doorbells, poller, ticker, log, standard streams; a few that libraries open.
        let own = 32 + 2 * threads + listeners
        let sharers = tablesAreSeparate ? 1 : threads
        clientsPerThread = max(1, max(0, min(limit, 1 << 30) - own) / sharers * 3 / 4)
        clients = min(connections, clientsPerThread * threads)
        let share = (connections + threads - 1) / threads
        wanted = (share + share / 8 + 1) * 4 / 3 * sharers + own
    }
}
