/// The facts about an entry that were judged when it was stored. With the bytes of the head and the body,
/// they are all that serving the entry needs.
///
/// The store holds them as five opaque words:
///
///     0  received, wall clock ms (48 bits) · status (16)
///     1  received, boot clock ms (48 bits) · flags (16)
///     2  age at receipt, ms (48 bits) · coding (8) · 0
///     3  fresh for this many ms from receipt (40 bits) · stale-while-revalidate, s (24)
///     4  fingerprint of the rules (32 bits) · stale-if-error, s (24) · 0
///
/// A value that is too large is reduced to the maximum: 34 years of freshness, 194 days of a stale window.
///
/// Shared memory is untrusted: any five words unpack to some facts, and no arithmetic on them traps.

public struct EntryFacts: BitwiseCopyable, Sendable, Equatable {
    public struct Flags: OptionSet, BitwiseCopyable, Sendable {
        public let rawValue: UInt16

        @inlinable
        public init(rawValue: UInt16) { self.rawValue = rawValue }

        /// No flag. (`[]` would count references to an empty array.)
        static var none: Flags { Flags(rawValue: 0) }
        /// May answer a request with a Cookie: `public`, `s-maxage`, or stored under `cookies: strip`.
        @inlinable public static var answersCookies: Flags { Flags(rawValue: 1) }
        /// May answer a request with Authorization: `public`, `s-maxage` or `must-revalidate` (RFC 9111
        /// §3.5).
        @inlinable public static var answersAuthorized: Flags { Flags(rawValue: 2) }
        /// `must-revalidate`, `proxy-revalidate`, `s-maxage` or `no-cache`: never served stale (RFC 9111
        /// §4.2.4).
        @inlinable public static var mustRevalidate: Flags { Flags(rawValue: 4) }
        /// It has a valid ETag.
        @inlinable public static var hasEntityTag: Flags { Flags(rawValue: 8) }
        /// It has a valid Last-Modified.
        @inlinable public static var hasLastModified: Flags { Flags(rawValue: 16) }
        /// Vary selects by field values, so the record has a Vary blob.
        @inlinable public static var varies: Flags { Flags(rawValue: 32) }
        /// It is in identity, and its policy lets it be compressed.
        @inlinable public static var compressible: Flags { Flags(rawValue: 64) }
        /// It has `no-cache` and is kept under `noCache: revalidate`: never fresh.
        @inlinable public static var alwaysRevalidate: Flags { Flags(rawValue: 128) }
        /// While it is fresh, a client's `max-age` does not cause a revalidation (RFC 8246 §2).
        @inlinable public static var immutable: Flags { Flags(rawValue: 256) }
        /// The origin's 304 did not match the entry before, so a condition would cost a second fetch: fetch
        /// it whole.
        @inlinable public static var fetchedWhole: Flags { Flags(rawValue: 512) }
        /// It is in gzip, which Larder undoes for clients that exclude gzip (`CodedAnswer`).
        @inlinable public static var undoable: Flags { Flags(rawValue: 1024) }
        /// The origin codes it for every client (`CodedAnswer`).
        @inlinable public static var codedForAll: Flags { Flags(rawValue: 2048) }
        /// Its coding suits clients without Accept-Encoding (`CodedAnswer`).
        @inlinable public static var codedForUnstated: Flags { Flags(rawValue: 4096) }
    }

    // Kept packed: most uses need two or three of the ten parts.
    @usableFromInline var word0: UInt64
    @usableFromInline var word1: UInt64
    @usableFromInline var word2: UInt64
    @usableFromInline var word3: UInt64
    @usableFromInline var word4: UInt64

