/// The address of a listener: an IP address and port, or a unix socket. Names are not permitted.
public enum BindAddress: Sendable, Hashable, CustomStringConvertible {
    /// With port 0, the kernel chooses a port (for tests).
    case tcp(IPAddress, port: UInt16)
    case unix(path: String)

    /// Reads `0.0.0.0:8080`, `[::]:8080` or `unix:/run/larder.sock`; nil for any other text.
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

    /// Is it impossible to listen on both addresses? It is for the same address and port, for the same port
    /// of one address and of all addresses of its family (an IPv6 listener takes no IPv4), and for the same
    /// path. Port 0 never conflicts, because it is a new port each time.
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
    /// The steps of a path, independent of its spelling. (`..` and symbolic links are not resolved.)
    static func steps(_ path: String) -> [Substring] { path.split(separator: "/").filter { $0 != "." } }

    /// Is it absolute, without NUL, and short enough for `sun_path` (108 bytes including NUL)?
    static func isValid(_ path: String) -> Bool {
        path.hasPrefix("/") && path.utf8.count <= 107 && !path.utf8.contains(0)
    }
}

enum HostAndPort {
    /// Splits `host:port` or `[v6]:port`, and removes the brackets. The port is 0 to 65535. A host with a
    /// colon must be in brackets.
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
    /// Reads `10.0.0.1:80`, `[::1]:80`, `app.internal:80` or `unix:/path`; nil for any other text, and for
    /// port 0.
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
            // A text that resembles an IPv4 address and is not valid (10.0.0.256, 10.0.0) is a mistake, not a
            // name.
            guard HostName.isValid(host), !host.utf8.allSatisfy({ $0 &- 0x30 < 10 || $0 == 0x2e }) else {
                return nil
            }
            self = .host(host, port: port)
        }
    }
}
