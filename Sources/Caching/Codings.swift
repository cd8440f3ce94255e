/// The content codings Larder knows, as a set: what a request accepts after normalisation (RFC 9110 §12.5.3), or,
/// with one member, what a record is coded in.
///
/// Normalising to a set gives up preferences between codings. It never accepts what the client did not: an unknown or
/// malformed weight counts as refusal, and a missing Accept-Encoding as identity alone (RFC 9110 would let the origin
/// send any coding, but clients that say nothing seldom decode).
internal import Bytes
public import HTTP

public struct Codings: OptionSet, Sendable, BitwiseCopyable, Hashable {
    public let rawValue: UInt8

    @inlinable
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    @inlinable public static var identity: Codings { Codings(rawValue: 1) }
    @inlinable public static var gzip: Codings { Codings(rawValue: 2) }
    @inlinable public static var br: Codings { Codings(rawValue: 4) }
    @inlinable public static var zstd: Codings { Codings(rawValue: 8) }
    @inlinable public static var all: Codings { Codings(rawValue: 15) }

    /// The coding with this name, `x-gzip` for gzip included (RFC 9110 §8.4.1.3); nil for any other.
    static func named(_ token: Span<UInt8>) -> Codings? {
        switch token.count {
        case 2: token.equalsIgnoringCase("br") ? .br : nil
        case 4:
            if token.equalsIgnoringCase("gzip") { .gzip } else if token.equalsIgnoringCase("zstd") { .zstd } else { nil }
        case 6: token.equalsIgnoringCase("x-gzip") ? .gzip : nil
        case 8: token.equalsIgnoringCase("identity") ? .identity : nil
        default: nil
        }
    }

    /// What the Accept-Encoding lines of a request accept. Empty where the client refuses identity and names nothing
    /// that Larder knows.
    public static func accepted(by fields: borrowing FieldTable, _ bytes: Span<UInt8>) -> Codings {
        guard fields.contains(.acceptEncoding) else { return .identity }
        var accepted: Codings = []
        var refused: Codings = []
        var wildcard: Bool?
        for index in 0..<fields.count where fields[index].id == .acceptEncoding {
            let value = bytes.slice(fields[index].value)
            var position = 0
            while let member = nextMember(of: value, from: &position) {
                let text = value.extracting(member)
                let nameEnd = text.tokenEnd
                let wanted = Weight.isPositive(text.extracting(droppingFirst: nameEnd))
                if nameEnd == 1, text[0] == UInt8(ascii: "*") {
                    // A repeated wildcard permits only if all of them do.
                    wildcard = (wildcard ?? true) && wanted
                } else if let coding = named(text.extracting(first: nameEnd)) {
                    if wanted { accepted.insert(coding) } else { refused.insert(coding) }
                }
            }
        }
        if wildcard == true {
            accepted = .all
        } else if wildcard == false {
            // `*;q=0` refuses identity too, unless it is listed.
            if !accepted.contains(.identity) { refused.insert(.identity) }
        }
        if !refused.contains(.identity) { accepted.insert(.identity) }
        return accepted.subtracting(refused)
    }

    /// The Accept-Encoding that a fetch which may be stored carries: one spelling for each set.
    public var fieldValue: StaticString {
        let stated: StaticString
        switch rawValue & 15 {
        case 0: stated = "identity;q=0"
        case 1: stated = "identity"
        case 2: stated = "gzip, identity;q=0"
        case 3: stated = "gzip"
        case 4: stated = "br, identity;q=0"
        case 5: stated = "br"
        case 6: stated = "gzip, br, identity;q=0"
        case 7: stated = "gzip, br"
        case 8: stated = "zstd, identity;q=0"
        case 9: stated = "zstd"
        case 10: stated = "gzip, zstd, identity;q=0"
        case 11: stated = "gzip, zstd"
        case 12: stated = "br, zstd, identity;q=0"
        case 13: stated = "br, zstd"
        case 14: stated = "gzip, br, zstd, identity;q=0"
        default: stated = "gzip, br, zstd"
        }
        return stated
    }
}

enum Weight {
    /// Does what follows a list member's token permit it: nothing, or a valid `;q=` above 0 (RFC 9110 §12.4.2)?
    /// Other parameters, or a malformed weight, do not.
    static func isPositive(_ parameters: Span<UInt8>) -> Bool {
        let text = parameters.trimmed()
        guard text.count > 0 else { return true }
        guard text[0] == UInt8(ascii: ";") else { return false }
        let weight = text.extracting(droppingFirst: 1).trimmed()
        guard weight.count >= 3, weight[0] | 0x20 == UInt8(ascii: "q"), weight[1] == UInt8(ascii: "=") else {
            return false
        }
        let whole = weight[2]
        guard whole == UInt8(ascii: "0") || whole == UInt8(ascii: "1") else { return false }
        guard weight.count > 3 else { return whole == UInt8(ascii: "1") }
        guard weight[3] == UInt8(ascii: "."), weight.count <= 7 else { return false }
        var isZero = true
        for index in 4..<weight.count {
            guard ASCII.isDigit(weight[index]) else { return false }
            if weight[index] != UInt8(ascii: "0") { isZero = false }
        }
        return whole == UInt8(ascii: "1") ? isZero : !isZero
    }
}
