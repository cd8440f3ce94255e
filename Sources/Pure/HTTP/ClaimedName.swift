/// Request fields that claim facts which only a proxy or the server can know.
///
/// Frameworks and servers read the client's address, the host, the scheme, the URL, the method or the user
/// from fields that a proxy is meant to set. If a client sends such a field, the origin's answer may not
/// match the cache key, or the client may pass for another user. What happens to each class:
///
/// | class | from an untrusted client | from a trusted proxy |
/// |---|---|---|
/// | `claimsClient`: the client's address | dropped; the store may answer | forwarded |
/// | `claimsSite`: host, scheme, port, server | dropped; the store may answer | forwarded if nothing is
/// stored |
/// | `claimsUser`: the logged-in user | dropped; the store may answer | forwarded, bypasses the store |
/// | `rewritesURL`: path, prefix, script name | dropped, bypasses the store | forwarded, bypasses the store |
/// | `overridesMethod` | forwarded, bypasses the store | the same |
/// | `oddSpelling`: a well-known name in an odd spelling | dropped; the store may answer | the same |
///
/// A method override is forwarded even for an untrusted client, because honest clients send it with POST.
///
/// Names are compared in their *normal form*: lower-case letters, digits, and `-` for every other byte.
/// Servers that pass fields on as CGI variables turn other bytes into `_` (RFC 3875 §4.1.18): some only `-`,
/// some every byte that is no letter or digit. So all names with the same normal form may be the same field
/// to a server. An *odd* spelling contains such a byte other than `-`. The names are listed in `ClaimTable`.
/// spelling is a name with such a byte in it that is no `-`. The rows are in `ClaimTable`.
import Bytes

extension FieldSet {
    /// The claims that are ignored and dropped if the client is not trusted.
    @inlinable @inline(__always)
    public static var claims: FieldSet {
        FieldSet(.claimsClient).with(.claimsSite).with(.claimsUser).with(.rewritesURL)
    }
}

extension FieldName {
    /// Is this an odd byte in a name: no letter, digit or hyphen?
    @inline(__always)
    static func isOdd(_ byte: UInt8) -> Bool {
        !ASCII.isLetter(byte) && !ASCII.isDigit(byte) && byte != UInt8(ascii: "-")
    }

    static func isOdd(_ name: Span<UInt8>) -> Bool {
        for index in 0..<name.count where isOdd(name[index]) { return true }
        return false
    }

    /// Do these two names become the same CGI variable?
    public static func areSameCGIVariable(_ name: Span<UInt8>, _ other: Span<UInt8>) -> Bool {
        guard name.count == other.count else { return false }
        for index in 0..<name.count where normal(name[index]) != normal(other[index]) { return false }
        return true
    }

    @inline(__always)
    private static func normal(_ byte: UInt8) -> UInt8 {
        isOdd(byte) ? UInt8(ascii: "-") : ASCII.lowercased(byte)
    }

    /// The class of a name that is not well known: a claim, an odd spelling of a well-known name, or
    /// `.other`.
    @inline(never)
    static func unknown(_ name: Span<UInt8>, mayBeOdd: Bool) -> FieldName {
        guard mayBeOdd, isOdd(name) else { return claim(name) }
        // Only the first 64 bytes of a longer name are classified.
        var normal = InlineArray<64, UInt8>(repeating: 0)
        let count = min(name.count, 64)
        for index in 0..<count { normal[index] = Self.normal(name[index]) }
        let spelt = normal.span.extracting(first: count)
        return identify(spelt, from: 0, count: count) == .other ? claim(spelt) : .oddSpelling
    }

    /// The class of a name in its normal form; the case of its letters is ignored.
    private static func claim(_ name: Span<UInt8>) -> FieldName {
        // Browsers send many `Sec-` fields, and none is a claim.
        guard name.count > 2, !name.begins("sec-") else { return .other }
        if name.begins("x-") {
            let found = ClaimTable.vendor(name.extracting(droppingFirst: 2))
            if found != .other { return found }
        } else if name.begins("http-") {
            // The name of a CGI variable, used as the name of a field.
            let found = claim(name.extracting(droppingFirst: 5))
            return found == .other ? ClaimTable.serverVariable(name) : found
        } else {
            let found = ClaimTable.unprefixed(name)
            if found != .other { return found }
        }
        return ClaimTable.byEnd(name)
    }
}

extension Span<UInt8> {
    @inline(never)
    func begins(_ lowercaseLiteral: StaticString) -> Bool {
        let length = lowercaseLiteral.utf8CodeUnitCount
        return count >= length && extracting(first: length).equalsIgnoringCase(lowercaseLiteral)
    }

    @inline(never)
    func ends(_ lowercaseLiteral: StaticString) -> Bool {
        let length = lowercaseLiteral.utf8CodeUnitCount
        return count >= length
            && extracting(droppingFirst: count &- length).equalsIgnoringCase(lowercaseLiteral)
    }

    @inline(never)
    func spells(_ lowercaseLiteral: StaticString) -> Bool {
        count == lowercaseLiteral.utf8CodeUnitCount && equalsIgnoringCase(lowercaseLiteral)
    }

    /// The first letter in lower case; 0 if the text is empty.
    @inline(__always)
    var letter: UInt8 { isEmpty ? 0 : self[0] | 0x20 }
}
