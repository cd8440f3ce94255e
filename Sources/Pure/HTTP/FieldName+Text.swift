/// Field names as text, and the recognition of names.
///
/// A name is recognised by its length and then by words of eight bytes, without a hash and without a table in
/// memory. The literals fold to constants, so a candidate costs one to four comparisons. `FieldNameTests`
/// compares every case with `text`.
///
/// Names are tokens. In a token, setting bit 0x20 turns capitals into small letters, and turns no other byte
/// into a letter, a digit or a hyphen.
import Bytes

extension FieldName {
    /// The canonical spelling. Empty for a case that stands for a class of names.
    public var text: StaticString {
        switch self {
        case .other, .oddSpelling, .claimsClient, .claimsSite, .claimsUser, .rewritesURL, .overridesMethod: ""
        case .accept: "Accept"
        case .acceptEncoding: "Accept-Encoding"
        case .acceptLanguage: "Accept-Language"
        case .age: "Age"
        case .authorization: "Authorization"
        case .cacheControl: "Cache-Control"
        case .cacheGroupInvalidation: "Cache-Group-Invalidation"
        case .cacheGroups: "Cache-Groups"
        case .cacheStatus: "Cache-Status"
        case .cacheTag: "Cache-Tag"
        case .cdnCacheControl: "CDN-Cache-Control"
        case .connection: "Connection"
        case .contentEncoding: "Content-Encoding"
        case .contentLength: "Content-Length"
        case .contentLocation: "Content-Location"
        case .contentRange: "Content-Range"
        case .contentType: "Content-Type"
        case .cookie: "Cookie"
        case .date: "Date"
        case .etag: "ETag"
        case .expect: "Expect"
        case .expires: "Expires"
        case .forwarded: "Forwarded"
        case .host: "Host"
        case .http2Settings: "HTTP2-Settings"
        case .ifMatch: "If-Match"
        case .ifModifiedSince: "If-Modified-Since"
        case .ifNoneMatch: "If-None-Match"
        case .ifRange: "If-Range"
        case .ifUnmodifiedSince: "If-Unmodified-Since"
        case .keepAlive: "Keep-Alive"
        case .larderCacheControl: "Larder-Cache-Control"
        case .lastModified: "Last-Modified"
        case .location: "Location"
        case .origin: "Origin"
        case .pragma: "Pragma"
        case .proxyAuthenticate: "Proxy-Authenticate"
        case .proxyAuthenticationInfo: "Proxy-Authentication-Info"
        case .proxyAuthorization: "Proxy-Authorization"
        case .proxyConnection: "Proxy-Connection"
        case .range: "Range"
        case .referer: "Referer"
        case .server: "Server"
        case .setCookie: "Set-Cookie"
        case .surrogateControl: "Surrogate-Control"
        case .surrogateKey: "Surrogate-Key"
        case .te: "TE"
        case .trailer: "Trailer"
        case .transferEncoding: "Transfer-Encoding"
        case .upgrade: "Upgrade"
        case .userAgent: "User-Agent"
        case .vary: "Vary"
        case .via: "Via"
        case .warning: "Warning"
        case .wwwAuthenticate: "WWW-Authenticate"
        case .xForwardedFor: "X-Forwarded-For"
        case .xForwardedHost: "X-Forwarded-Host"
        case .xForwardedProto: "X-Forwarded-Proto"
        case .xkey: "xkey"
        case .acceptRanges: "Accept-Ranges"
        case .contentDigest: "Content-Digest"
        case .contentMD5: "Content-MD5"
        case .digest: "Digest"
        case .reprDigest: "Repr-Digest"
        case .cdnLoop: "CDN-Loop"
        }
    }

    /// The identity of a request field's name, in any case: a well-known name, a class of claims,
    /// `.oddSpelling`, or `.other`.
    public static func identify(_ name: Span<UInt8>) -> FieldName {
        for index in 0..<name.count where !ASCII.token.contains(name[index]) { return .other }
        let id = identify(name, from: 0, count: name.count)
        return id == .other ? unknown(name, mayBeOdd: true) : id
    }

