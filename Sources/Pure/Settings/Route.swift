/// A route: which requests go to which upstream, under which policy.
public struct Route: Sendable, Equatable {
    /// The name in statistics and ids: the given name, or host and path.
    public var name: String
    public var host: HostPattern
    /// A prefix of the raw path bytes; empty for any path.
    public var path: [UInt8]
    /// An index into `Settings.policies`. Nil: nothing is stored, and nothing is served from the store.
    public var policy: Int?
    /// An index into `Settings.upstreams`.
    public var upstream: Int
    public var methods: Methods

    public init(
        name: String, host: HostPattern = .any, path: [UInt8] = [], policy: Int?, upstream: Int,
        methods: Methods = Methods()
    ) {
        self.name = name
        self.host = host
        self.path = path
        self.policy = policy
        self.upstream = upstream
        self.methods = methods
    }
}

/// The hosts that a route matches, in their normal form: lower case, no final dot, no port, an IPv6 address
/// as RFC 5952 writes it.
public enum HostPattern: Sendable, Hashable, CustomStringConvertible {
    case any
    case exact(String)
    /// `*.example.com` without its `*.`: matches names with one or more labels in front, not the apex itself.
    case subdomains(of: String)

    /// Reads `static.example.com`, `*.example.com`, `192.0.2.1` or `[2001:db8::1]`. Nil for any other text,
    /// including one with a port. A final dot, which makes a name absolute (RFC 1034 §3.1), is removed.
    public init?(parsing text: String) {
        var lowercase = String(
            decoding: text.utf8.map { byte in
                byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte
            }, as: UTF8.self)
        if lowercase.hasSuffix(".") { lowercase.removeLast() }
        if lowercase.hasPrefix("[") {
            guard lowercase.hasSuffix("]"),
                let address = IPAddress(parsing: String(lowercase.dropFirst().dropLast())),
                !address.isIPv4
            else { return nil }
            self = .exact("[\(address)]")
        } else if lowercase.hasPrefix("*.") {
            let apex = String(lowercase.dropFirst(2))
            guard HostName.isValid(apex) else { return nil }
            self = .subdomains(of: apex)
        } else {
            guard HostName.isValid(lowercase) else { return nil }
            self = .exact(lowercase)
        }
    }

    public var description: String {
        switch self {
        case .any: "*"
        case .exact(let host): host
        case .subdomains(let apex): "*.\(apex)"
        }
    }
}

/// Host names as in DNS, and also with underscores, because such names occur.
public enum HostName {
    public static func isValid(_ text: String) -> Bool {
        guard !text.isEmpty, text.utf8.count <= 253 else { return false }
        for label in text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false) {
            guard (1...63).contains(label.count), label.first != UInt8(ascii: "-"),
                label.last != UInt8(ascii: "-"),
                label.allSatisfy({ byte in
                    (byte | 0x20) &- 0x61 < 26 || byte &- 0x30 < 10 || byte == UInt8(ascii: "-")
                        || byte == UInt8(ascii: "_")
                })
            else { return false }
        }
        return true
    }
}
