/// Which methods a route accepts, and from which clients (`methods:` of a route).
///
/// Methods that manage a cache (PURGE, BAN, …) are for operators. Larder forwards them from its own address.
/// If the next cache trusts that address, every client of Larder could purge it. So on a route with a policy
/// these methods are not allowed, unless the route says from which clients.

public import Bytes
public import HTTP
public import Settings

public struct MethodGate: Sendable {
    public enum Verdict: Sendable, Equatable {
        /// Handle it as any other request.
        case pass
        /// Forward it, and purge what is stored for the URL.
        case purge
        /// 405: no client may send this method.
        case notAllowed
        /// 403: other clients may send this method, this client may not.
        case forbidden
    }

    /// A bit for each `Method` that every client may send.
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

    /// May every client send this method? If not, `judge` decides.
    @inlinable @inline(__always)
    public func isOpen(to method: Method) -> Bool { open & Self.bit(method) != 0 }

    /// - Parameter clients: all addresses that the request claims to come from; each must be allowed.
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

    /// Appends the value of `Allow`: the methods that every client may send.
    public func appendAllow(to out: inout ByteBuffer) {
        let names = allow ?? Self.named.map { Array($0.1.utf8) }
        for (index, name) in names.enumerated() {
            if index > 0 { out.append(", ") }
            out.append(name.span)
        }
    }
}
