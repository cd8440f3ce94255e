/// What a bulk purge takes: everything, a host, a prefix, a group, or what carries a key. The store keeps
/// scopes as bytes and asks of each record, once, whether it is within; so matching allocates nothing, and
/// bytes that are no scope take everything.
///
///     0                                            everything
///     1 · host [":" port]                          of both schemes; of every port, if none is named
///     2 · scheme │ host[:port] │ path              all that begins so, as keys do (`CacheKey`)
///     3 · count of what follows · scheme │ host[:port] · name of the group
///     4 · key
///
/// At most 255 bytes. A prefix or group that is longer takes its whole host, a host or key that is longer
/// takes everything.

public import Bytes
internal import HTTP

public enum PurgeScope: Hashable, Sendable {
    case all
    /// In lower case.
    case host([UInt8])
    /// `scheme │ host[:port] │ path[?query]`, as a key has it.
    case prefix([UInt8])
    /// RFC 9875: groups are of one origin, `scheme │ host[:port]` as a key has it.
    case group(origin: [UInt8], name: [UInt8])
    /// Of `Surrogate-Key`, `xkey` or `Cache-Tag`.
    case key([UInt8])

    /// Bytes of an encoded scope at most.
    public static var encodedLimit: Int { 255 }

    private enum Tag {
        static var all: UInt8 { 0 }
        static var host: UInt8 { 1 }
        static var prefix: UInt8 { 2 }
        static var group: UInt8 { 3 }
        static var key: UInt8 { 4 }
    }

    /// Everything below an absolute `http` or `https` URL, which is taken as the first bytes of URLs: `/a`
    /// takes `/ab` too. Without a path, all of the origin. nil where it is no such URL.
    public static func prefix(url: Span<UInt8>) -> PurgeScope? {
        guard let (scheme, authority, path) = parts(of: url) else { return nil }
        var bytes = origin(scheme, authority)
        bytes += path.isEmpty || path.first == UInt8(ascii: "?") ? [UInt8(ascii: "/")] + path : path
        return .prefix(bytes)
    }

    /// The group `name` of the origin of an absolute `http` or `https` URL. nil where it is no such URL.
    public static func group(_ name: Span<UInt8>, ofOrigin url: Span<UInt8>) -> PurgeScope? {
        guard let (scheme, authority, _) = parts(of: url) else { return nil }
        return .group(origin: origin(scheme, authority), name: name.copied)
    }

    /// `host [ ":" port ]` in any case. nil where it is none. Ports 80 and 443 are left out, as keys may
    /// leave them out.
    public static func host(text: Span<UInt8>) -> PurgeScope? {
        guard let authority = Authority(text) else { return nil }
        var host = ByteBuffer(capacity: text.count + 1)
        authority.appendHost(of: text, to: &host)
        if authority.port != 443 { authority.appendPort(unless: 80, to: &host) }
        return .host(host.span.copied)
    }

    private static func parts(of url: Span<UInt8>) -> (Scheme, [UInt8], [UInt8])? {
        let bytes = url.copied
        var scheme = Scheme.http
        var rest = bytes[...]
        if url.count >= 7, url.extracting(first: 7).equalsIgnoringCase("http://") {
            rest = bytes[7...]
        } else if url.count >= 8, url.extracting(first: 8).equalsIgnoringCase("https://") {
            scheme = .https
            rest = bytes[8...]
        } else {
            return nil
        }
        let end = rest.firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") } ?? rest.endIndex
        let authority = Array(rest[..<end])
        guard Authority(authority.span) != nil else { return nil }
        return (scheme, authority, Array(rest[end...]))
    }

    /// As `Rules.writeKey` writes it.
    private static func origin(_ scheme: Scheme, _ authority: [UInt8]) -> [UInt8] {
        guard let parsed = Authority(authority.span) else { return [] }
        var bytes = ByteBuffer(capacity: authority.count + 2)
        bytes.append(scheme == .http ? UInt8(ascii: "h") : UInt8(ascii: "s"))
        parsed.appendHost(of: authority.span, to: &bytes)
        parsed.appendPort(unless: scheme.defaultPort, to: &bytes)
        return bytes.span.copied
    }

