/// Finds servers of upstreams that are listeners of this Larder itself: a request sent there comes back.

internal import Kernel
public import Settings

public enum OwnListeners {
    /// A server of an upstream that is also a listener.
    public struct Finding: Sendable, Equatable {
        /// The index in `Settings.upstreams`, and the index in that upstream's list of servers.
        public let upstream: Int
        public let server: Int
        public let message: String
    }

    /// Finds all such servers. Looks up the name of a server if its port is a listener's port. A name that
    /// has no address yields no finding.
    public static func find(in settings: Settings) -> [Finding] {
        var findings: [Finding] = []
        for (upstream, settingsOfUpstream) in settings.upstreams.enumerated() {
            guard case .servers(let servers) = settingsOfUpstream.origin else { continue }
            for (index, server) in servers.enumerated() {
                guard
                    let listener = settings.listeners.first(where: { isReached(by: server.address, $0.bind) })
                else { continue }
                findings.append(
                    Finding(
                        upstream: upstream, server: index,
                        message:
                            "found '\(server.address)', which is Larder's own listener '\(listener.bind)': "
                            + "each request would come back, and Larder would answer 508 (Loop Detected)"))
            }
        }
        return findings
    }

    private static func isReached(by server: ServerAddress, _ bind: BindAddress) -> Bool {
        switch (server, bind) {
        case (.unix(let path), .unix(let bound)): return path == bound
        case (.host(let host, let port), .tcp(let bound, let boundPort)),
            (.dns(let host, let port, _), .tcp(let bound, let boundPort)):
            guard port == boundPort, port > 0, let addresses = try? Resolution.resolve(host: host, port: port)
            else {
                return false
            }
            return addresses.contains { isReached(by: $0, bound) }
        default: return false
        }
    }

    private static func isReached(by server: SocketAddress, _ bound: IPAddress) -> Bool {
        guard let address = server.ip else { return false }
        // A connection to the unspecified address reaches this machine.
        let isUnspecified = address.isUnspecified
        guard bound.isUnspecified else {
            return address == bound || isUnspecified && address.isIPv4 == bound.isIPv4 && bound.isLoopback
        }
        // A listener on `[::]` does not accept IPv4.
        guard address.isIPv4 == bound.isIPv4 else { return false }
        if isUnspecified || server.isLoopback { return true }
        var own = server
        own.port = 0
        // The kernel binds only addresses of this machine.
        guard let listener = try? Listener.bind(own) else { return false }
        return listener.localAddress != nil
    }
}

extension SocketAddress {
    fileprivate var ip: IPAddress? {
        if let ipv4 { return IPAddress(ipv4: ipv4) }
        return ipv6.map { IPAddress(high: $0.high, low: $0.low) }
    }
}

extension IPAddress {
    fileprivate var isUnspecified: Bool { isIPv4 ? low & 0xffff_ffff == 0 : high == 0 && low == 0 }
    fileprivate var isLoopback: Bool { isIPv4 ? low >> 24 & 0xff == 127 : high == 0 && low == 1 }
}
