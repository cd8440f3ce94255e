/// Where a listener listens: an IP address and port, or a unix socket. Names are not looked up: a bind says
/// where.
public enum BindAddress: Sendable, Hashable, CustomStringConvertible {
    /// Port 0: the kernel chooses one (for tests).
    case tcp(IPAddress, port: UInt16)
    case unix(path: String)

    /// Reads `0.0.0.0:8080`, `[::]:8080` or `unix:/run/larder.sock`; nil for anything else.
    public init?(parsing text: String) {
        if text.hasPrefix("unix:") {
            let path = String(text.dropFirst(5))
            guard UnixPath.isValid(path) else { return nil }
            self = .unix(path: path)
            return
        }
        guard let (host, port) = HostAndPort.split(text), let address = IPAddress(parsing: host) else {
            return nil
        }
        self = .tcp(address, port: port)
    }

    /// nil for a unix socket.
    public var port: UInt16? {
        switch self {
        case .tcp(_, let port): port
        case .unix: nil
        }
    }

    /// The same port on all addresses of its family (`0.0.0.0`, `[::]`); nil for a unix socket.
    public var onEveryAddress: BindAddress? {
        switch self {
        case .tcp(let address, let port):
            .tcp(address.isIPv4 ? IPAddress(ipv4: 0) : IPAddress(high: 0, low: 0), port: port)
        case .unix: nil
        }
    }

    /// Canonical text, as `init(parsing:)` reads it.
    public var description: String {
        switch self {
        case .tcp(let address, let port): address.isIPv4 ? "\(address):\(port)" : "[\(address)]:\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }
}

enum UnixPath {
    /// Absolute, without NUL, and short enough for `sun_path` (108 bytes with its NUL).
    static func isValid(_ path: String) -> Bool {
        path.hasPrefix("/") && path.utf8.count <= 107 && !path.utf8.contains(0)
    }
}

enum HostAndPort {
    /// `host:port` or `[v6]:port`, the brackets taken off; port 0…65535. A host with a colon needs its
    /// brackets.
    static func split(_ text: String) -> (host: String, port: UInt16)? {
        guard let colon = text.lastIndex(of: ":") else { return nil }
        let digits = text[text.index(after: colon)...].utf8
        guard (1...5).contains(digits.count), digits.allSatisfy({ $0 &- 0x30 < 10 }),
            let port = UInt16(String(digits) ?? "")
        else { return nil }
        let host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            let inner = String(host.dropFirst().dropLast())
            guard inner.contains(":") else { return nil }
            return (inner, port)
        }
        guard !host.isEmpty, !host.contains(":") else { return nil }
        return (String(host), port)
    }
}

extension ServerAddress {
    /// Reads `10.0.0.1:80`, `[::1]:80`, `app.internal:80` or `unix:/path`; nil for anything else, port 0
    /// included.
    public init?(parsing text: String) {
        if text.hasPrefix("unix:") {
            let path = String(text.dropFirst(5))
            guard UnixPath.isValid(path) else { return nil }
            self = .unix(path: path)
            return
        }
        guard let (host, port) = HostAndPort.split(text), port > 0 else { return nil }
        if let address = IPAddress(parsing: host) {
            self = .host(address.description, port: port)
        } else {
            // What looks like an IPv4 address and is none (10.0.0.256, 10.0.0) is a mistake, not a name.
            guard HostName.isValid(host), !host.utf8.allSatisfy({ $0 &- 0x30 < 10 || $0 == 0x2e }) else {
                return nil
            }
            self = .host(host, port: port)
        }
    }
}
