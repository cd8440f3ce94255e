/// The truth about what an origin serves: versions, the representations of each, and what is said of them.
import Bytes
import HTTP
import SeededRandom

/// One run of bytes that the origin can send, and the only thing that decides which.
struct Representation: Hashable {
    var resource: Int
    var version: Int
    /// -1: the same for all.
    var language = -1
    var user = -1
    var isGzip = false

    /// Bytes before the gzip. Different for each version, so that a length tells versions apart.
    var count: Int { (isLarge ? 9_000 : 64) + version % 701 }
    /// More than a narrow socket takes at once.
    var isLarge: Bool { resource % 16 == 5 }
    /// What compresses well, and says that it is text.
    var isText: Bool { resource % 2 == 0 }
    /// Bytes as the origin sends them.
    var codedCount: Int { isGzip ? count + Gzip.overhead : count }

    var tag: String { "\"r\(resource)v\(version)l\(language)u\(user)g\(isGzip ? 1 : 0)\"" }
    var modified: Int64 { Representation.epoch + Int64(version) }

    static let epoch: Int64 = 1_700_000_000

    /// A body that proves itself: it begins with what it is, and no two share a byte pattern.
    func append(to out: inout ByteBuffer) {
        let start = out.count
        out.line("r", resource)
        out.line("v", version)
        out.line("l", language + 1)
        out.line("u", user + 1)
        out.line("g", isGzip ? 1 : 0)
        out.line("n", count)
        var word = UInt64(version) &* 0x9e37_79b9 &+ UInt64(resource) &* 0x85eb_ca6b
        while out.count - start < count {
            if !isText { word = word &* 0x5851_f42d_4c95_7f2d &+ 1 }
            out.append(littleEndian: word)
        }
        out.removeLast(out.count - start - count)
    }

    /// The body as the origin sends it.
    func appendCoded(to out: inout ByteBuffer) {
        guard isGzip else { return append(to: &out) }
        var plain = ByteBuffer(capacity: count)
        append(to: &plain)
        Gzip.append(plain.span, to: &out)
    }
}

/// gzip without compression: one stored block (RFC 1951 §3.2.4, RFC 1952).
enum Gzip {
    static let overhead = 10 + 5 + 8

    static func append(_ plain: Span<UInt8>, to out: inout ByteBuffer) {
        for byte in [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255, 1] as [UInt8] { out.append(byte) }
        let count = UInt16(plain.count)
        for half in [count, ~count] {
            out.append(UInt8(truncatingIfNeeded: half))
            out.append(UInt8(half >> 8))
        }
        out.append(plain)
        for word in [checksum(plain), UInt32(count)] {
            for shift in [0, 8, 16, 24] as [UInt32] { out.append(UInt8(truncatingIfNeeded: word >> shift)) }
        }
    }

    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { word, _ in word & 1 == 1 ? word >> 1 ^ 0xedb8_8320 : word >> 1 }
    }

    /// CRC-32.
    private static func checksum(_ bytes: Span<UInt8>) -> UInt32 {
        let table = table
        var sum = ~UInt32(0)
        for index in bytes.indices { sum = sum >> 8 ^ table[Int((sum ^ UInt32(bytes[index])) & 0xff)] }
        return ~sum
    }
}

/// Cache-Control as its author means it.
struct Directives {
    struct Flags: OptionSet {
        let rawValue: Int
        static let noStore = Flags(rawValue: 1)
        static let isPrivate = Flags(rawValue: 2)
        static let noCache = Flags(rawValue: 4)
        static let isPublic = Flags(rawValue: 8)
        static let mustRevalidate = Flags(rawValue: 16)
        static let proxyRevalidate = Flags(rawValue: 32)
    }

    var flags: Flags = []
    var maxAge: Int?
    var sharedMaxAge: Int?
    var whileRevalidating: Int?
    var ifError: Int?

    /// §3.5, and what Larder asks of answers to cookies.
    var permitsAuthorized: Bool {
        flags.contains(.isPublic) || flags.contains(.mustRevalidate) || sharedMaxAge != nil
    }
    var permitsCookies: Bool { flags.contains(.isPublic) || sharedMaxAge != nil }
    var forbidsStale: Bool {
        !flags.isDisjoint(with: [.mustRevalidate, .proxyRevalidate, .noCache]) || sharedMaxAge != nil
    }

