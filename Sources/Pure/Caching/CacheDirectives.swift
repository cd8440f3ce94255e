/// The cache directives of an answer: from Cache-Control, or from the targeted field that replaces it (RFC
/// 9213).

internal import Bytes
internal import HTTP
internal import Settings

struct CacheDirectives: BitwiseCopyable {
    struct Flags: OptionSet, BitwiseCopyable {
        let rawValue: UInt16
        static var noStore: Flags { Flags(rawValue: 1) }
        /// With or without field names.
        static var `private`: Flags { Flags(rawValue: 2) }
        /// With or without field names.
        static var noCache: Flags { Flags(rawValue: 4) }
        static var `public`: Flags { Flags(rawValue: 8) }
        /// `must-revalidate` without an argument (RFC 9111 §3.5 also takes it as a permission).
        static var mustRevalidate: Flags { Flags(rawValue: 16) }
        /// `must-revalidate` or `proxy-revalidate`, with or without an argument.
        static var revalidate: Flags { Flags(rawValue: 32) }
        /// `must-understand`, with or without an argument.
        static var mustUnderstand: Flags { Flags(rawValue: 64) }
        /// `must-understand` without an argument. It may lift `no-store` (RFC 9111 §5.2.2.3).
        static var liftsNoStore: Flags { Flags(rawValue: 128) }
        /// RFC 8246.
        static var immutable: Flags { Flags(rawValue: 256) }
    }

    /// A lifetime stated by one directive. It is one number and not an enumeration, because the compiler
    /// copies an enumeration in several pieces.
    struct Lifetime: BitwiseCopyable, Equatable {
        private var number: UInt32

        static var absent: Lifetime { Lifetime(number: .max) }
        /// Malformed, or repeated with different values: counts as stale (RFC 9111 §4.2.1).
        static var invalid: Lifetime { Lifetime(number: .max - 1) }
        static func seconds(_ seconds: UInt32) -> Lifetime { Lifetime(number: min(seconds, .max - 2)) }

        /// Nil if it is absent or invalid.
        var seconds: UInt32? { number < .max - 1 ? number : nil }

        mutating func note(_ seconds: UInt32?, _ reading: Policy.Reading) {
            let new = seconds.map { Lifetime.seconds($0) } ?? .invalid
            if self == .absent {
                self = new
            } else if self != new, reading == .strict {
                self = .invalid
            }
        }
    }

    /// The field that contains the directives.
    var field = FieldName.cacheControl
    var flags: Flags = []
    var maxAge = Lifetime.absent
    var sharedMaxAge = Lifetime.absent
    /// The stale windows of RFC 5861, as stated.
    var staleWhileRevalidate = Lifetime.absent
    var staleIfError = Lifetime.absent
    /// Was a member unreadable? It may be a prohibition.
    var isMalformed = false

    /// Reads all Cache-Control lines.
    init(cacheControl fields: borrowing FieldTable, _ bytes: Span<UInt8>, _ reading: Policy.Reading) {
        guard let line = fields.first(.cacheControl) else { return }
        let value = line.value.range
        // Often the value is a single name and needs no list parsing.
        if !fields.isRepeated(.cacheControl), bytes.firstNonWord(from: value.lowerBound) == value.upperBound {
            note(bytes.extracting(value), seconds: nil, isBare: true, reading)
        } else {
            noteAll(fields, bytes, reading)
        }
    }

    private mutating func noteAll(
        _ fields: borrowing FieldTable, _ bytes: Span<UInt8>, _ reading: Policy.Reading
    ) {
        for index in fields.range(of: .cacheControl) where fields[index].id == .cacheControl {
            let value = fields[index].value.range
            var position = value.lowerBound
            while let directive = Directive.next(in: bytes, upTo: value.upperBound, from: &position) {
                if !directive.isWellFormed { isMalformed = true }
                note(
                    bytes.extracting(directive.name), seconds: directive.seconds(in: bytes),
                    isBare: directive.argument == nil && directive.isWellFormed, reading)
            }
        }
    }

    init() {}

    /// Records one directive. A prohibition counts with any argument, a permission only without one.
    mutating func note(_ name: Span<UInt8>, seconds: UInt32?, isBare: Bool, _ reading: Policy.Reading) {
        switch name.count {
        case 6: if name.equalsIgnoringCase("public"), isBare { flags.insert(.public) }
        case 7:
            if name.equalsIgnoringCase("max-age") {
                maxAge.note(seconds, reading)
            } else if name.equalsIgnoringCase("private") {
                flags.insert(.private)
            }
        case 8:
            if name.equalsIgnoringCase("no-store") {
                flags.insert(.noStore)
            } else if name.equalsIgnoringCase("no-cache") {
                flags.insert(.noCache)
            } else if name.equalsIgnoringCase("s-maxage") {
                sharedMaxAge.note(seconds, reading)
            }
        case 9: if name.equalsIgnoringCase("immutable"), isBare { flags.insert(.immutable) }
        case 14: if name.equalsIgnoringCase("stale-if-error") { staleIfError.note(seconds, reading) }
        case 15:
            if name.equalsIgnoringCase("must-revalidate") {
                flags.formUnion(isBare ? [.mustRevalidate, .revalidate] : .revalidate)
            } else if name.equalsIgnoringCase("must-understand") {
                flags.formUnion(isBare ? [.mustUnderstand, .liftsNoStore] : .mustUnderstand)
            }
        case 16: if name.equalsIgnoringCase("proxy-revalidate") { flags.insert(.revalidate) }
        case 22:
            if name.equalsIgnoringCase("stale-while-revalidate") {
                staleWhileRevalidate.note(seconds, reading)
            }
        default: break
        }
    }

    /// Do the directives come from a targeted field, which also replaces Expires and Pragma (RFC 9213 §2.1)?
    var isTargeted: Bool { field != .cacheControl }

    /// Removes the permission that a directive gave. Prohibitions stay.
    mutating func forget(_ name: Span<UInt8>) {
        switch name.count {
        case 6: if name.equalsIgnoringCase("public") { flags.remove(.public) }
        case 7: if name.equalsIgnoringCase("max-age") { maxAge = .absent }
        case 8: if name.equalsIgnoringCase("s-maxage") { sharedMaxAge = .absent }
        case 9: if name.equalsIgnoringCase("immutable") { flags.remove(.immutable) }
        case 14: if name.equalsIgnoringCase("stale-if-error") { staleIfError = .absent }
        case 15:
            if name.equalsIgnoringCase("must-revalidate") { flags.remove(.mustRevalidate) }
            if name.equalsIgnoringCase("must-understand") { flags.remove(.liftsNoStore) }
        case 22: if name.equalsIgnoringCase("stale-while-revalidate") { staleWhileRevalidate = .absent }
        default: break
        }
    }

    /// Is there a valid `s-maxage`? It implies several permissions.
    var hasSharedMaxAge: Bool { sharedMaxAge.seconds != nil }

    var mayAnswerCookies: Bool { flags.contains(.public) || hasSharedMaxAge }
    var mayAnswerAuthorized: Bool { mayAnswerCookies || flags.contains(.mustRevalidate) }

    /// RFC 9111 §4.2.4. `no-cache` forbids it, too, if the answer is kept at all.
    var forbidsStale: Bool {
        flags.contains(.revalidate) || flags.contains(.noCache) || sharedMaxAge != .absent
    }

    /// A stale window of RFC 5861 in seconds; 0 if it is malformed or stale use is forbidden.
    func window(_ stated: Lifetime) -> UInt32 {
        forbidsStale ? 0 : stated.seconds ?? 0
    }
}
