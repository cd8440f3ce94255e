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

    /// Can only one of the two be listened on? The same address and port; the same port of one address and
    /// of all of its family (an IPv6 listener takes no IPv4); the same path. Not port 0, which is another one
    /// each time.
    public func excludes(_ other: BindAddress) -> Bool {
        switch (self, other) {
        case (.tcp(let address, let port), .tcp(let otherAddress, let otherPort)):
            guard port == otherPort, port != 0, address.isIPv4 == otherAddress.isIPv4 else { return false }
            return address == otherAddress || address.isUnspecified || otherAddress.isUnspecified
        case (.unix(let path), .unix(let otherPath)): return UnixPath.steps(path) == UnixPath.steps(otherPath)
        case (.tcp, .unix), (.unix, .tcp): return false
        }
    }

    /// nil for a unix socket.
    public var port: UInt16? {
        switch self {
        case .tcp(_, let port): port
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
    /// What a path comes to, however it is spelled (`..` and symbolic links aside).
    static func steps(_ path: String) -> [Substring] { path.split(separator: "/").filter { $0 != "." } }

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
