/// Families of claiming names. In a family (`Forwarded-`, `Original-`, `Proxy-`, …), the part behind the
/// prefix decides which class a name belongs to. Other names are recognised by their end.
import Bytes

extension ClaimTable {
    /// `rest` is the part behind `Forwarded-`.
    static func forwarded(_ rest: Span<UInt8>) -> FieldName {
        if rest.begins("client-cert") || rest.begins("tls-client") || rest.begins("ssl-client")
            || rest.begins("user") || rest.begins("email") || rest.begins("group") || rest.begins("role")
            || rest.begins("preferred-") || rest.begins("access-token") || rest.begins("login")
            || rest.begins("account") || rest.begins("principal")
        {
            return rest.spells("user-agent") ? .claimsClient : .claimsUser
        }
        if rest.spells("for") || rest.begins("for-") || rest.spells("by") || rest.begins("client")
            || rest.spells("ip") || rest.begins("remote-") || rest.begins("country")
        {
            return .claimsClient
        }
        if rest.begins("path") || rest.begins("prefix") || rest.begins("ur") || rest.begins("query")
            || rest.begins("context") || rest.begins("script") || rest.begins("root")
            || rest.begins("base") || rest.begins("method") || rest.begins("request")
            || rest.begins("original") || rest.begins("servlet")
        {
            return .rewritesURL
        }
        return .claimsSite
    }

    /// `rest` is the part behind `Original-`.
    static func original(_ rest: Span<UInt8>) -> FieldName {
        if rest.begins("forwarded-") { return forwarded(rest.extracting(droppingFirst: 10)) }
        if rest.begins("host") || rest.begins("proto") || rest.begins("scheme") || rest.spells("port")
            || rest.spells("https") || rest.begins("ssl") || rest.begins("server") || rest.begins("authority")
        {
            return .claimsSite
        }
        if rest.begins("for") || rest.begins("client") || rest.begins("remote-") || rest.begins("real-")
            || rest.begins("ip") || rest.begins("source-") || rest.begins("user-agent")
            || rest.begins("addr")
        {
            return .claimsClient
        }
        return rest.begins("user") ? .claimsUser : .rewritesURL
    }

    /// `rest` is the part behind `Proxy-`.
    static func proxy(_ rest: Span<UInt8>) -> FieldName {
        if rest.begins("user") || rest.begins("remote-user") {
            return rest.ends("-ip") ? .claimsClient : .claimsUser
        }
        return proxied(rest)
    }

    /// `rest` is the part behind `Proxied-`, `External-` or `Originating-`.
    static func proxied(_ rest: Span<UInt8>) -> FieldName {
        if rest.begins("ur") || rest.begins("path") || rest.begins("prefix") || rest.begins("request-u")
            || rest.begins("base") || rest.begins("script")
        {
            return .rewritesURL
        }
        if rest.begins("host") || rest.begins("port") || rest.begins("scheme") || rest.begins("proto")
            || rest.begins("ssl") || rest.begins("https") || rest.begins("server")
        {
            return .claimsSite
        }
        return .claimsClient
    }

    /// `rest` is the part behind `Real-`.
    static func real(_ rest: Span<UInt8>) -> FieldName {
        if rest.spells("ip") || rest.begins("ip-") || rest.spells("port") || rest.begins("addr")
            || rest.begins("client")
        {
            return .claimsClient
        }
        if rest.begins("host") || rest.begins("proto") || rest.begins("scheme") || rest.begins("https") {
            return .claimsSite
        }
        return rest.begins("ur") || rest.begins("path") ? .rewritesURL : .other
    }

    /// `rest` is the part behind `Remote-`.
    static func remote(_ rest: Span<UInt8>) -> FieldName {
        if rest.begins("user") || rest.begins("group") || rest.spells("name") || rest.begins("email")
            || rest.begins("extra-") || rest.begins("role") || rest.spells("ident")
        {
            return .claimsUser
        }
        return rest.begins("addr") || rest.spells("ip") || rest.spells("host") || rest.spells("port")
            || rest.begins("client") ? .claimsClient : .other
    }

