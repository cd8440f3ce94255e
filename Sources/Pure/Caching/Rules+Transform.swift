/// Which transform the head and the body of a response get on their way to the client.
///
///     the response                     the client                           the transform
///     storable, its body may be coded  accepts a coding of the policy       coded
///                                      accepts none                         varies
///     storable, its gzip may be undone does not accept gzip, and nobody     decoded
///                                      has tried to undo it
///                                      any other                            varies
///     not storable, may be compressed  asks for a range                     varies
///       (Rules+Shareable)              accepts a coding of the policy       coded
///                                      accepts none                         varies
///     304, its 200 would be compressed holds the tag of a coded body only   decoded
///                                      any other                            varies
///     any other                        any                                  none
///
/// For a HEAD the response to GET counts: `judgeWhole`.

internal import Bytes
public import HTTP

extension Rules {
    /// - Parameters:
    ///   - facts: what the response is stored as, or what the response to GET would be stored as.
    ///   - mayUndo: nobody has tried to undo the response for this client.
    public func transform(
        of facts: EntryFacts, for request: RequestVerdict, mayUndo: Bool
    ) -> HeadTransform {
        guard Self.variesByCoding(facts) else { return .none }
        guard facts.flags.contains(.undoable) else { return coded(for: request.codings) }
        return mayUndo && request.reach(of: facts) == .undone ? .decoded : .varies
    }

    /// May a response that is not stored for this reason be compressed, as far as the response alone tells?
    /// The question before `transform(ofUnstored:)`, which needs the head of the request.
    public func mayTransform(
        unstored response: borrowing ResponseHead, _ bytes: Span<UInt8>, _ reason: Reason?
    ) -> Bool {
        guard compression.takesAll || reason?.forbidsSharing != true else { return false }
        return compression.isCompressible(response, bytes)
    }

    /// The transform of a response that is not stored and that `mayTransform`.
    ///
    /// - Parameters:
    ///   - verdict: the verdict on `request`.
    ///   - received: when the head of the response was complete.
    public func transform(
        ofUnstored response: borrowing ResponseHead, _ bytes: Span<UInt8>, to verdict: RequestVerdict,
        _ request: borrowing RequestHead, _ requestBytes: Span<UInt8>, received: Times
    ) -> HeadTransform {
        guard mayCompress(unstored: response, bytes, to: verdict, request, requestBytes, received: received)
        else { return .none }
        if verdict.flags.contains(.range) || request.fields.contains(.range) { return .varies }
        let accepted = verdict.mayLookup ? verdict.codings : .accepted(by: request.fields, requestBytes)
        return coded(for: accepted)
    }

    /// The transform of a 304 that answers the client's own condition. It says of the 200 what the client
    /// would have got.
    ///
    /// - Parameters: as for `transform(ofUnstored:)`.
    public func transform(
        ofNotModified response: borrowing ResponseHead, _ bytes: Span<UInt8>, to verdict: RequestVerdict,
        _ request: borrowing RequestHead, _ requestBytes: Span<UInt8>, received: Times
    ) -> HeadTransform {
        let varies = variesByCoding(
            notModified: response, bytes, to: verdict, request, requestBytes, received: received)
        guard varies else { return .none }
        return Conditional.clientHoldsWeakTag(request, requestBytes, response, bytes) ? .decoded : .varies
    }

    private func coded(for accepted: Codings) -> HeadTransform {
        compression.choose(accepted: accepted).map { .coded($0) } ?? .varies
    }
}

extension Reason {
    /// Does the reason itself say that no shared cache may keep the response (`Rules+Shareable`)? Then the
    /// response need not be read again to find that out.
    var forbidsSharing: Bool {
        switch self {
        case .noStore, .private, .noCache, .setCookie: true
        default: false
        }
    }
}
