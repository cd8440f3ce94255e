/// Which methods a route takes, and from whom (`methods:` of a route).
///
/// Methods that manage a cache (PURGE, BAN, …) are for operators. Larder sends them on from its own address,
/// which the tier behind it trusts, so whoever may ask Larder may purge the tier. On a route with a policy
/// nobody may, unless the route says who.

public import Bytes
public import HTTP
public import Settings

public struct MethodGate: Sendable {
    public enum Verdict: Sendable, Equatable {
        /// Handled as any other request.
        case pass
        /// Sent on, and what is stored for the URL is taken.
        case purge
        /// 405: nobody may send this method.
        case notAllowed
        /// 403: others may send this method, this client may not.
        case forbidden
    }

    /// A bit for each `Method` that anybody may send.
    @usableFromInline let open: UInt16
    private let allow: [[UInt8]]?
    private let purge: PeerSet?
    private let caches: Bool

    /// - Parameter caches: does the route have a policy?
    public init(_ methods: Route.Methods, caches: Bool) {
        allow = methods.allow.map { names in names.map { Array($0.utf8) } }
        purge = methods.purge
        self.caches = caches
        let isOpen = methods.allow == nil
        var open: UInt16 = isOpen ? .max & ~Self.bit(.other) : 0
        if isOpen, !caches, methods.purge == nil { open = .max }
        for (method, name) in Self.named where methods.allow?.contains(name) == true {
            open |= Self.bit(method)
        }
        self.open = open
    }

    private static var named: [(Method, String)] {
        [
            (.get, "GET"), (.head, "HEAD"), (.post, "POST"), (.put, "PUT"), (.delete, "DELETE"),
            (.options, "OPTIONS"), (.patch, "PATCH"),
        ]
    }

    @inlinable @inline(__always)
    static func bit(_ method: Method) -> UInt16 { 1 &<< UInt16(method.rawValue) }

    /// May anybody send this method? If not, `judge` says who may.
    @inlinable @inline(__always)
    public func isOpen(to method: Method) -> Bool { open & Self.bit(method) != 0 }

    /// - Parameter clients: where the request comes from, by all accounts of it: each must be allowed.
    public func judge(_ name: Span<UInt8>, from clients: [PeerSet.Peer]) -> Verdict {
        if CacheManagement.isMethod(name) {
            guard let purge else {
                return caches || allow != nil ? .notAllowed : .purge
            }
            if purge.isEmpty { return .notAllowed }
            return clients.allSatisfy(purge.contains) ? .purge : .forbidden
        }
        guard let allow else { return .pass }
        return allow.contains { name.equals($0.span) } ? .pass : .notAllowed
    }

    /// Appends the value of `Allow`: the methods that anybody may send.
    public func appendAllow(to out: inout ByteBuffer) {
        let names = allow ?? Self.named.map { Array($0.1.utf8) }
        for (index, name) in names.enumerated() {
            if index > 0 { out.append(", ") }
            out.append(name.span)
        }
    }
}