    /// Appends the scope, or a coarser one where it is too long.
    /// - Returns: the scope that was written.
    @discardableResult
    public func encode(into output: inout ByteBuffer) -> PurgeScope {
        switch self {
        case .all:
            output.append(Tag.all)
            return self
        case .host(let host):
            return encode(Tag.host, host, orElse: .all, into: &output)
        case .prefix(let prefix):
            let end = prefix.firstIndex(of: UInt8(ascii: "/")) ?? prefix.count
            return encode(
                Tag.prefix, prefix, orElse: .host(Array(prefix[..<end].dropFirst())), into: &output)
        case .group(let origin, let name):
            let host = PurgeScope.host(Array(origin.dropFirst()))
            guard let count = UInt8(exactly: origin.count) else { return host.encode(into: &output) }
            return encode(Tag.group, [count] + origin + name, orElse: host, into: &output)
        case .key(let name):
            return encode(Tag.key, name, orElse: .all, into: &output)
        }
    }

    private func encode(
        _ tag: UInt8, _ content: [UInt8], orElse coarser: PurgeScope, into output: inout ByteBuffer
    ) -> PurgeScope {
        guard content.count < Self.encodedLimit else { return coarser.encode(into: &output) }
        output.append(tag)
        output.append(content.span)
        return self
    }

    /// Is a record within this scope?
    ///
    /// - Parameters:
    ///   - key: the record's, as `Rules.writeKey` wrote it.
    ///   - head: the record's stored head.
    public func matches(key: Span<UInt8>, head: Span<UInt8>) -> Bool {
        var encoded = ByteBuffer(capacity: Self.encodedLimit)
        encode(into: &encoded)
        return Self.matches(encoded: encoded.span, key: key, head: head)
    }

    /// As `matches`, of an encoded scope; allocates nothing. Scopes and records come out of shared memory:
    /// what is malformed is within.
    public static func matches(encoded scope: Span<UInt8>, key: Span<UInt8>, head: Span<UInt8>) -> Bool {
        guard !scope.isEmpty, let layout = KeyLayout(key) else { return true }
        let content = scope.extracting(droppingFirst: 1)
        switch scope[0] {
        case Tag.host: return matches(host: content, key.extracting(layout.host))
        case Tag.prefix:
            return key.extracting(droppingFirst: layout.origin.lowerBound).hasPrefix(content)
        case Tag.group:
            guard !content.isEmpty, Int(content[0]) < content.count else { return true }
            let originEnd = Int(content[0]) &+ 1
            return key.extracting(layout.origin).equals(content.extracting(1..<originEnd))
                && CacheGroups.contains(content.extracting(droppingFirst: originEnd), in: head)
        case Tag.key: return SurrogateKeys.contains(content, in: head)
        default: return true
        }
    }

    /// The host of an encoded prefix or group, encoded; nil where nothing but everything is coarser.
    public static func coarser(encoded scope: Span<UInt8>) -> [UInt8]? {
        guard scope.count > 2 else { return nil }
        let content = scope.extracting(droppingFirst: 2).copied
        let host: ArraySlice<UInt8>
        switch scope[0] {
        case Tag.prefix: host = content.prefix { $0 != UInt8(ascii: "/") }
        // The count is of the origin, which begins with the scheme.
        case Tag.group: host = content.prefix(Int(scope[1])).dropFirst()
        default: return nil
        }
        return [Tag.host] + host
    }

    private static func matches(host: Span<UInt8>, _ stored: Span<UInt8>) -> Bool {
        guard stored.hasPrefix(host) else { return false }
        if stored.count == host.count { return true }
        // A port follows, and the scope names none. (A colon inside brackets is the host's.)
        guard stored[host.count] == UInt8(ascii: ":"), let authority = Authority(stored) else { return false }
        return authority.host.count == host.count
    }
}

/// Where the parts of a key lie (`CacheKey`).
struct KeyLayout {
    /// Scheme, host and port.
    var origin: Range<Int>
    /// Host and port.
    var host: Range<Int>

    /// nil for bytes that are no key.
    init?(_ key: Span<UInt8>) {
        guard key.count > 17, let slash = key.firstIndex(of: UInt8(ascii: "/"), from: 17) else { return nil }
        origin = 16..<slash
        host = 17..<slash
    }
}
