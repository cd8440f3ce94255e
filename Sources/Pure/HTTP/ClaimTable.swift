/// The names that make claims (`ClaimedName.swift` describes the classes). The tables are split by the first
/// letter, so that a name is compared with few entries. This file has the names that do not begin with `X-`.
import Bytes

enum ClaimTable {
    static func unprefixed(_ name: Span<UInt8>) -> FieldName {
        switch name.letter {
        case UInt8(ascii: "a"):
            if name.begins("auth-type") || name.begins("auth-user") || name.begins("auth-password")
                || name.begins("authenticated-")
            {
                return .claimsUser
            }
            if name.begins("akamai-") || name.begins("ali-") { return .claimsClient }
        case UInt8(ascii: "b"):
            if name.spells("base-url") || name.spells("base-path") { return .rewritesURL }
        case UInt8(ascii: "c"):
            if name.begins("cf-") {
                if name.begins("cf-access-") { return .claimsUser }
                return name.spells("cf-visitor") ? .claimsSite : .claimsClient
            }
            if name.begins("cloudfront-") {
                return name.begins("cloudfront-forwarded-") ? .claimsSite : .claimsClient
            }
            if name.begins("client-cert") || name.begins("client-verify") || name.begins("client-dn")
                || name.begins("client-s-dn")
            {
                return .claimsUser
            }
            if name.spells("client-ip") || name.spells("clientip") || name.begins("client-addr")
                || name.spells("client-host") || name.spells("client-port")
            {
                return .claimsClient
            }
            if name.spells("context-path") { return .rewritesURL }
        case UInt8(ascii: "d"):
            if name.spells("disguised-host") { return .claimsSite }
            if name.spells("document-root") || name.spells("document-uri") { return .rewritesURL }
        case UInt8(ascii: "f"): return unprefixedF(name)
        case UInt8(ascii: "g"):
            if name.spells("gateway-interface") { return .claimsSite }
        case UInt8(ascii: "h"):
            if name.spells("https") || name.spells("host-override") { return .claimsSite }
        case UInt8(ascii: "i"):
            if name.begins("iis-") { return .rewritesURL }
            if name.begins("incap-") { return .claimsClient }
        case UInt8(ascii: "l")...UInt8(ascii: "z"): return unprefixedFromL(name)
        default: break
        }
        return .other
    }

    private static func unprefixedFromL(_ name: Span<UInt8>) -> FieldName {
        switch name.letter {
        case UInt8(ascii: "l"):
            if name.spells("logon-user") { return .claimsUser }
            if name.spells("local-addr") || name.spells("local-port") { return .claimsSite }
        case UInt8(ascii: "m"):
            if name.spells("method-override") { return .overridesMethod }
            if name.begins("mellon-") { return .claimsUser }
        case UInt8(ascii: "o"):
            if name.begins("oidc-") { return .claimsUser }
            if name.begins("original-") { return original(name.extracting(droppingFirst: 9)) }
            if name.begins("orig-") { return original(name.extracting(droppingFirst: 5)) }
        case UInt8(ascii: "p"):
            if name.spells("proxy") { return .claimsSite }
            if name.begins("proxy-") { return proxy(name.extracting(droppingFirst: 6)) }
            if name.spells("path-info") || name.spells("path-translated") { return .rewritesURL }
            if name.begins("php-") {
                if name.begins("php-auth-") { return .claimsUser }
                return name.spells("php-self") ? .rewritesURL : .claimsSite
            }
        case UInt8(ascii: "q"):
            if name.spells("query-string") { return .rewritesURL }
        case UInt8(ascii: "r"), UInt8(ascii: "s"): return unprefixedRS(name)
        case UInt8(ascii: "t"):
            if name.begins("true-") { return .claimsClient }
            if name.begins("tailscale-") || name.begins("tls-client-") { return .claimsUser }
        case UInt8(ascii: "u"):
            if name.spells("url") || name.spells("uri") || name.begins("unencoded-ur") { return .rewritesURL }
            if name.spells("url-scheme") || name.begins("uwsgi-") { return .claimsSite }
        case UInt8(ascii: "w"):
            if name.begins("wl-proxy-") {
                if name.begins("wl-proxy-client-cert") || name.begins("wl-proxy-client-key") {
                    return .claimsUser
                }
                return name.spells("wl-proxy-ssl") ? .claimsSite : .claimsClient
            }
            if name.begins("wsgi-") || name.begins("was-default-host") { return .claimsSite }
        default: break
        }
        return .other
    }

    private static func unprefixedF(_ name: Span<UInt8>) -> FieldName {
        if name.begins("forwarded-") { return forwarded(name.extracting(droppingFirst: 10)) }
        if name.begins("front-end-") { return .claimsSite }
        if name.begins("fastly-") {
            return name.spells("fastly-ssl") || name.begins("fastly-orig") ? .claimsSite : .claimsClient
        }
        if name.begins("fly-forwarded-") { return forwarded(name.extracting(droppingFirst: 14)) }
        return name.begins("fly-") ? .claimsClient : .other
    }

    private static func unprefixedRS(_ name: Span<UInt8>) -> FieldName {
        if name.begins("remote-") { return remote(name.extracting(droppingFirst: 7)) }
        if name.begins("real-") { return real(name.extracting(droppingFirst: 5)) }
        if name.begins("request-") { return requested(name.extracting(droppingFirst: 8)) }
        if name.begins("redirect-") || name.spells("redirect") { return .rewritesURL }
        if name.begins("rack-") { return .claimsSite }
        if name.begins("script-") || name.spells("servlet-path") { return .rewritesURL }
        if name.spells("server-name") || name.spells("server-port") || name.spells("server-addr")
            || name.spells("server-protocol") || name.spells("server-software")
            || name.spells("server-admin") || name.spells("server-signature")
        {
            return .claimsSite
        }
        if name.begins("ssl-") { return secured(name.extracting(droppingFirst: 4)) }
        if name.spells("scheme") { return .claimsSite }
        return name.begins("shib-") ? .claimsUser : .other
    }

    /// CGI variables such as `HTTP_HOST` whose field name, without `HTTP_`, is not a claim.
    static func serverVariable(_ name: Span<UInt8>) -> FieldName {
        if name.spells("http-host") || name.spells("http-scheme") || name.begins("http-proto") {
            return .claimsSite
        }
        if name.spells("http-path") || name.begins("http-destinationur") { return .rewritesURL }
        if name.spells("http-method") { return .overridesMethod }
        if name.spells("http-forwarded") || name.spells("http-via") { return .claimsClient }
        return .other
    }
}
