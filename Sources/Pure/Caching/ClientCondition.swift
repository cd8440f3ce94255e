/// The client's own condition (If-None-Match, If-Modified-Since) on a request that goes to the origin: who
/// answers it.
///
/// Where the response may be stored, the whole is fetched, so the condition does not go to the origin. Larder
/// compares it with the response that comes.

extension RequestVerdict {
    /// May the condition go to the origin after all? There is nothing to fetch the whole for: no entry is
    /// renewed by it, and recent responses for the key could not be stored.
    @inlinable
    public func mayForwardCondition(hasEntry: Bool, isHitForMiss: Bool) -> Bool {
        flags.contains(.conditional) && mayStore && !hasEntry && isHitForMiss
    }

    /// The condition goes to the origin, whose answer is not stored.
    @inlinable
    public mutating func forwardCondition() {
        mayStore = false
        reason = .conditional
    }

    /// May Larder answer the client with a 304 in place of a response that is not, or not yet, compared?
    /// A response that is not stored is compared only if it is a 200, as an origin does (RFC 9110 §15.4.5),
    /// and never where it sets a cookie.
    ///
    /// - Parameters:
    ///   - isStored: the response is stored.
    ///   - isKept: the condition was kept from the origin.
    @inlinable
    public func mayAnswerCondition(
        isStored: Bool, isKept: Bool, status: UInt16, setsCookie: Bool
    ) -> Bool {
        guard flags.contains(.conditional) else { return false }
        return isStored || isKept && status == 200 && !setsCookie
    }
}
