/// A stored entry that an exchange may renew, or fall back on, and what becomes of the two.
public import Caching

public struct Renewal: BitwiseCopyable, Equatable, Sendable {
    /// Names the stored original.
    public let serial: UInt64
    /// The fetch is sent with the entry's validators.
    public private(set) var isConditional: Bool
    /// The entry may answer where the origin fails.
    public let mayIfError: Bool
    /// A 304 was of no use before, so the fetch runs without conditions, and what is stored in place of the
    /// entry says so too (`EntryFacts.Flags.fetchedWhole`).
    public let isFetchedWhole: Bool

    public init(serial: UInt64, isConditional: Bool, mayIfError: Bool, isFetchedWhole: Bool) {
        self.serial = serial
        self.isConditional = isConditional
        self.mayIfError = mayIfError
        self.isFetchedWhole = isFetchedWhole
    }

    /// The fetch runs without conditions: its response replaces the entry, or the entry answers for an error.
    public mutating func dropConditions() { isConditional = false }

    /// A request whose response cannot renew an entry may still get the entry in place of an error.
    public mutating func limit(to request: RequestVerdict) {
        if !request.mayRevalidate { dropConditions() }
    }

    /// Another exchange has renewed the entry since this one asked for it. The renewal of the newer record;
    /// nil where the 304 says nothing about that.
    ///
    /// - Parameters:
    ///   - serial: of the newer record.
    ///   - isPurged: something of the key was purged since the request was sent.
    ///   - hasSameValidators: the newer record's validators are the conditions that were sent.
    public func following(serial: UInt64, isPurged: Bool, hasSameValidators: Bool) -> Renewal? {
        guard !isPurged, hasSameValidators, serial != self.serial else { return nil }
        return Renewal(
            serial: serial, isConditional: true, mayIfError: mayIfError, isFetchedWhole: isFetchedWhole)
    }
}

/// What a 304 to the conditions of a renewal has come to (RFC 9111 §4.3.4).
public enum Validation: Equatable, Sendable, BitwiseCopyable {
    /// The entry is renewed: it answers.
    case renewed
    /// The entry is gone, or its renewal could not be written: the whole is fetched.
    case gone
    /// The 304 speaks of something else, or does not say of what: the whole is fetched.
    case mismatch
    /// The rules refuse the updated head: it answers this client alone.
    case refused(Reason, ageSeconds: UInt32)

    /// Is what is fetched from now on stored as to be fetched whole? A 304 would not match the next time
    /// either: that costs a second fetch once, and not each time.
    public var marksFetchedWhole: Bool { self == .mismatch }
}