    /// `rest` is the part behind `Request-`. Request-Id, Request-Context and Request-Start make no claim.
    static func requested(_ rest: Span<UInt8>) -> FieldName {
        if rest.spells("uri") || rest.spells("url") || rest.spells("path") || rest.spells("filename")
            || rest.spells("method")
        {
            return .rewritesURL
        }
        return rest.spells("scheme") || rest.begins("proto") || rest.spells("host") || rest.spells("port")
            ? .claimsSite : .other
    }

    /// `rest` is the part behind `SSL-` or `TLS-`: the client's certificate, or the use of TLS.
    static func secured(_ rest: Span<UInt8>) -> FieldName {
        let isClients =
            rest.begins("client") || rest.begins("cert") || rest.begins("verif") || rest.begins("user")
            || rest.begins("s-dn") || rest.begins("i-dn") || rest.begins("subject") || rest.begins("issuer")
        return isClients ? .claimsUser : .claimsSite
    }

    /// Names that end in `-override`, such as `X-Method-Override`. An override of something else, such as a
    /// locale, is a matter of the application.
    static func override(_ name: Span<UInt8>) -> FieldName {
        if name.ends("method-override") { return .overridesMethod }
        if name.ends("host-override") || name.ends("scheme-override") || name.ends("proto-override")
            || name.ends("protocol-override") || name.ends("port-override")
        {
            return .claimsSite
        }
        if name.ends("path-override") || name.ends("url-override") || name.ends("uri-override")
            || name.ends("prefix-override") || name.ends("query-override")
        {
            return .rewritesURL
        }
        return name.ends("ip-override") || name.ends("addr-override") ? .claimsClient : .other
    }

    /// Names that are recognised by their end, with any beginning: `Ali-Cdn-Real-Ip`, `X-Lb-Forwarded-Proto`.
    static func byEnd(_ name: Span<UInt8>) -> FieldName {
        switch name[name.count &- 1] | 0x20 {
        case UInt8(ascii: "p"):
            guard name.ends("ip") else { break }
            if name.ends("client-ip") || name.ends("clientip") || name.ends("real-ip")
                || name.ends("remote-ip") || name.ends("connecting-ip") || name.ends("connection-ip")
                || name.ends("source-ip") || name.ends("src-ip") || name.ends("user-ip")
                || name.ends("originating-ip") || name.ends("true-ip") || name.ends("viewer-ip")
                || name.ends("origin-ip")
            {
                return .claimsClient
            }
        case UInt8(ascii: "r"):
            if name.ends("-remote-addr") || name.ends("-forwarded-for") { return .claimsClient }
            if name.ends("-forwarded-server") { return .claimsSite }
            if name.ends("-remote-user") { return .claimsUser }
        case UInt8(ascii: "o"):
            if name.ends("-forwarded-proto") { return .claimsSite }
            if name.ends("-path-info") { return .rewritesURL }
        case UInt8(ascii: "l"):
            if name.ends("-forwarded-ssl") || name.ends("-forwarded-protocol") { return .claimsSite }
            if name.ends("-original-url") || name.ends("-rewrite-url") || name.ends("-unencoded-url") {
                return .rewritesURL
            }
        case UInt8(ascii: "t"):
            if name.ends("-forwarded-host") || name.ends("-forwarded-port") || name.ends("-original-host") {
                return .claimsSite
            }
        case UInt8(ascii: "e"):
            if name.ends("-forwarded-scheme") || name.ends("-url-scheme") { return .claimsSite }
            if name.ends("-script-name") { return .rewritesURL }
            if name.ends("-http-method-override") { return .overridesMethod }
        case UInt8(ascii: "i"), UInt8(ascii: "x"), UInt8(ascii: "h"):
            if name.ends("-forwarded-uri") || name.ends("-forwarded-prefix") || name.ends("-forwarded-path")
                || name.ends("-original-uri") || name.ends("-original-path") || name.ends("-request-uri")
            {
                return .rewritesURL
            }
        default: break
        }
        return .other
    }
}
