/// The methods of a route, and which of all methods are for operators of a cache.
internal import Bytes

extension Route {
    /// Which methods a route takes, and from whom.
    public struct Methods: Sendable, Equatable {
        /// All other methods are answered 405; nil: any is taken. Methods that manage a cache are not listed
        /// here.
        public var allow: [String]?
        /// Who may send methods that manage a cache; nil: nobody where the route has a policy, anybody where
        /// it has none.
        public var purge: PeerSet?

        public init(allow: [String]? = nil, purge: PeerSet? = nil) {
            self.allow = allow
            self.purge = purge
        }
    }
}

/// Methods by which operators tell a cache what to forget. No standard defines them: PURGE of squid, BAN and
/// REFRESH of VCL, and what is made of these (SOFTPURGE, XKEYPURGE, PURGEKEYS, URIBAN, …).
public enum CacheManagement {
    /// Is this such a method? In any case of letters: a tier may compare without it.
    public static func isMethod(_ name: Span<UInt8>) -> Bool {
        for start in 0..<name.count {
            let rest = name.extracting(droppingFirst: start)
            if rest.begins("purge") { return true }
            // At either end of the name.
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
