/// The field names that some rule of Larder mentions. At most 128, so that a set of them is two words.
public enum FieldName: UInt8, Sendable, CaseIterable, BitwiseCopyable {
    case other = 0
    case accept, acceptEncoding, acceptLanguage, age, authorization, cacheControl, cacheGroupInvalidation
    case cacheGroups
    case cacheStatus, cacheTag, cdnCacheControl, connection, contentEncoding, contentLength, contentLocation
    case contentRange, contentType, cookie, date, etag, expect, expires, forwarded, host, http2Settings
    case ifMatch
    case ifModifiedSince, ifNoneMatch, ifRange, ifUnmodifiedSince, keepAlive, larderCacheControl, lastModified
    case location, origin, pragma, proxyAuthenticate, proxyAuthenticationInfo, proxyAuthorization
    case proxyConnection
    case range, referer, server, setCookie, surrogateControl, surrogateKey, te, trailer, transferEncoding
    case upgrade
    case userAgent, vary, via, warning, wwwAuthenticate, xForwardedFor, xForwardedHost, xForwardedProto, xkey
    // Fields that some frameworks let rewrite the request behind the cache's back (reason `unkeyed`).
    case forwardedHost, xForwardedPort, xForwardedPrefix, xForwardedScheme, xForwardedServer, xHTTPMethod
    case xHTTPMethodOverride, xHost, xMethodOverride, xOriginalHost, xOriginalURL, xRewriteURL, xOriginalURI
    /// Any name of this list with `_` in the place of `-`: who hands fields on as CGI variables (RFC 3875
    /// §4.1.18) takes it for that one. Here it stands for none of them.
    case underscored
    case frontEndHTTPS, xForwardedProtocol, xForwardedSSL, xForwardedURI, xHTTPHostOverride, xScheme,
        xURLScheme
    // What a transformed answer must not carry on: digests of other bytes, ranges of them.
    case acceptRanges, contentDigest, contentMD5, digest, reprDigest
    /// RFC 8586.
    case cdnLoop
}
