/// Which request fields reach the origin.
///
/// On a fetch that may be stored, nothing that is not keyed may shape the answer: the host and the query are
/// the keyed ones, Accept-Encoding is the normalised one, forwarding fields are rebuilt, and conditions and
/// ranges are the store's own. On any other exchange the client's fields pass but for what concerns the
/// connection.

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

extension FieldSet {
    /// Forwarding fields that are never rebuilt: frameworks read another URL out of them.
    @inlinable @inline(__always)
    static var unkeyedForwarding: FieldSet {
        FieldSet(.xForwardedPort).with(.xForwardedScheme).with(.xForwardedServer)
    }
}

extension Rules {
    /// What becomes of a request field. Fields that `Connection` nominates are the caller's to drop
    /// (`ConnectionOptions`), as with every proxy.
    ///
    /// - Parameter storable: may the answer be stored (`RequestVerdict.mayStore`)?
    public func treatment(of field: FieldName, storable: Bool) -> FieldTreatment {
        switch field {
        case .host, .forwarded, .xForwardedFor, .xForwardedHost, .xForwardedProto, .via: return .replace
        default: break
        }
        if HopByHop.contains(field) { return .drop }
        if field == .http2Settings { return .drop }
        if field == .cookie { return cookies == .strip ? .drop : .send }
        guard storable else { return .send }
        if field == .acceptEncoding { return .replace }
        let conditions = FieldSet(.ifNoneMatch).with(.ifModifiedSince).with(.ifMatch).with(.ifUnmodifiedSince)
            .with(.ifRange).with(.range)
        // A GET that may be stored has no body: nothing expects, nothing has a length.
        let dropped = conditions.union(.unkeyed).union(.unkeyedForwarding).with(.expect).with(.contentLength)
        return dropped.contains(field) ? .drop : .send
    }
}