    /// The well-known name of a token inside a head, in any case; `.other` if it is not well known. Uses
    /// whole-word loads where enough bytes follow.
    @inline(__always)
    static func identify(_ bytes: Span<UInt8>, from start: Int, count: Int) -> FieldName {
        guard let name = ShortName(inside: bytes, from: start, count: count) else {
            return identifyRare(bytes, from: start, count: count)
        }
        return identify(name)
    }

    /// As `identify`, for a name that is long or near the end of the bytes.
    @inline(never)
    private static func identifyRare(_ bytes: Span<UInt8>, from start: Int, count: Int) -> FieldName {
        if count > 16 { return count <= 32 ? long(LongName(bytes, from: start, count: count)) : .other }
        return identify(ShortName(bytes, from: start, count: count))
    }

    private static func identify(_ name: ShortName) -> FieldName {
        name.count <= 8 ? short(name.lowercased) : middle(name.lowercased)
    }

    @inline(__always)
    private static func short(_ name: ShortName) -> FieldName {
        switch name.count {
        case 2:
            if name.spells("te") { return .te }
        case 3:
            if name.spells("age") { return .age }
            if name.spells("via") { return .via }
        case 4:
            if name.spells("date") { return .date }
            if name.spells("etag") { return .etag }
            if name.spells("host") { return .host }
            if name.spells("vary") { return .vary }
            if name.spells("xkey") { return .xkey }
        case 5:
            if name.spells("range") { return .range }
        case 6:
            if name.spells("accept") { return .accept }
            if name.spells("cookie") { return .cookie }
            if name.spells("digest") { return .digest }
            if name.spells("expect") { return .expect }
            if name.spells("origin") { return .origin }
            if name.spells("pragma") { return .pragma }
            if name.spells("server") { return .server }
        case 7:
            if name.spells("expires") { return .expires }
            if name.spells("referer") { return .referer }
            if name.spells("trailer") { return .trailer }
            if name.spells("upgrade") { return .upgrade }
            if name.spells("warning") { return .warning }
        case 8:
            if name.spells("cdn-loop") { return .cdnLoop }
            if name.spells("if-match") { return .ifMatch }
            if name.spells("if-range") { return .ifRange }
            if name.spells("location") { return .location }
        default: break
        }
        return .other
    }

    @inline(__always)
    private static func middle(_ name: ShortName) -> FieldName {
        switch name.count {
        case 9:
            if name.spells("cache-tag") { return .cacheTag }
            if name.spells("forwarded") { return .forwarded }
        case 10:
            if name.spells("connection") { return .connection }
            if name.spells("keep-alive") { return .keepAlive }
            if name.spells("set-cookie") { return .setCookie }
            if name.spells("user-agent") { return .userAgent }
        case 11:
            if name.spells("content-md5") { return .contentMD5 }
            if name.spells("repr-digest") { return .reprDigest }
        case 12:
            if name.spells("cache-groups") { return .cacheGroups }
            if name.spells("cache-status") { return .cacheStatus }
            if name.spells("content-type") { return .contentType }
        case 13:
            if name.spells("accept-ranges") { return .acceptRanges }
            if name.spells("authorization") { return .authorization }
            if name.spells("cache-control") { return .cacheControl }
            if name.spells("content-range") { return .contentRange }
            if name.spells("if-none-match") { return .ifNoneMatch }
            if name.spells("last-modified") { return .lastModified }
            if name.spells("surrogate-key") { return .surrogateKey }
        case 14:
            if name.spells("content-digest") { return .contentDigest }
            if name.spells("content-length") { return .contentLength }
            if name.spells("http2-settings") { return .http2Settings }
        case 15:
            if name.spells("accept-encoding") { return .acceptEncoding }
            if name.spells("accept-language") { return .acceptLanguage }
            if name.spells("x-forwarded-for") { return .xForwardedFor }
        case 16:
            if name.spells("content-encoding") { return .contentEncoding }
            if name.spells("content-location") { return .contentLocation }
            if name.spells("proxy-connection") { return .proxyConnection }
            if name.spells("www-authenticate") { return .wwwAuthenticate }
            if name.spells("x-forwarded-host") { return .xForwardedHost }
        default: break
        }
        return .other
    }

