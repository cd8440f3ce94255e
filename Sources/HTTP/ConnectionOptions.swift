/// What a message's `Connection` lines say (RFC 9110 §7.6.1).
///
/// Options that HTTP itself knows are flags; `other` tells that some further field is nominated (or that the
/// list is malformed), which the caching rules take as a reason to keep out.
import Bytes

public struct ConnectionOptions: BitwiseCopyable, Sendable {
    public var close = false
    public var keepAlive = false
    public var upgrade = false
    public var te = false
    public var http2Settings = false
    /// Something else is named, or a member is no token.
    public var other = false

    public init() {}

    /// The union of all `Connection` lines of a head.
    public init(_ fields: borrowing FieldTable, _ bytes: Span<UInt8>) {
        guard fields.contains(.connection) else { return }
        for index in 0..<fields.count where fields[index].id == .connection {
            let value = bytes.slice(fields[index].value)
            // By far the most common value; no list to take apart.
            if value.equalsIgnoringCase("keep-alive") {
                keepAlive = true
                continue
            }
            var members = ListTokens(value)
            while let member = members.next() { note(value.extracting(member)) }
        }
    }

    private mutating func note(_ option: Span<UInt8>) {
        switch option.count {
        case 5 where option.equalsIgnoringCase("close"): close = true
        case 10 where option.equalsIgnoringCase("keep-alive"): keepAlive = true
        case 7 where option.equalsIgnoringCase("upgrade"): upgrade = true
        case 2 where option.equalsIgnoringCase("te"): te = true
        case 14 where option.equalsIgnoringCase("http2-settings"): http2Settings = true
        default: other = true
        }
    }

    /// Does the connection persist, as far as the sender says (RFC 9112 §9.3)?
    public func keepsAlive(minorVersion: UInt8) -> Bool { !close && (minorVersion >= 1 || keepAlive) }

    /// Does it name anything beside fields that are hop-by-hop anyway (`HopByHop`)?
    @inlinable public var namesOthers: Bool { close || http2Settings || other }

    /// Do the `Connection` lines of this head, from which `self` was made, name this field, so that it must
    /// not be forwarded? Free of cost unless `other` is set.
    public func nominates(_ name: Span<UInt8>, _ fields: borrowing FieldTable, _ bytes: Span<UInt8>) -> Bool {
        guard keepAlive || upgrade || te || close || http2Settings || other else { return false }
        if name.equalsIgnoringCase("te") { return te }
        if name.equalsIgnoringCase("upgrade") { return upgrade }
        if name.equalsIgnoringCase("keep-alive") { return keepAlive }
        if name.equalsIgnoringCase("http2-settings") { return http2Settings }
        if name.equalsIgnoringCase("close") { return close }
        guard other else { return false }
        for index in 0..<fields.count where fields[index].id == .connection {
            let value = bytes.slice(fields[index].value)
            var members = ListTokens(value)
            while let member = members.next() {
                if value.extracting(member).equalsIgnoringCase(name) { return true }
            }
        }
        return false
    }
}

/// Fields that concern one connection only and are neither stored nor forwarded, whether `Connection` names
/// them or not.
public enum HopByHop {
    @inlinable
    public static func contains(_ name: FieldName) -> Bool {
        switch name {
        case .connection, .keepAlive, .proxyConnection, .te, .trailer, .transferEncoding, .upgrade,
            .proxyAuthenticate, .proxyAuthorization, .proxyAuthenticationInfo:
            true
        default: false
        }
    }
}
