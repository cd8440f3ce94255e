/// The answers that a bulk purge covers: everything, a host, a prefix, a group, or the answers with a key.
/// The store keeps a scope as bytes and matches each record against it once. Matching does not allocate.
/// Bytes that are not a valid scope match every record.
///
///     0                                            everything
///     1 · host [":" port]                          both schemes; every port, if none is given
///     2 · scheme │ host[:port] │ path              everything with this prefix of the key (`CacheKey`)
///     3 · length of the origin · scheme │ host[:port] · name of the group
///     4 · key
///
/// At most 255 bytes. A longer prefix or group covers its whole host; a longer host or key covers everything.

public import Bytes
internal import HTTP

public enum PurgeScope: Hashable, Sendable {
    case all
    /// In lower case.
    case host([UInt8])
    /// `scheme │ host[:port] │ path[?query]`, as in a key.
    case prefix([UInt8])
    /// RFC 9875: a group belongs to one origin, `scheme │ host[:port]` as in a key.
    case group(origin: [UInt8], name: [UInt8])
    /// A key in `Surrogate-Key`, `xkey` or `Cache-Tag`.
    case key([UInt8])

    /// Maximum bytes of an encoded scope.
    public static var encodedLimit: Int { 255 }

    private enum Tag {
        static var all: UInt8 { 0 }
        static var host: UInt8 { 1 }
        static var prefix: UInt8 { 2 }
        static var group: UInt8 { 3 }
        static var key: UInt8 { 4 }
    }

    /// Everything below an absolute `http` or `https` URL. The URL is a prefix of bytes: `/a` covers `/ab`,
    /// too. Without a path, it covers the whole origin. Nil if the text is not such a URL.
    public static func prefix(url: Span<UInt8>) -> PurgeScope? {
        guard let (scheme, authority, path) = parts(of: url) else { return nil }
        var bytes = origin(scheme, authority)
        bytes += path.isEmpty || path.first == UInt8(ascii: "?") ? [UInt8(ascii: "/")] + path : path
        return .prefix(bytes)
    }

    /// The group `name` on the origin of an absolute `http` or `https` URL. Nil if the text is not such a
    /// URL.
    public static func group(_ name: Span<UInt8>, ofOrigin url: Span<UInt8>) -> PurgeScope? {
        guard let (scheme, authority, _) = parts(of: url) else { return nil }
        return .group(origin: origin(scheme, authority), name: name.copied)
    }

    /// Reads `host [ ":" port ]` in any case. Nil if the text is not that. Ports 80 and 443 are omitted,
    /// because keys may omit them.
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

    /// The origin in the form that `Rules.writeKey` writes.
    private static func origin(_ scheme: Scheme, _ authority: [UInt8]) -> [UInt8] {
        guard let parsed = Authority(authority.span) else { return [] }
        var bytes = ByteBuffer(capacity: authority.count + 2)
        bytes.append(scheme == .http ? UInt8(ascii: "h") : UInt8(ascii: "s"))
        parsed.appendHost(of: authority.span, to: &bytes)
        parsed.appendPort(unless: scheme.defaultPort, to: &bytes)
        return bytes.span.copied
    }

    /// Appends the scope, or a coarser one if it is too long.
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

    /// Does this scope cover a record?
    ///
    /// - Parameters:
    ///   - key: the key of the record, as `Rules.writeKey` wrote it.
    ///   - head: the record's stored head.
    public func matches(key: Span<UInt8>, head: Span<UInt8>) -> Bool {
        var encoded = ByteBuffer(capacity: Self.encodedLimit)
        encode(into: &encoded)
        return Self.matches(encoded: encoded.span, key: key, head: head)
    }

    /// As `matches(key:head:)`, for an encoded scope; does not allocate. Scopes and records come from shared
    /// memory: a malformed one matches.
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

    /// The encoded host scope that covers an encoded prefix or group; nil if only "everything" is coarser.
    public static func coarser(encoded scope: Span<UInt8>) -> [UInt8]? {
        guard scope.count > 2 else { return nil }
        let content = scope.extracting(droppingFirst: 2).copied
        let host: ArraySlice<UInt8>
        switch scope[0] {
        case Tag.prefix: host = content.prefix { $0 != UInt8(ascii: "/") }
        // The count is the length of the origin, which begins with the scheme.
        case Tag.group: host = content.prefix(Int(scope[1])).dropFirst()
        default: return nil
        }
        return [Tag.host] + host
    }

    private static func matches(host: Span<UInt8>, _ stored: Span<UInt8>) -> Bool {
        guard stored.hasPrefix(host) else { return false }
        if stored.count == host.count { return true }
        // The record has a port and the scope names none. (A colon inside brackets belongs to the host.)
        guard stored[host.count] == UInt8(ascii: ":"), let authority = Authority(stored) else { return false }
        return authority.host.count == host.count
    }
}

/// The ranges of the parts of a key (`CacheKey`).
struct KeyLayout {
    /// Scheme, host and port.
    var origin: Range<Int>
    /// Host and port.
    var host: Range<Int>

    /// Nil if the bytes are not a key.
    init?(_ key: Span<UInt8>) {
        guard key.count > 17, let slash = key.firstIndex(of: UInt8(ascii: "/"), from: 17) else { return nil }
        origin = 16..<slash
        host = 17..<slash
    }
}
