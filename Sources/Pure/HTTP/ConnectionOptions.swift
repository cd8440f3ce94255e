/// The options in the `Connection` lines of a message (RFC 9110 §7.6.1).
///
/// Options that HTTP itself defines are flags. `other` means that the lines nominate some other field, or
/// that the list is malformed; the caching rules then bypass the store. The parser finds the nominated lines
/// of the head once. The time grows with the bytes of the head, not with the product of fields and members.
import Bytes

public struct ConnectionOptions: BitwiseCopyable, Sendable {
    /// The kinds of members.
    @usableFromInline
    enum Option: UInt8 {
        case close, keepAlive, upgrade, te, http2Settings, other
    }

    // One bit for each option that is present.
    @usableFromInline var named: UInt8 = 0
    // One bit for each line of the head that a member nominates.
    @usableFromInline var nominatedLines = LineSet()

    @inlinable public var close: Bool { names(.close) }
    @inlinable public var keepAlive: Bool { names(.keepAlive) }
    @inlinable public var upgrade: Bool { names(.upgrade) }
    @inlinable public var te: Bool { names(.te) }
    @inlinable public var http2Settings: Bool { names(.http2Settings) }
    /// The list contains another member, or a member that is not a token.
    @inlinable public var other: Bool { names(.other) }

    @inlinable
    public init() {}

    /// The union of all `Connection` lines of a head.
    @inline(__always)
    public init(_ fields: borrowing FieldTable, _ bytes: Span<UInt8>) {
        guard let line = fields.first(.connection) else { return }
        // The most common value by far. It needs no list parsing.
        let isOne = !fields.isRepeated(.connection)
        if isOne, bytes.slice(line.value).equalsIgnoringCase("keep-alive") {
            note(.keepAlive)
        } else {
            noteAll(fields, bytes)
            // The other known options nominate only fields that are hop-by-hop anyway.
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

    /// Does the sender allow the connection to persist (RFC 9112 §9.3)?
    public func keepsAlive(minorVersion: UInt8) -> Bool { !close && (minorVersion >= 1 || keepAlive) }

    /// Do the `Connection` lines nominate any line of the head?
    @inlinable public var nominatesAny: Bool { !nominatedLines.isEmpty }

    /// Do the `Connection` lines nominate the field of this line? Then it must not be forwarded.
    @inlinable
    public func nominates(line: Int) -> Bool { nominatedLines.contains(line) }
}

/// Fields that concern one connection only. They are never stored or forwarded, even if `Connection` does not
/// nominate them.
public enum HopByHop {
    @inlinable public static var fields: FieldSet {
        FieldSet(.connection).with(.keepAlive).with(.proxyConnection).with(.te).with(.trailer)
            .with(.transferEncoding).with(.upgrade).with(.proxyAuthenticate).with(.proxyAuthorization)
            .with(.proxyAuthenticationInfo)
    }

    @inlinable
    public static func contains(_ name: FieldName) -> Bool { fields.contains(name) }
}
