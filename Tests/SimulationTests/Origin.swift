/// A scripted origin: reads requests from their bytes, answers by its resources' truth, and keeps a journal
/// of every answer. What it says of an answer is always true; what goes wrong on the way is rolled apart.
import Bytes
import HTTP
import SeededRandom

/// One answer of the origin, as it meant it.
struct Given {
    var serial: Int
    var representation: Representation
    /// 304 included: of what `representation` it says so.
    var status: UInt16
    var style: Style
    /// Did the request that it answers have these?
    var hadCookie: Bool
    var hadBearer: Bool
    /// The client it was made for; -1: none, a fetch behind an answer.
    var client: Int
    /// When its request was sent: step and clocks; and when its head had come.
    var sentStep: Int
    var sent: Moment
    var received: Moment?
    var date: Int64?
    /// The body is a part.
    var part: Swift.Range<Int>?
    /// Of no version: a failure's text.
    var isFailure = false
    /// It was cut on its way, and nothing in it tells its length.
    var isCut = false

    /// Nothing it says forbids that others get it.
    var isShareable: Bool {
        let directives = style.directives
        return directives.flags.isDisjoint(with: [.noStore, .isPrivate]) && !style.setsCookie
            && (!hadBearer || directives.permitsAuthorized) && (!hadCookie || directives.permitsCookies)
            && !style.varies.contains(.everything) && part == nil
    }
}

/// Both clocks, in milliseconds.
struct Moment: Equatable {
    var wall: Int
    var boot: Int

    /// Neither clock may make it younger.
    func since(_ earlier: Moment) -> Int { max(0, wall - earlier.wall, boot - earlier.boot) }
}

/// What is sent for one request, to be delivered piece by piece.
struct Reply: ~Copyable {
    var bytes: ByteBuffer
    /// Closes the connection behind it.
    var closes: Bool
}

struct Origin: ~Copyable {
    var resources: [Resource] = []
    var journal: [Given] = []
    /// Answers in a hundred that are failures.
    var failures = Origin.usualFailures
    /// Are there lies that cannot be told from the truth: a 304 that nothing has met, without a validator?
    var liesTersely = false
    private var request = RequestHead()

    static let usualFailures = 5

    init(count: Int, _ random: inout SeededRandom) {
        for _ in 0..<count { resources.append(Resource(style: .random(&random))) }
    }

    /// What the bytes of a request asked for.
    private struct Asked {
        var method = HTTP.Method.get
        var resource = 0
        var user: Int?
        var bearer: Int?
        var language = 0
        var acceptsGzip = false
        var ifNoneMatch: String?
        var ifModifiedSince: Int64?
        var range: Want.Range?
        var ifRange: String?
    }

    /// The answer to the request in `bytes`, and the first change that it makes.
    /// - Parameter true seconds: the origin's own clock, which nobody steps.
    mutating func answer(
        _ bytes: borrowing ByteBuffer, client: Int, sentStep: Int, sent: Moment, seconds: Int64,
        _ random: inout SeededRandom
    ) -> Reply {
        let asked = read(bytes)
        var out = ByteBuffer(capacity: 1024)
        if random.picks(3) { out.append("HTTP/1.1 103 Early Hints\r\n\r\n") }
        if !asked.method.isSafe, random.picks(80) { resources[asked.resource].change(&random) }
        let resource = resources[asked.resource]
        let style = resource.style
        var given = Given(
            serial: journal.count, representation: representation(asked, resource), status: style.status,
            style: style, hadCookie: asked.user != nil, hadBearer: asked.bearer != nil, client: client,
            sentStep: sentStep, sent: sent,
            date: style.expires != nil || random.picks(90) ? seconds - Int64(random.below(3)) : nil)
        if random.picks(failures) {
            fail(&given, &out, &random)
        } else if !asked.method.isSafe {
            given.status = random.pick([200, 204, 303, 404])
            given.style.directives = Directives()
            given.style.framing = .length
        } else {
            meetConditions(&given, asked)
            // A broken origin: "not modified", whatever the condition was.
            let isAsked = asked.ifNoneMatch != nil || asked.ifModifiedSince != nil
            let isNamed = style.tag != .none || hasModified(style)
            if given.status == 200, isAsked, isNamed && !style.isTerse || liesTersely, random.picks(8) {
                given.status = 304
            }
        }
        var closes = false
        write(given, asked, to: &out, &closes, &random)
        journal.append(given)
        return Reply(bytes: out, closes: closes)
    }

