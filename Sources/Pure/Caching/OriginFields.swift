/// Which request fields reach the origin.
///
/// On a fetch that may be stored, nothing that is not keyed may shape the answer: the host and the query are
/// the keyed ones, Accept-Encoding is the normalised one, forwarding fields are rebuilt, and conditions and
/// ranges are the store's own. On any other exchange the client's fields pass but for what concerns the
/// connection, and for claims that are not believed (`ClaimedName.swift`), which never pass.

public import HTTP
internal import Settings

public enum FieldTreatment: Sendable, BitwiseCopyable {
    /// As it came.
    case send
    case drop
    /// Left out here and written anew by the sender: Host (`key[routingStart..<targetStart]`),
    /// Accept-Encoding (`Codings.fieldValue`), `Forwarded` and `X-Forwarded-For`, `-Host`, `-Proto` (client
    /// values only from trusted proxies), Via.
    case replace
}

extension Rules {
    /// What becomes of a request field. Fields that `Connection` nominates are the caller's to drop
    /// (`ConnectionOptions`), as with every proxy.
    ///
    /// - Parameters:
    ///   - storable: may the answer be stored (`RequestVerdict.mayStore`)?
    ///   - believed: does the request come from a trusted proxy?
    public func treatment(of field: FieldName, storable: Bool, believed: Bool) -> FieldTreatment {
        guard withheld(storable: storable, believed: believed).contains(field) else { return .send }
        return FieldSet.replaced.with(.acceptEncoding).contains(field) ? .replace : .drop
    }

    /// The fields that are not sent as they came.
    public func withheld(storable: Bool, believed: Bool) -> FieldSet {
        var set = FieldSet.replaced.union(HopByHop.fields).with(.http2Settings).with(.twin)
        if !believed { set = set.union(.claims) }
        if cookies == .strip { set = set.with(.cookie) }
        return storable ? set.union(.unfitForStoring) : set
    }
}

extension FieldSet {
    fileprivate static var replaced: FieldSet {
        FieldSet(.host).with(.forwarded).with(.xForwardedFor).with(.xForwardedHost).with(.xForwardedProto)
            .with(.via)
    }

    /// What does not go along with a request whose answer may be stored: the client's own conditions, what is
    /// not keyed and would shape the answer, and what a GET without a body has no use for.
    fileprivate static var unfitForStoring: FieldSet {
        FieldSet(.ifNoneMatch).with(.ifModifiedSince).with(.ifMatch).with(.ifUnmodifiedSince).with(.ifRange)
            .with(.range).with(.acceptEncoding).union(.unkeyed).with(.claimsSite).with(.claimsUser)
            .with(.expect).with(.contentLength)
    }
}
