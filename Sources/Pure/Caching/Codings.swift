/// A set of content codings that Larder knows: the codings that a request accepts after normalisation (RFC
/// 9110 §12.5.3), or, with one member, the coding of a record.
///
/// The set ignores preferences between codings. It never contains a coding that the client does not accept:
/// an unknown or malformed weight counts as a refusal. Without Accept-Encoding the set is identity, marked
/// `unstated`: RFC 9110 §12.5.3 allows any coding for such a client, but few such clients decode.
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
    /// A mark beside identity: the request has no Accept-Encoding. It is not a coding.
    @inlinable public static var unstated: Codings { Codings(rawValue: 16) }

    /// The coding with this name, including `x-gzip` for gzip (RFC 9110 §8.4.1.3); nil for any other name.
    static func named(_ token: Span<UInt8>) -> Codings? {
        guard token.isToken, token.count <= 8 else { return nil }
        var word: UInt64 = 0
        for index in 0..<token.count { word = word << 8 | UInt64(token[index] | 0x20) }
        return named(word)
    }

    /// As `named(_:)`, for a token of at most 8 bytes, packed with the first byte highest and bit 5 set in
    /// each byte. Setting bit 5 turns capitals into small letters, and no other token byte into a letter.
    private static func named(_ word: UInt64) -> Codings? {
        switch word {
        case 0x6272: .br
        case 0x677a_6970: .gzip
        case 0x7a73_7464: .zstd
        case 0x782d_677a_6970: .gzip
        case 0x6964_656e_7469_7479: .identity
        default: nil
        }
    }

    /// The codings that the Accept-Encoding lines of a request accept. Empty if the client refuses identity
    /// and names no coding that Larder knows.
    @inlinable @inline(__always)
    public static func accepted(by fields: borrowing FieldTable, _ bytes: Span<UInt8>) -> Codings {
        fields.contains(.acceptEncoding) ? acceptedByLines(of: fields, bytes) : [.identity, .unstated]
    }

    @usableFromInline
    static func acceptedByLines(of fields: borrowing FieldTable, _ bytes: Span<UInt8>) -> Codings {
        var preference = Preference()
        for index in 0..<fields.count where fields[index].id == .acceptEncoding {
            preference.read(bytes.slice(fields[index].value))
        }
        return preference.accepted
    }

    private struct Preference {
        var listed: Codings = []
        var refused: Codings = []
        var wildcard: Bool?

        /// Reads the value of one line in one pass; every browser sends one with every request.
        mutating func read(_ value: Span<UInt8>) {
            var position = 0
            while position < value.count {
                var word: UInt64 = 0
                let start = position
                while position < value.count, ASCII.token.contains(value[position]) {
                    word = word << 8 | UInt64(value[position] | 0x20)
                    position &+= 1
                }
                let count = position &- start
                let isWildcard = count == 1 && value[start] == UInt8(ascii: "*")
                let parameters = position
                while position < value.count, value[position] != UInt8(ascii: ",") { position &+= 1 }
                if count > 0 {
                    let coding = count <= 8 ? Codings.named(word) : nil
                    if coding != nil || isWildcard {
                        note(coding, isWanted: Weight.isPositive(value.extracting(parameters..<position)))
                    }
                }
                position &+= 1
                while position < value.count, ASCII.isBlank(value[position]) { position &+= 1 }
            }
        }

        /// - Parameter coding: nil for the wildcard.
        private mutating func note(_ coding: Codings?, isWanted: Bool) {
            if let coding {
                if isWanted { listed.insert(coding) } else { refused.insert(coding) }
            } else {
                // A repeated wildcard permits only if each of them does.
                wildcard = (wildcard ?? true) && isWanted
            }
        }

        var accepted: Codings {
            var accepted = wildcard == true ? .all : listed
            // Identity is acceptable unless it is refused: by name, or by `*;q=0` without being listed.
            if wildcard != false { accepted.insert(.identity) }
            return accepted.subtracting(refused)
        }
    }

    /// The name of a single coding.
    public var name: StaticString {
        switch self {
        case .gzip: "gzip"
        case .br: "br"
        case .zstd: "zstd"
        default: "identity"
        }
    }

    /// The Accept-Encoding value of a fetch whose answer may be stored: one spelling for each set.
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
    /// Do the parameters of a list member permit it? They do if they are empty or a valid `;q=` above 0 (RFC
    /// 9110 §12.4.2). Other parameters and a malformed weight do not.
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