    private static func long(_ name: LongName) -> FieldName {
        switch name.count {
        case 17:
            if name.spells("cdn-cache-control") { return .cdnCacheControl }
            if name.spells("if-modified-since") { return .ifModifiedSince }
            if name.spells("surrogate-control") { return .surrogateControl }
            if name.spells("transfer-encoding") { return .transferEncoding }
            if name.spells("x-forwarded-proto") { return .xForwardedProto }
        case 18:
            if name.spells("proxy-authenticate") { return .proxyAuthenticate }
        case 19:
            if name.spells("if-unmodified-since") { return .ifUnmodifiedSince }
            if name.spells("proxy-authorization") { return .proxyAuthorization }
        case 20:
            if name.spells("larder-cache-control") { return .larderCacheControl }
        case 24:
            if name.spells("cache-group-invalidation") { return .cacheGroupInvalidation }
        case 25:
            if name.spells("proxy-authentication-info") { return .proxyAuthenticationInfo }
        default: break
        }
        return .other
    }
}

@inline(__always)
private var smallLetters: UInt64 { 0x2020_2020_2020_2020 }

extension StaticString {
    /// The word that `ShortName` holds for a name of this length (up to eight bytes).
    @inline(__always)
    fileprivate var nameWord: UInt64 {
        word(at: 0) &<< UInt64(truncatingIfNeeded: 64 &- utf8CodeUnitCount &* 8) | smallLetters
    }
}

/// A name of up to 16 bytes, in its spelling or in lower case: its first and its last word of eight bytes.
/// The words overlap if the name is shorter than 16 bytes. If it has at most eight bytes, both words are the
/// same, with the name in their highest bytes.
private struct ShortName {
    let first: UInt64
    let last: UInt64
    let count: UInt8

    @inline(__always)
    private init(first: UInt64, last: UInt64, count: UInt8) {
        self.first = first
        self.last = last
        self.count = count
    }

    /// A name inside a head. Nil if the name is longer than 16 bytes or near the end of the bytes.
    @inline(__always)
    init?(inside bytes: Span<UInt8>, from start: Int, count: Int) {
        guard count <= 16, start &+ 16 <= bytes.count else { return nil }
        (first, last) = bytes.ends(at: start, length: count)
        self.count = UInt8(truncatingIfNeeded: count)
    }

    @inline(__always)
    init(_ bytes: Span<UInt8>, from start: Int, count: Int) {
        if count <= 8 {
            let shift = UInt64(truncatingIfNeeded: 64 &- count &* 8)
            first = bytes.word(at: start, length: count) &<< shift
            last = first
        } else {
            first = bytes.word(at: start)
            last = bytes.word(at: start &+ count &- 8)
        }
        self.count = UInt8(truncatingIfNeeded: count)
    }

    @inline(__always)
    var lowercased: ShortName {
        ShortName(first: first | smallLetters, last: last | smallLetters, count: count)
    }

    /// Is this lower-case name equal to the literal? The caller has compared the lengths. `_slowPath` makes
    /// the compiler test all candidates by their last word first, and the first word only after a match.
    @inline(__always)
    func spells(_ lowercaseLiteral: StaticString) -> Bool {
        let length = lowercaseLiteral.utf8CodeUnitCount
        if length <= 8 { return last == lowercaseLiteral.nameWord }
        return _slowPath(last == lowercaseLiteral.word(at: length &- 8) | smallLetters)
            && first == lowercaseLiteral.word(at: 0) | smallLetters
    }
}

/// A name of 16 to 32 bytes: its first and its last 16 bytes, which overlap if it is shorter than 32.
private struct LongName {
    let count: Int
    let front: ShortName
    let back: ShortName

    @inline(__always)
    init(_ bytes: Span<UInt8>, from start: Int, count: Int) {
        self.count = count
        front = ShortName(bytes, from: start, count: 16).lowercased
        back = ShortName(bytes, from: start &+ count &- 16, count: 16).lowercased
    }

    /// Is this name equal to the literal? The caller has compared the lengths.
    @inline(__always)
    func spells(_ lowercaseLiteral: StaticString) -> Bool {
        let length = lowercaseLiteral.utf8CodeUnitCount
        return front.first == lowercaseLiteral.word(at: 0) | smallLetters
            && front.last == lowercaseLiteral.word(at: 8) | smallLetters
            && back.first == lowercaseLiteral.word(at: length &- 16) | smallLetters
            && back.last == lowercaseLiteral.word(at: length &- 8) | smallLetters
    }
}
