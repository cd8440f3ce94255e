/// Claiming names that begin with `X-`: fields of proxies, load balancers, content delivery networks and
/// frameworks.
import Bytes

extension ClaimTable {
    /// The class of a name that begins with `X-`. `name` is the part behind `X-`.
    static func vendor(_ name: Span<UInt8>) -> FieldName {
        switch name.letter {
        case UInt8(ascii: "a"):
            if name.begins("accel-") { return .claimsSite }
            if name.begins("azure-") || name.begins("akamai-") { return .claimsClient }
            if name.begins("appengine-") {
                return name.begins("appengine-user-") && !name.spells("appengine-user-ip")
                    ? .claimsUser : .claimsClient
            }
            if name.begins("arr-") {
                if name.begins("arr-clientcert") { return .claimsUser }
                return name.spells("arr-ssl") ? .claimsSite : .claimsClient
            }
            if name.begins("amzn-oidc-") || name.begins("amzn-mtls-") || name.begins("auth-request-")
                || name.begins("authenticated-") || name.begins("authentik-")
                || name.begins("anonymous-consumer")
            {
                return .claimsUser
            }
            if name.begins("amzn-tls-") { return .claimsClient }
        case UInt8(ascii: "b"):
            if name.begins("base-ur") || name.spells("base-path") || name.spells("basepath") {
                return .rewritesURL
            }
            if name.spells("backend-host") { return .claimsSite }
        case UInt8(ascii: "c"): return vendorC(name)
        case UInt8(ascii: "e"):
            if name.begins("envoy-original-path") || name.begins("envoy-original-method") {
                return .rewritesURL
            }
            if name.begins("envoy-original-") { return .claimsSite }
            if name.begins("envoy-") { return .claimsClient }
            if name.begins("external-") { return proxied(name.extracting(droppingFirst: 9)) }
        case UInt8(ascii: "f"):
            if name.spells("forwarded") || name.begins("fd-") { return .claimsClient }
            if name.begins("forwarded-") { return forwarded(name.extracting(droppingFirst: 10)) }
            if name.begins("forward-") { return forwarded(name.extracting(droppingFirst: 8)) }
            if name.begins("forwarder-") { return forwarded(name.extracting(droppingFirst: 10)) }
            if name.begins("front-end-") { return .claimsSite }
        case UInt8(ascii: "g"):
            if name.begins("goog-iap-") || name.begins("goog-authenticated-") { return .claimsUser }
            if name.begins("geoip-") { return .claimsClient }
        case UInt8(ascii: "h"): return vendorH(name)
        case UInt8(ascii: "i"):
            if name.begins("invoke-") || name.spells("ingress-path") { return .rewritesURL }
            if name.spells("is-https") || name.spells("is-ssl") { return .claimsSite }
            if name.begins("iisnode-") { return .claimsClient }
        case UInt8(ascii: "l")...UInt8(ascii: "z"): return vendorFromL(name)
        default: break
        }
        return name.ends("-override") ? override(name) : .other
    }

    private static func vendorFromL(_ name: Span<UInt8>) -> FieldName {
        switch name.letter {
        case UInt8(ascii: "l"):
            if name.spells("logon-user") { return .claimsUser }
        case UInt8(ascii: "m"):
            if name.begins("middleware-") || name.spells("matched-path") || name.begins("mount-p") {
                return .rewritesURL
            }
            if name.begins("method-override") { return .overridesMethod }
            if name.begins("ms-client-principal") || name.begins("ms-token-") || name.begins("mellon-") {
                return .claimsUser
            }
        case UInt8(ascii: "n"):
            if name.begins("now-") { return .rewritesURL }
            if name.begins("nf-") { return .claimsClient }
        case UInt8(ascii: "o"):
            if name.begins("original-") { return original(name.extracting(droppingFirst: 9)) }
            if name.begins("orig-") { return original(name.extracting(droppingFirst: 5)) }
            if name.begins("originating-") { return proxied(name.extracting(droppingFirst: 12)) }
        case UInt8(ascii: "p"): return vendorP(name)
        case UInt8(ascii: "q"):
            if name.spells("query-string") { return .rewritesURL }
        case UInt8(ascii: "r"):
            if name.begins("rewrite-") || name.begins("rewritten-") || name.begins("replaced-path")
                || name.spells("relative-path") || name.begins("root-path") || name.begins("root-ur")
            {
                return .rewritesURL
            }
            if name.begins("real-") { return real(name.extracting(droppingFirst: 5)) }
            if name.begins("remote-") { return remote(name.extracting(droppingFirst: 7)) }
            if name.begins("request-") { return requested(name.extracting(droppingFirst: 8)) }
        case UInt8(ascii: "s"): return vendorS(name)
        case UInt8(ascii: "t"):
            if name.begins("true-") { return .claimsClient }
            if name.begins("tls-") { return secured(name.extracting(droppingFirst: 4)) }
        case UInt8(ascii: "u"):
            if name.begins("unencoded-ur") || name.spells("url") || name.spells("uri")
                || name.spells("url-path") || name.spells("uri-path") || name.spells("url-prefix")
            {
                return .rewritesURL
            }
            if name.spells("url-scheme") { return .claimsSite }
            if name.spells("userinfo") { return .claimsUser }
        case UInt8(ascii: "v"):
            if name.begins("vercel-") {
                return name.begins("vercel-oidc") ? .claimsUser : .claimsClient
            }
            if name.begins("vouch-") { return .claimsUser }
            if name.begins("virtual-host") || name.spells("vhost") { return .claimsSite }
        case UInt8(ascii: "w"):
            if name.begins("waws-") { return .rewritesURL }
            if name.begins("webauth-") { return .claimsUser }
            if name.begins("wsgi-") { return .claimsSite }
        default: break
        }
        return name.ends("-override") ? override(name) : .other
    }

