/// Which keys an unsafe request invalidates (RFC 9111 §4.4): its target, and the targets of Location and
/// Content-Location on the same origin. References are resolved by RFC 3986 §5.2.

public import Bytes
public import HTTP

extension Rules {
    /// Does an answer with this status to this method invalidate? It does for 2xx and 3xx, if the method is
    /// unsafe or unknown.
    public static func invalidates(_ method: Method, status: UInt16) -> Bool {
        !method.isSafe && 200..<400 ~= status && !PlantedFault.isPlanted(.skipsInvalidation)
    }

    /// Writes the key of `target`, which an answer to `request` names. `self` must be the rules of the route
    /// that `target` matches, which may differ from the request's route. For the request's own target, use
    /// the other `writeKey`.
    public func writeKey(
        of target: NamedTarget, _ request: borrowing RequestHead, _ bytes: Span<UInt8>, scheme: Scheme,
        into key: inout ByteBuffer
    ) -> KeyVerdict {
        let query = target.query ?? []
        return writeKey(
            authority: request.authority(in: bytes, defaultPort: scheme.defaultPort), path: target.path.span,
            query: query.span, hasQuery: target.query != nil, scheme: scheme, into: &key)
    }
}

/// The target of a Location or Content-Location value, on the origin of the answered request. Allocates; it
/// is needed only after unsafe methods.
public struct NamedTarget {
    public let path: [UInt8]
    public let query: [UInt8]?

    /// Nil if the reference names another origin or cannot be resolved.
    public init?(
        _ reference: Span<UInt8>, _ request: borrowing RequestHead, _ bytes: Span<UInt8>, scheme: Scheme
    ) {
        let base = bytes.slice(request.path).copied
        guard
            let target = Reference(reference).resolved(
                base: base, host: request.host(in: bytes), port: request.port, scheme: scheme)
        else { return nil }
        path = target.path
        query = target.keepsBaseQuery && request.hasQuery ? bytes.slice(request.query).copied : target.query
    }
}

/// The parts of a URI reference (RFC 3986 §4.1), without the fragment.
struct Reference {
    struct Target {
        var path: [UInt8]
        var query: [UInt8]?
        /// Has the reference neither path nor query? Then it names the base itself.
        var keepsBaseQuery = false
    }

    private var scheme: [UInt8]?
    private var authority: [UInt8]?
    private var path: [UInt8]
    private var query: [UInt8]?

    init(_ text: Span<UInt8>) {
        var rest = text.copied[...]
        if let hash = rest.firstIndex(of: UInt8(ascii: "#")) { rest = rest[..<hash] }
        if let mark = rest.firstIndex(of: UInt8(ascii: "?")) {
            query = Array(rest[(mark + 1)...])
            rest = rest[..<mark]
        }
        if let colon = rest.firstIndex(of: UInt8(ascii: ":")), !rest[..<colon].contains(UInt8(ascii: "/")) {
            scheme = rest[..<colon].map(ASCII.lowercased)
            rest = rest[(colon + 1)...]
        }
        if rest.starts(with: "//".utf8) {
            rest = rest.dropFirst(2)
            let end = rest.firstIndex(of: UInt8(ascii: "/")) ?? rest.endIndex
            authority = Array(rest[..<end])
            rest = rest[end...]
        }
        path = Array(rest)
    }

    /// The target relative to `base`, or nil if it is on another origin.
    func resolved(base: [UInt8], host: Span<UInt8>, port: UInt16?, scheme baseScheme: Scheme) -> Target? {
        if let scheme {
            let name = baseScheme == .http ? "http" : "https"
            // A scheme without an authority (`mailto:`, or the obsolete form `http:path`) names no origin.
            guard scheme.elementsEqual(name.utf8), authority != nil else { return nil }
        }
        if let authority {
            let defaultPort = baseScheme.defaultPort
            guard let other = Authority(authority.span),
                other.port ?? defaultPort == port ?? defaultPort,
                Authority.areSame(authority.span.extracting(other.host), host)
            else { return nil }
            return Target(path: Self.withoutDotSegments(path), query: query)
        }
        if path.isEmpty { return Target(path: base, query: query, keepsBaseQuery: query == nil) }
        if path.first == UInt8(ascii: "/") {
            return Target(path: Self.withoutDotSegments(path), query: query)
        }
        let folder = base.lastIndex(of: UInt8(ascii: "/")).map { base[...$0] } ?? [UInt8(ascii: "/")]
        return Target(path: Self.withoutDotSegments(folder + path), query: query)
    }

    /// Removes dot segments (RFC 3986 §5.2.4).
    private static func withoutDotSegments(_ path: [UInt8]) -> [UInt8] {
        let segments = path.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        var kept: [ArraySlice<UInt8>] = []
        for (index, segment) in segments.enumerated() {
            let isLast = index == segments.count - 1
            if segment.elementsEqual(".".utf8) {
                if isLast { kept.append([]) }
            } else if segment.elementsEqual("..".utf8) {
                // The first segment is the empty text before the leading slash. Never remove it.
                if kept.count > 1 { kept.removeLast() }
                if isLast { kept.append([]) }
            } else {
                kept.append(segment)
            }
        }
        return Array(kept.joined(separator: [UInt8(ascii: "/")]))
    }
}
