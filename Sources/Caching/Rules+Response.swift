/// "May this answer be stored?" (the table of that name), as far as its head tells. Judged as received.
///
/// What only the body tells is the caller's: `.tooLarge` past `maxBodyBytes`, `.incomplete`, `.trailers`; and
/// `.headTooLarge` is `StoredHead`'s, `.invalidated` and `.pressure` the store's.

internal import Bytes
public import HTTP
internal import Settings

public enum StoreVerdict: Equatable, Sendable {
    case store(EntryFacts)
    case refuse(Reason)
}

extension Rules {
    /// - Parameters:
    ///   - bytes: the buffer that `response` was parsed from.
    ///   - request: the verdict on the request that this answers.
    ///   - sent: when the request was sent to the origin.
    ///   - received: when the head was complete.
    public func judge(
        _ response: borrowing ResponseHead, _ bytes: Span<UInt8>, to request: RequestVerdict, sent: Times,
        received: Times
    ) -> StoreVerdict {
        guard request.mayStore else { return .refuse(request.reason ?? .method) }
        guard statuses.contains(response.status) else { return .refuse(.status) }
        if response.fields.contains(.setCookie) { return .refuse(.setCookie) }

        let targeted = TargetedField.directives(response.fields, bytes, reading)
        let directives = targeted ?? CacheDirectives(cacheControl: response.fields, bytes, reading)
        if directives.flags.contains(.noStore) { return .refuse(.noStore) }
        if directives.flags.contains(.private) { return .refuse(.private) }
        // `noCache: revalidate` will store these for revalidation; until that is built it takes its strictest
        // effect.
        if directives.flags.contains(.noCache) { return .refuse(.noCache) }
        // RFC 9111 gives Pragma in answers no meaning; who sends it means no-cache.
        if targeted == nil, reading == .strict, Pragma.isNoCache(response.fields, bytes) {
            return .refuse(.noCache)
        }

        if request.flags.contains(.authorization), !directives.mayAnswerAuthorized {
            return .refuse(.authorization)
        }
        if request.flags.contains(.cookie), !directives.mayAnswerCookies { return .refuse(.cookie) }
        guard let varies = variesByValue(response.fields, bytes) else { return .refuse(.vary) }
        guard let coding = Self.coding(response.fields, bytes) else { return .refuse(.encoding) }
        if let reason = shapeRefusal(response, bytes) { return .refuse(reason) }

        let freshness: Freshness
        switch self.freshness(
            of: response, bytes, directives, isTargeted: targeted != nil,
            mayGuess: !request.flags.contains(.query), sent: sent, received: received)
        {
        case .known(let known): freshness = known
        case .refused(let reason): return .refuse(reason)
        }
        var cap = maxAgeMilliseconds
        if response.status >= 400 { cap = min(cap, Self.errorLifetimeMilliseconds) }
        let remaining = min(freshness.lifetimeMilliseconds &- freshness.initialAgeMilliseconds, cap)
        guard remaining > 0, remaining >= minAgeMilliseconds else { return .refuse(.expired) }

        var flags: EntryFacts.Flags = []
        if directives.mayAnswerCookies || cookies == .strip { flags.insert(.answersCookies) }
        if directives.mayAnswerAuthorized { flags.insert(.answersAuthorized) }
        if directives.forbidsStale { flags.insert(.mustRevalidate) }
        if response.fields.contains(.etag) { flags.insert(.hasEntityTag) }
        if response.fields.contains(.lastModified) { flags.insert(.hasLastModified) }
        if varies { flags.insert(.varies) }
        if coding == .identity, compression.isCompressible(response, bytes) { flags.insert(.compressible) }
        return .store(
            EntryFacts(
                received: received, initialAgeMilliseconds: UInt64(freshness.initialAgeMilliseconds),
                freshForMilliseconds: UInt64(remaining), status: response.status, coding: coding,
                flags: flags,
                fingerprint: fingerprint))
    }

    /// The refusals that lie in the shape of the message.
    private func shapeRefusal(_ response: borrowing ResponseHead, _ bytes: Span<UInt8>) -> Reason? {
        // `reading: rfc` ignores Content-Range on what is no 206 (RFC 9110 §14.4); a 206 is never stored.
        if response.fields.contains(.contentRange), reading == .strict { return .range }
        if response.fields.contains(.trailer) { return .trailers }
        if response.connection.other { return .connection }
        switch response.framing {
        case .none, .chunked: return nil
        case .length(let count): return count > UInt64(maxBodyBytes) ? .tooLarge : nil
        case .untilClose: return .incomplete
        }
    }

    /// The one coding of a body; nil for one that Larder does not know, several, or an empty field.
    public static func coding(_ fields: borrowing FieldTable, _ bytes: Span<UInt8>) -> Codings? {
        guard let field = fields.first(.contentEncoding) else { return .identity }
        guard !fields.isRepeated(.contentEncoding), let coding = Codings.named(bytes.slice(field.value)),
            coding != .identity
        else { return nil }
        return coding
    }
}
