/// The methods that a route allows, and the methods that are for operators of a cache.
internal import Bytes

extension Route {
    /// Which methods a route allows, and from which clients.
    public struct Methods: Sendable, Equatable {
        /// The allowed methods; all others are answered with 405. Nil: any method is allowed. Methods that
        /// manage a cache are not listed here.
        public var allow: [String]?
        /// The clients that may send methods that manage a cache. Nil: no client may if the route has a
        /// policy, every client may if it has none.
        public var purge: PeerSet?

        public init(allow: [String]? = nil, purge: PeerSet? = nil) {
            self.allow = allow
            self.purge = purge
        }
    }
}

/// Methods with which operators make a cache forget. No standard defines them: PURGE of squid, BAN and
/// REFRESH of VCL, and derived names (SOFTPURGE, XKEYPURGE, PURGEKEYS, URIBAN, …).
public enum CacheManagement {
    /// Is this such a method? The case of letters is ignored, because another cache may ignore it.
    public static func isMethod(_ name: Span<UInt8>) -> Bool {
        for start in 0..<name.count {
            let rest = name.extracting(droppingFirst: start)
            if rest.begins("purge") { return true }
            // At the beginning or at the end of the name.
            if start == 0 || rest.count == 3, rest.begins("ban") { return true }
        }
        return ["refresh", "invalidate", "flush", "expire", "evict"].contains { word in
            name.count == word.utf8CodeUnitCount && name.begins(word)
        }
    }

    public static func isMethod(_ name: String) -> Bool { isMethod(Array(name.utf8).span) }
}

extension Span<UInt8> {
    fileprivate func begins(_ lowercaseLiteral: StaticString) -> Bool {
        let length = lowercaseLiteral.utf8CodeUnitCount
        return count >= length && extracting(first: length).equalsIgnoringCase(lowercaseLiteral)
    }
}