    @inlinable
    public var received: Times {
        get { Times(wallMilliseconds: word0 & Self.mask48, bootMilliseconds: word1 & Self.mask48) }
        set {
            // Saturate: a time above 48 bits (8 900 years) would otherwise be read back as an early time.
            word0 = word0 & ~Self.mask48 | min(newValue.wallMilliseconds, Self.mask48)
            word1 = word1 & ~Self.mask48 | min(newValue.bootMilliseconds, Self.mask48)
        }
    }
    /// `corrected_initial_age` of RFC 9111 §4.2.3.
    @inlinable
    public var initialAgeMilliseconds: UInt64 {
        get { word2 & Self.mask48 }
        set { word2 = word2 & ~Self.mask48 | min(newValue, Self.mask48) }
    }
    /// From receipt on: min(lifetime − initial age, the policy's cap).
    @inlinable
    public var freshForMilliseconds: UInt64 {
        get { word3 & Self.mask40 }
        set { word3 = word3 & ~Self.mask40 | min(newValue, Self.mask40) }
    }
    @inlinable
    public var status: UInt16 {
        get { UInt16(truncatingIfNeeded: word0 >> 48) }
        set { word0 = word0 & Self.mask48 | UInt64(newValue) << 48 }
    }
    /// Exactly one member.
    @inlinable
    public var coding: Codings {
        get { Codings(rawValue: UInt8(truncatingIfNeeded: word2 >> 48)) }
        set { word2 = word2 & Self.mask48 | UInt64(newValue.rawValue) << 48 }
    }
    @inlinable
    public var flags: Flags {
        get { Flags(rawValue: UInt16(truncatingIfNeeded: word1 >> 48)) }
        set { word1 = word1 & Self.mask48 | UInt64(newValue.rawValue) << 48 }
    }
    @inlinable
    public var fingerprint: UInt32 {
        get { UInt32(truncatingIfNeeded: word4) }
        set { word4 = word4 & ~0xffff_ffff | UInt64(newValue) }
    }
    /// Counted from the end of freshness (RFC 5861 §3); 0 if it must not be served stale.
    @inlinable
    public var staleWhileRevalidateSeconds: UInt32 {
        get { UInt32(truncatingIfNeeded: word3 >> 40) }
        set { word3 = word3 & Self.mask40 | min(UInt64(newValue), Self.mask24) << 40 }
    }
    /// Counted from the end of freshness (RFC 5861 §4); 0 if it must not be served stale.
    @inlinable
    public var staleIfErrorSeconds: UInt32 {
        get { UInt32(truncatingIfNeeded: word4 >> 32 & Self.mask24) }
        set { word4 = word4 & 0xffff_ffff | min(UInt64(newValue), Self.mask24) << 32 }
    }

    @inlinable
    public init(
        received: Times, initialAgeMilliseconds: UInt64, freshForMilliseconds: UInt64, status: UInt16,
        coding: Codings, flags: Flags, fingerprint: UInt32, staleWhileRevalidateSeconds: UInt32 = 0,
        staleIfErrorSeconds: UInt32 = 0
    ) {
        self.init(unpacking: [0, 0, 0, 0, 0])
        self.received = received
        self.initialAgeMilliseconds = initialAgeMilliseconds
        self.freshForMilliseconds = freshForMilliseconds
        self.status = status
        self.coding = coding
        self.flags = flags
        self.fingerprint = fingerprint
        self.staleWhileRevalidateSeconds = staleWhileRevalidateSeconds
        self.staleIfErrorSeconds = staleIfErrorSeconds
    }

    /// Can a conditional request ask the origin whether the entry is still valid? Only for 2xx: preconditions
    /// do not apply to other answers (RFC 9110 §13.2.1).
    @inlinable public var hasValidator: Bool {
        200..<300 ~= status && !flags.contains(.fetchedWhole)
            && !flags.isDisjoint(with: [.hasEntityTag, .hasLastModified])
    }

    /// Can a request that waits for this entry be answered with it? If not, each must ask the origin itself
    /// (RFC 9111 §5.2.2.4), and waiting only delays them.
    @inlinable public var isWorthWaitingFor: Bool {
        freshForMilliseconds > 0 && !flags.contains(.alwaysRevalidate)
    }

    /// How many seconds from receipt the entry is worth its memory: while it is fresh, may be served stale,
    /// or may save a transfer of the body by revalidation.
    @inlinable public var keptSeconds: UInt64 {
        let revalidated: UInt32 = hasValidator ? Self.revalidatedSeconds : 0
        return (freshForMilliseconds &+ 999) / 1000
            &+ UInt64(max(revalidated, staleWhileRevalidateSeconds, staleIfErrorSeconds))
    }

    /// The time, in Unix seconds, from which on the entry is not worth its memory.
    @inlinable public var expirySeconds: UInt32 {
        UInt32(clamping: received.wallMilliseconds / 1000 &+ keptSeconds)
    }

    /// Seconds for which the entry is still fresh, rounded down; negative for a stale one (the `ttl` of
    /// RFC 9211 §2.4).
    public func timeToLive(_ now: Times) -> Int64 {
        let residence = Int64(clamping: now.milliseconds(since: received))
        let left = Int64(clamping: freshForMilliseconds) &- residence
        return left >= 0 ? left / 1000 : -((999 &- left) / 1000)
    }

    /// For a client that requests something once an hour, a 304 saves the body.
    @usableFromInline static var revalidatedSeconds: UInt32 { 3600 }
    @usableFromInline static var mask48: UInt64 { 0xffff_ffff_ffff }
    @usableFromInline static var mask40: UInt64 { 0xff_ffff_ffff }
    @usableFromInline static var mask24: UInt64 { 0xff_ffff }

    @inlinable @inline(__always)
    public func pack() -> InlineArray<5, UInt64> { [word0, word1, word2, word3, word4] }

    @inlinable @inline(__always)
    public init(unpacking words: InlineArray<5, UInt64>) {
        word0 = words[0]
        word1 = words[1]
        word2 = words[2]
        word3 = words[3]
        word4 = words[4]
    }
}