    private static func vendorC(_ name: Span<UInt8>) -> FieldName {
        if name.begins("client") {
            if name.begins("client-cert") || name.begins("clientcert") || name.begins("client-verify")
                || name.begins("client-dn") || name.begins("client-s-dn") || name.begins("client-i-dn")
                || name.begins("client-subject") || name.begins("client-issuer")
                || name.begins("client-serial")
            {
                return .claimsUser
            }
            if name.begins("client-proto") || name.begins("client-scheme") || name.begins("client-ssl") {
                return .claimsSite
            }
            if name.spells("client-ip") || name.spells("clientip") || name.begins("client-addr")
                || name.spells("client-host") || name.spells("client-port") || name.begins("client-geo")
            {
                return .claimsClient
            }
            return .other
        }
        if name.begins("cluster-client") || name.begins("custom-ip-") { return .claimsClient }
        if name.begins("consumer-") || name.begins("credential-") { return .claimsUser }
        return name.spells("context-path") ? .rewritesURL : .other
    }

    private static func vendorH(_ name: Span<UInt8>) -> FieldName {
        if name.spells("host") || name.begins("host-") || name.spells("hostname") || name.spells("https") {
            return .claimsSite
        }
        guard name.begins("http-") else { return .other }
        if name.begins("http-host") || name.begins("http-scheme") || name.begins("http-proto") {
            return .claimsSite
        }
        if name.begins("http-method") { return .overridesMethod }
        if name.begins("http-destinationur") || name.begins("http-ur") || name.begins("http-path") {
            return .rewritesURL
        }
        guard name.ends("-override") else { return .other }
        let found = override(name)
        return found == .other ? .rewritesURL : found
    }

    private static func vendorP(_ name: Span<UInt8>) -> FieldName {
        if name.begins("proxy-") { return proxy(name.extracting(droppingFirst: 6)) }
        if name.begins("proxied-") { return proxied(name.extracting(droppingFirst: 8)) }
        if name.begins("proxyuser-") { return .claimsClient }
        if name.begins("pomerium-") { return .claimsUser }
        if name.spells("proto") || name.spells("protocol") || name.spells("port") { return .claimsSite }
        if name.spells("path") || name.begins("path-info") || name.spells("path-prefix")
            || name.spells("path-translated") || name.spells("prefix")
        {
            return .rewritesURL
        }
        return name.ends("-override") ? override(name) : .other
    }

    private static func vendorS(_ name: Span<UInt8>) -> FieldName {
        if name.begins("script-") || name.spells("servlet-path") || name.spells("sub-path")
            || name.spells("subpath")
        {
            return .rewritesURL
        }
        if name.begins("ssl-") { return secured(name.extracting(droppingFirst: 4)) }
        if name.spells("scheme") || name.spells("secure") || name.spells("ssl") || name.begins("sendfile")
            || name.begins("site-deployment-") || name.spells("server-name") || name.spells("server-port")
            || name.spells("server-addr") || name.spells("server-protocol")
        {
            return .claimsSite
        }
        if name.begins("sucuri-") { return .claimsClient }
        return name.ends("-override") ? override(name) : .other
    }
}
