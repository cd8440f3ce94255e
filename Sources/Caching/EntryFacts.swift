/// What an entry was judged to be when it was stored: all that serving it needs besides the head's bytes.
///
/// Packed into the store's five opaque words:
///
///     0  received, wall clock ms (48 bits) · status (16)
///     1  received, boot clock ms (48 bits) · flags (16)
///     2  age at receipt, ms (48 bits) · coding (8) · 0
///     3  fresh for so many ms from receipt (48 bits) · 0   spare: stale windows of RFC 5861
///     4  fingerprint of the rules (32 bits) · 0
///
/// Shared memory is untrusted: any five words unpack to some facts, and the arithmetic on them cannot trap.

public struct EntryFacts: BitwiseCopyable, Sendable, Equatable {
    public struct Flags: OptionSet, BitwiseCopyable, Sendable {
        public let rawValue: UInt16

        @inlinable
        public init(rawValue: UInt16) { self.rawValue = rawValue }

        /// May answer a request with a Cookie: `public`, `s-maxage`, or stored under `cookies: strip`.
        @inlinable public static var answersCookies: Flags { Flags(rawValue: 1) }
        /// May answer a request with Authorization: `public`, `s-maxage` or `must-revalidate` (RFC 9111
        /// §3.5).
        @inlinable public static var answersAuthorized: Flags { Flags(rawValue: 2) }
        /// `must-revalidate`, `proxy-revalidate` or `s-maxage`: never served stale, whatever else is said.
        @inlinable public static var mustRevalidate: Flags { Flags(rawValue: 4) }
        @inlinable public static var hasEntityTag: Flags { Flags(rawValue: 8) }
        @inlinable public static var hasLastModified: Flags { Flags(rawValue: 16) }
        /// Vary names fields whose values select, so the record has a Vary blob.
        @inlinable public static var varies: Flags { Flags(rawValue: 32) }
        /// In identity, and its policy would have it compressed.
        @inlinable public static var compressible: Flags { Flags(rawValue: 64) }
    }

    public var received: Times
    /// `corrected_initial_age` of RFC 9111 §4.2.3.
    public var initialAgeMilliseconds: UInt64
    /// From receipt on: min(lifetime − initial age, the policy's cap).
    public var freshForMilliseconds: UInt64
    public var status: UInt16
    /// Exactly one member.
    public var coding: Codings
    public var flags: Flags
    public var fingerprint: UInt32

    @inlinable
    public init(
        received: Times, initialAgeMilliseconds: UInt64, freshForMilliseconds: UInt64, status: UInt16,
        coding: Codings, flags: Flags, fingerprint: UInt32
    ) {
        self.received = received
        self.initialAgeMilliseconds = initialAgeMilliseconds
        self.freshForMilliseconds = freshForMilliseconds
        self.status = status
        self.coding = coding
        self.flags = flags
        self.fingerprint = fingerprint
    }

    @usableFromInline static var mask48: UInt64 { 0xffff_ffff_ffff }

    @inlinable
    public func pack() -> InlineArray<5, UInt64> {
        // Saturating: a time that does not fit 48 bits (8 900 years) would otherwise come back as an early
        // one.
        let mask = Self.mask48
        return [
            min(received.wallMilliseconds, mask) | UInt64(status) << 48,
            min(received.bootMilliseconds, mask) | UInt64(flags.rawValue) << 48,
            min(initialAgeMilliseconds, mask) | UInt64(coding.rawValue) << 48,
            min(freshForMilliseconds, mask),
            UInt64(fingerprint),
        ]
    }

    @inlinable
    public init(unpacking words: InlineArray<5, UInt64>) {
        let mask = Self.mask48
        received = Times(wallMilliseconds: words[0] & mask, bootMilliseconds: words[1] & mask)
        initialAgeMilliseconds = words[2] & mask
        freshForMilliseconds = words[3] & mask
        status = UInt16(truncatingIfNeeded: words[0] >> 48)
        flags = Flags(rawValue: UInt16(truncatingIfNeeded: words[1] >> 48))
        coding = Codings(rawValue: UInt8(truncatingIfNeeded: words[2] >> 48))
        fingerprint = UInt32(truncatingIfNeeded: words[4])
    }
}