    private func representation(_ asked: Asked, _ resource: Resource) -> Representation {
        var made = Representation(resource: asked.resource, version: resource.version)
        if resource.style.varies.contains(.language) { made.language = asked.language }
        if resource.style.isPersonal {
            let user = resource.style.varies.contains(.cookie) ? asked.user : asked.user ?? asked.bearer
            made.user = user ?? -1
        }
        made.isGzip = resource.style.isCoded && asked.acceptsGzip
        return made
    }

    private func fail(_ given: inout Given, _ out: inout ByteBuffer, _ random: inout SeededRandom) {
        given.status = random.pick([500, 503, 502])
        given.isFailure = true
        given.representation = Representation(resource: given.representation.resource, version: 0)
        given.style = Style()
        given.style.directives.maxAge = random.picks(20) ? 20 : nil
    }

    private func meetConditions(_ given: inout Given, _ asked: Asked) {
        guard given.status == 200 || given.status == 203 else { return }
        let style = given.style
        let tag = given.representation.tag
        if let list = asked.ifNoneMatch {
            if style.tag != .none, list.contains(tag) { given.status = 304 }
        } else if let since = asked.ifModifiedSince, hasModified(style),
            given.representation.modified <= since
        {
            given.status = 304
        }
        guard given.status == 200, asked.method == .get, asked.range != nil,
            asked.ifRange == nil || style.tag == .strong && asked.ifRange == tag
        else { return }
        var want = Want()
        want.range = asked.range
        given.part = want.part(of: given.representation.count)
        given.status = given.part == nil ? 416 : 206
    }

    /// A date says nothing of codings: where there are several, only a tag does.
    private func hasModified(_ style: Style) -> Bool {
        style.hasModified && (!style.isCoded || style.tag != .none)
    }

    private func write(
        _ given: Given, _ asked: Asked, to out: inout ByteBuffer, _ closes: inout Bool, _ random: inout SeededRandom
    ) {
        let style = given.style
        out.append("HTTP/1.1 ")
        out.append(decimal: UInt64(given.status))
        out.append(" Said\r\n")
        if let date = given.date { out.date("Date: ", date) }
        out.line("Cache-Status: origin; detail=", given.serial)
        style.directives.write(to: &out)
        if let expires = style.expires, let date = given.date { out.date("Expires: ", date + Int64(expires)) }
        if let age = style.age, given.status != 304 { out.line("Age: ", age) }
        if !given.isFailure, given.status != 304 || !style.isTerse {
            switch style.tag {
            case .none: break
            case .strong: out.line("ETag: ", given.representation.tag)
            case .weak: out.line("ETag: W/", given.representation.tag)
            }
            if hasModified(style) { out.date("Last-Modified: ", given.representation.modified) }
        }
        if style.varies.contains(.language) { out.append("Vary: Accept-Language\r\n") }
        if style.varies.contains(.cookie) { out.append("Vary: Cookie\r\n") }
        if style.varies.contains(.everything) { out.append("Vary: *\r\n") }
        if style.isCoded { out.append("Vary: Accept-Encoding\r\n") }
        if style.setsCookie { out.line("Set-Cookie: id=", given.serial) }
        out.line("Surrogate-Key: s", given.representation.resource % 3)
        if !asked.method.isSafe, given.status < 400, random.picks(30) {
            out.line("Location: ", Want.target(given.representation.resource ^ 4))
        }
        if random.picks(5) {
            out.append("Connection: close\r\n")
            closes = true
        }
        guard given.status != 304, given.status != 204 else {
            out.append("\r\n")
            return
        }
        if given.representation.isGzip { out.append("Content-Encoding: gzip\r\n") }
        writeBody(given, isHead: asked.method == .head, to: &out, &closes, &random)
    }

