/// Which request fields reach the origin.
///
/// If the answer may be stored, only keyed information may influence it. So host and query are the keyed
/// ones, Accept-Encoding is normalised, forwarding fields are written by Larder, and conditions and ranges
/// are those of the store. In any other exchange, the client's fields are forwarded, except the fields of the
/// connection and untrusted claims (`ClaimedName.swift`).

public import HTTP
internal import Settings

public enum FieldTreatment: Sendable, BitwiseCopyable {
    /// Forward unchanged.
    case send
    case drop
    /// Omit the client's line; the caller writes a new one. This applies to Host
    /// (`key[routingStart..<targetStart]`), Accept-Encoding (`Codings.fieldValue`), Via, `Forwarded` and
    /// `X-Forwarded-For`, `-Host`, `-Proto` (which contain the client's values only if a trusted proxy sent
    /// them).
    case replace
}

extension Rules {
    /// How to treat a request field. Fields that `Connection` nominates are dropped by the caller
    /// (`ConnectionOptions`).
    ///
    /// - Parameters:
    ///   - storable: may the answer be stored (`RequestVerdict.mayStore`)?
    ///   - trusted: does the request come from a trusted proxy?
    public func treatment(of field: FieldName, storable: Bool, trusted: Bool) -> FieldTreatment {
        guard withheld(storable: storable, trusted: trusted).contains(field) else { return .send }
        return FieldSet.replaced.with(.acceptEncoding).contains(field) ? .replace : .drop
    }

    /// The fields that are not forwarded unchanged.
    public func withheld(storable: Bool, trusted: Bool) -> FieldSet {
        var set = FieldSet.replaced.union(HopByHop.fields).with(.http2Settings).with(.oddSpelling)
        if !trusted { set = set.union(.claims) }
        if cookies == .strip { set = set.with(.cookie) }
        return storable ? set.union(.unfitForStoring) : set
    }
}

extension FieldSet {
    fileprivate static var replaced: FieldSet {
        FieldSet(.host).with(.forwarded).with(.xForwardedFor).with(.xForwardedHost).with(.xForwardedProto)
            .with(.via)
    }

    /// Fields that are omitted from a request whose answer may be stored: the client's conditions, unkeyed
    /// fields that could influence the answer, and fields that a GET without a body does not need.
    fileprivate static var unfitForStoring: FieldSet {
        FieldSet(.ifNoneMatch).with(.ifModifiedSince).with(.ifMatch).with(.ifUnmodifiedSince).with(.ifRange)
            .with(.range).with(.acceptEncoding).union(.unkeyed).with(.claimsSite).with(.claimsUser)
            .with(.expect).with(.contentLength)
    }
}
