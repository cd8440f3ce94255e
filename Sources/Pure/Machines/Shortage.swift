/// The resources that a process can run short of, and the notice for each: what is short, what Larder does,
/// and what helps. No shortage is the fault of a server.
public enum Shortage: Int, Sendable, CaseIterable {
    /// `limits.connections` is reached; idle connections are closed to make room.
    case connections
    /// `limits.connections` is reached, and no connection is idle.
    case room
    /// No descriptor is left for a client's connection.
    case clientDescriptors
    /// No descriptor, or no memory, is left for a connection to an origin.
    case originSockets
    /// No local port is left for a connection to an origin.
    case ports
    /// `limits.buffers` is used up: answers are not stored.
    case buffers
    /// `limits.buffers` is used up by answers that clients do not read.
    case stalled

    /// - Parameter count: how often this happened since the last notice.
    public func text(_ count: UInt64) -> String {
        switch self {
        case .connections:
            "limits.connections is reached: \(count) idle client connections were closed for new ones; raise "
                + "it, or lower limits.keepAlive"
        case .room:
            "limits.connections is reached and no client connection is idle: new clients wait until a "
                + "request ends (\(count) times); raise it"
        case .clientDescriptors:
            "no open files are left for client connections (\(count) times): idle ones are closed, and new "
                + "clients wait; \(Self.remedy)"
        case .originSockets:
            "no open files or socket memory are left for connections to origins: \(count) requests were "
                + "answered 503, or from a stale entry; no server is to blame; \(Self.remedy)"
        case .ports:
            "no local port is left for connections to a server, or this machine has no address of its "
                + "family (\(count) times): the next server was tried, or 503 answered; let more connections "
                + "be kept (upstreams.*.connections.idle), or widen net.ipv4.ip_local_port_range"
        case .buffers:
            "limits.buffers is used up: \(count) answers were passed on and not stored; raise it where "
                + "memory allows, or lower the policies' store.maxBody"
        case .stalled:
            "limits.buffers is used up by answers that clients do not read: \(count) connections that read "
                + "nothing for the longest time were closed; raise it where memory allows"
        }
    }

    private static var remedy: String {
        "raise the limit of open files (ulimit -n, systemd's LimitNOFILE=, docker's --ulimit nofile=), or "
            + "lower limits.connections"
    }
}
