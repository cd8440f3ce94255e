/// The field names that a rule of Larder reads. At most 128, so that a `FieldSet` is two words.
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
    // Classes of request fields by what they claim, for names not listed above: see `ClaimedName.swift`.
    case claimsClient, claimsSite, claimsUser, rewritesURL, overridesMethod
    /// A name listed above in an odd spelling, such as `Content_Length`.
    case oddSpelling
    // Fields that a transformed answer must not keep: digests and ranges of the original bytes.
    case acceptRanges, contentDigest, contentMD5, digest, reprDigest
    /// RFC 8586.
    case cdnLoop
}