    private func writeBody(
        _ given: Given, isHead: Bool, to out: inout ByteBuffer, _ closes: inout Bool, _ random: inout SeededRandom
    ) {
        let body = Origin.body(of: given)
        if let part = given.part {
            out.append("Content-Range: bytes ")
            out.append(decimal: UInt64(part.lowerBound))
            out.append("-")
            out.append(decimal: UInt64(part.upperBound - 1))
            out.line("/", given.representation.count)
        }
        switch given.style.framing {
        case .length: out.line("Content-Length: ", body.count)
        case .chunked: out.append("Transfer-Encoding: chunked\r\n")
        case .close:
            out.append("Connection: close\r\n")
            closes = true
        }
        out.append("\r\n")
        guard !isHead else { return }
        guard given.style.framing == .chunked else {
            out.append(body.span)
            return
        }
        let cut = random.below(body.count + 1)
        for range in [0..<cut, cut..<body.count] where !range.isEmpty {
            out.append(hexadecimal: UInt64(range.count))
            out.append("\r\n")
            out.append(body.span.extracting(range))
            out.append("\r\n")
        }
        out.append("0\r\n\r\n")
    }

    /// The body as the origin sent it.
    static func body(of given: Given) -> ByteBuffer {
        var body = ByteBuffer(capacity: 1024)
        if given.status == 304 || given.status == 204 || given.status == 416 { return body }
        given.representation.append(to: &body)
        guard let part = given.part else { return body }
        var slice = ByteBuffer(capacity: part.count)
        slice.append(body.span.extracting(part))
        return slice
    }

    // MARK: Reading

    private mutating func read(_ bytes: borrowing ByteBuffer) -> Asked {
        var scan = HeadScan()
        let result = request.parse(bytes.span, limits: Wire.limits, scan: &scan)
        precondition(result == .complete(bytes.count), "a request that no origin understands: \(result)")
        var asked = Asked()
        asked.method = request.method
        let span = bytes.span
        let path = span.slice(request.path)
        let number = Int(path.extracting(droppingFirst: 2).decimalSaturating() ?? 0)
        asked.resource =
            number * 4 + (request.hasQuery ? 2 : 0) + (span.slice(request.host).hasPrefix("b") ? 1 : 0)
        for index in 0..<request.fields.count {
            let value = span.slice(request.fields[index].value)
            switch request.fields[index].id {
            case .cookie: asked.user = Int(value.extracting(droppingFirst: 5).decimalSaturating() ?? 0)
            case .authorization:
                asked.bearer = Int(value.extracting(droppingFirst: 7).decimalSaturating() ?? 0)
            case .acceptLanguage: asked.language = Want.languages.firstIndex(of: value.string) ?? 0
            case .acceptEncoding: asked.acceptsGzip = value.hasPrefix("gzip")
            case .ifNoneMatch: asked.ifNoneMatch = value.string
            case .ifModifiedSince: asked.ifModifiedSince = HTTPDate.parse(value, now: Representation.epoch)
            case .range: asked.range = Origin.range(value.string)
            case .ifRange: asked.ifRange = value.string
            default: break
            }
        }
        return asked
    }

    private static func range(_ text: String) -> Want.Range? {
        let ends = text.dropFirst(6).split(separator: "-", omittingEmptySubsequences: false)
        guard ends.count == 2 else { return nil }
        guard let first = Int(ends[0]) else { return Int(ends[1]).map { .last($0) } }
        return .from(first, to: Int(ends[1]))
    }
}
