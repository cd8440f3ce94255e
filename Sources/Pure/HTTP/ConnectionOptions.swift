/// What a message's `Connection` lines say (RFC 9110 §7.6.1).
///
/// Options that HTTP itself knows are flags; `other` tells that some further field is nominated (or that the
/// list is malformed), which the caching rules take as a reason to keep out. Which lines of the head are
/// nominated is found once, when the head is parsed, in a time that grows with the bytes of the head and not
/// with the product of fields and members.
import Bytes

public struct ConnectionOptions: BitwiseCopyable, Sendable {
    /// What a member of the list may be.
    @usableFromInline
    enum Option: UInt8 {
        case close, keepAlive, upgrade, te, http2Settings, other
    }

    // A bit for each option that is named.
    @usableFromInline var named: UInt8 = 0
    // A bit for each line of the head whose name is a member.
    @usableFromInline var nominatedLines = LineSet()

    @inlinable public var close: Bool { names(.close) }
    @inlinable public var keepAlive: Bool { names(.keepAlive) }
    @inlinable public var upgrade: Bool { names(.upgrade) }
    @inlinable public var te: Bool { names(.te) }
    @inlinable public var http2Settings: Bool { names(.http2Settings) }
    /// Something else is named, or a member is no token.
    @inlinable public var other: Bool { names(.other) }

    @inlinable
    public init() {}

    /// The union of all `Connection` lines of a head.
    @inline(__always)
    public init(_ fields: borrowing FieldTable, _ bytes: Span<UInt8>) {
        guard let line = fields.first(.connection) else { return }
        // By far the most common value; no list to take apart.
        let isOne = !fields.isRepeated(.connection)
        if isOne, bytes.slice(line.value).equalsIgnoringCase("keep-alive") {
            note(.keepAlive)
        } else {
            noteAll(fields, bytes)
            // All that the others name is hop-by-hop by itself.
            if other || http2Settings { nominate(fields, bytes) }
        }
    }

    private mutating func nominate(_ fields: borrowing FieldTable, _ bytes: Span<UInt8>) {
        let names = SortedNames(fields, bytes)
        for index in fields.range(of: .connection) where fields[index].id == .connection {
            let value = bytes.slice(fields[index].value)
            var members = ListTokens(value)
            while let member = members.next() {
                names.insertLines(named: value.extracting(member), fields, bytes, into: &nominatedLines)
            }
        }
    }

    private mutating func noteAll(_ fields: borrowing FieldTable, _ bytes: Span<UInt8>) {
        for index in fields.range(of: .connection) where fields[index].id == .connection {
            let value = bytes.slice(fields[index].value)
            var members = ListTokens(value)
            while let member = members.next() { note(Self.option(value.extracting(member))) }
        }
    }

    @inlinable @inline(__always)
    func names(_ option: Option) -> Bool { named & (1 &<< option.rawValue) != 0 }

    private mutating func note(_ option: Option) { named |= 1 &<< option.rawValue }

    @usableFromInline
    static func option(_ text: Span<UInt8>) -> Option {
        switch text.count {
        case 2 where text.equalsIgnoringCase("te"): .te
        case 5 where text.equalsIgnoringCase("close"): .close
        case 7 where text.equalsIgnoringCase("upgrade"): .upgrade
        case 10 where text.equalsIgnoringCase("keep-alive"): .keepAlive
        case 14 where text.equalsIgnoringCase("http2-settings"): .http2Settings
        default: .other
        }
    }

    /// Does the connection persist, as far as the sender says (RFC 9112 §9.3)?
    public func keepsAlive(minorVersion: UInt8) -> Bool { !close && (minorVersion >= 1 || keepAlive) }

    /// Is there a line that must not be forwarded because it is named?
    @inlinable public var nominatesAny: Bool { !nominatedLines.isEmpty }

    /// Do the `Connection` lines of the head name the field of this line, so that it must not be forwarded?
    @inlinable
    public func nominates(line: Int) -> Bool { nominatedLines.contains(line) }
}

/// Fields that concern one connection only and are neither stored nor forwarded, whether `Connection` names
/// them or not.
public enum HopByHop {
    @inlinable public static var fields: FieldSet {
        FieldSet(.connection).with(.keepAlive).with(.proxyConnection).with(.te).with(.trailer)
            .with(.transferEncoding).with(.upgrade).with(.proxyAuthenticate).with(.proxyAuthorization)
            .with(.proxyAuthenticationInfo)
    }

    @inlinable
    public static func contains(_ name: FieldName) -> Bool { fields.contains(name) }
}
