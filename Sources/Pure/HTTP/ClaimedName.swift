/// Which request fields claim what only a proxy or the server can know: the one table.
///
/// Frameworks and servers read the client's address, the host, the scheme, the URL, the method or the user
/// out of fields that a proxy is meant to set. Another sender could have an answer stored that the key does
/// not stand for, or pass for somebody else. What becomes of each class:
///
/// | class | from an untrusted client | from a trusted proxy |
/// |---|---|---|
/// | `claimsClient`: who connects | dropped, costs no hit | sent on |
/// | `claimsSite`: host, scheme, port, server | dropped, costs no hit | sent on where nothing is stored |
/// | `claimsUser`: who is logged in | dropped, costs no hit | sent on, bypasses the store |
/// | `rewritesURL`: path, prefix, script name | dropped, bypasses the store | sent on, bypasses the store |
/// | `overridesMethod` | sent on, bypasses the store | the same |
/// | `twin`: a well-known name in an odd spelling | dropped, costs no hit | the same |
///
/// An override of the method is sent on, because honest clients send one with POST.
///
/// Names are compared in their *normal form*: small letters, digits, and `-` for all other bytes. Servers
/// that hand fields on as CGI variables make `_` of these bytes (RFC 3875 §4.1.18; some of `-` alone, some of
/// every byte that is no letter or digit), so that names with one normal form are one field to them. An odd
/// spelling is a name with such a byte in it that is no `-`. The rows are in `ClaimTable`.
import Bytes

extension FieldSet {
    /// What an untrusted client's request is handled without.
    @inlinable @inline(__always)
    public static var claims: FieldSet {
        FieldSet(.claimsClient).with(.claimsSite).with(.claimsUser).with(.rewritesURL)
    }
}

extension FieldName {
    /// Is this byte of a name one of its odd ones: no letter, digit or hyphen?
    @inline(__always)
    static func isOdd(_ byte: UInt8) -> Bool {
        !ASCII.isLetter(byte) && !ASCII.isDigit(byte) && byte != UInt8(ascii: "-")
    }

    static func isOdd(_ name: Span<UInt8>) -> Bool {
        for index in 0..<name.count where isOdd(name[index]) { return true }
        return false
    }

    /// Are these two names the same field to a server that makes CGI variables of names?
    public static func areTwins(_ name: Span<UInt8>, _ other: Span<UInt8>) -> Bool {
        guard name.count == other.count else { return false }
        for index in 0..<name.count where normal(name[index]) != normal(other[index]) { return false }
        return true
    }

    @inline(__always)
    private static func normal(_ byte: UInt8) -> UInt8 {
        isOdd(byte) ? UInt8(ascii: "-") : ASCII.lowercased(byte)
    }

    /// What a name that is none of the well-known ones is: a claim, a twin of one of those, or `.other`.
    @inline(never)
    static func unknown(_ name: Span<UInt8>, mayBeOdd: Bool) -> FieldName {
        guard mayBeOdd, isOdd(name) else { return claim(name) }
        // Longer names are judged by their front.
        var normal = InlineArray<64, UInt8>(repeating: 0)
        let count = min(name.count, 64)
        for index in 0..<count { normal[index] = Self.normal(name[index]) }
        let spelt = normal.span.extracting(first: count)
        return identify(spelt, from: 0, count: count) == .other ? claim(spelt) : .twin
    }

    /// The class of a name in its normal form, but for the case of its letters.
    private static func claim(_ name: Span<UInt8>) -> FieldName {
        // Browsers send many of these, and none is a claim.
        guard name.count > 2, !name.begins("sec-") else { return .other }
        if name.begins("x-") {
            let found = ClaimTable.vendor(name.extracting(droppingFirst: 2))
            if found != .other { return found }
        } else if name.begins("http-") {
            // The name of a CGI variable as the name of a field.
            let found = claim(name.extracting(droppingFirst: 5))
            return found == .other ? ClaimTable.serverVariable(name) : found
        } else {
            let found = ClaimTable.standing(name)
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

    /// Its first letter, in lower case; 0 of nothing.
    @inline(__always)
    var letter: UInt8 { isEmpty ? 0 : self[0] | 0x20 }
}