    func write(to out: inout ByteBuffer) {
        if flags.contains(.noStore) { out.append("Cache-Control: no-store\r\n") }
        if flags.contains(.isPrivate) { out.append("Cache-Control: private\r\n") }
        if flags.contains(.noCache) { out.append("Cache-Control: no-cache\r\n") }
        if flags.contains(.isPublic) { out.append("Cache-Control: public\r\n") }
        if flags.contains(.mustRevalidate) { out.append("Cache-Control: must-revalidate\r\n") }
        if flags.contains(.proxyRevalidate) { out.append("Cache-Control: proxy-revalidate\r\n") }
        if let maxAge { out.line("Cache-Control: max-age=", maxAge) }
        if let sharedMaxAge { out.line("Cache-Control: s-maxage=", sharedMaxAge) }
        if let whileRevalidating { out.line("Cache-Control: stale-while-revalidate=", whileRevalidating) }
        if let ifError { out.line("Cache-Control: stale-if-error=", ifError) }
    }

    /// - Parameter isPersonal: what each user gets is another's: it must not permit what makes it shared.
    static func random(_ random: inout SeededRandom, isPersonal: Bool) -> Directives {
        var all = Directives()
        let lifetime = random.pick([0, 2, 5, 10, 20, 60, 120])
        switch random.below(isPersonal ? 4 : 22) {
        case 0: all.flags = .noStore
        case 1: all = Directives(flags: .isPrivate, maxAge: lifetime)
        case 2: all = Directives(flags: .noCache, maxAge: lifetime)
        case 3: all.maxAge = lifetime
        case 4: all.sharedMaxAge = lifetime
        case 5: all = Directives(flags: .isPublic, maxAge: lifetime)
        case 6: all = Directives(flags: .mustRevalidate, maxAge: lifetime)
        case 7:
            all = Directives(flags: .proxyRevalidate, maxAge: lifetime, whileRevalidating: 10, ifError: 10)
        case 8: all = Directives(maxAge: 0, sharedMaxAge: lifetime, ifError: 10)
        case 9: break
        case 10, 11: all = Directives(maxAge: lifetime, whileRevalidating: 10)
        case 12: all = Directives(maxAge: lifetime, ifError: 60)
        case 13, 14: all = Directives(flags: .isPublic, maxAge: lifetime, whileRevalidating: 5, ifError: 60)
        default: all.maxAge = lifetime + 5
        }
        return all
    }
}

/// How a resource behaves until its next version.
struct Style {
    enum Tag { case none, strong, weak }
    enum Framing { case length, chunked, close }
    struct Vary: OptionSet {
        let rawValue: Int
        static let language = Vary(rawValue: 1)
        static let cookie = Vary(rawValue: 2)
        static let everything = Vary(rawValue: 4)
    }

    var status: UInt16 = 200
    var directives = Directives()
    /// Seconds from Date on.
    var expires: Int?
    var age: Int?
    var tag = Tag.none
    var hasModified = false
    var varies: Vary = []
    /// What a user gets is that user's.
    var isPersonal = false
    var setsCookie = false
    var isCoded = false
    /// Its 304s name no validator.
    var isTerse = false
    var framing = Framing.length

    static func steady(isStorable: Bool) -> Style {
        var style = Style()
        style.directives = isStorable ? Directives(maxAge: 4) : Directives(flags: .noStore)
        style.tag = .strong
        return style
    }

    static func random(_ random: inout SeededRandom) -> Style {
        var style = Style()
        style.status = random.picks(88) ? 200 : random.pick([301, 404, 410, 203])
        style.isPersonal = random.picks(10)
        style.directives = .random(&random, isPersonal: style.isPersonal)
        if style.isPersonal, random.picks(30) {
            style.varies = .cookie
            style.directives = Directives(flags: .isPublic, maxAge: 10)
        }
        if style.directives.maxAge == nil, style.directives.sharedMaxAge == nil, random.picks(60) {
            style.expires = random.below(20)
        }
        if random.picks(15) { style.age = random.below(8) }
        style.tag = random.pick([.none, .strong, .strong, .weak])
        style.hasModified = random.picks(50)
        if random.picks(25) { style.varies.insert(.language) }
        if random.picks(2) { style.varies.insert(.everything) }
        style.setsCookie = random.picks(4)
        style.isCoded = random.picks(35)
        style.isTerse = random.picks(20)
        style.framing = random.picks(6) ? .close : random.pick([.length, .length, .chunked])
        return style
    }
}

struct Resource {
    var version = 1
    var style: Style

    let isSteady: Bool

    init(_ number: Int, _ random: inout SeededRandom) {
        isSteady = Resource.isSteady(number)
        style = isSteady ? .steady(isStorable: true) : .random(&random)
    }

    /// Its answers are the same to everybody, fail never, and either all of them may be stored or none: of
    /// these it is known which fetches have to wait for each other (`Simulation+Collapsing`).
    static func isSteady(_ number: Int) -> Bool { number % 8 == 1 }

    mutating func change(_ random: inout SeededRandom) {
        version += 1
        if isSteady {
            style = .steady(isStorable: random.picks(75))
        } else if random.picks(70) {
            style = .random(&random)
        }
    }
}
