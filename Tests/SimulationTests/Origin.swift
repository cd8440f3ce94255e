/// A scripted origin: answers requests by the truth about its resources, and keeps a journal of every answer.
/// What it says of an answer is true. What goes wrong on the way is drawn elsewhere (`Simulation+Origins`).
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
    /// The number of the request that made the worker ask.
    var client: Int
    /// When the worker sent its request, as a step and on the clocks; and when the worker had the head.
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
    /// Up to the end of the final head.
    var headCount: Int
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
    static let usualFailures = 4

    init(count: Int, _ random: inout SeededRandom) {
        for number in 0..<count { resources.append(Resource(number, &random)) }
    }

    /// The answer to a request, and the first change that it makes.
    /// - Parameter seconds: by the origin's own clock, which nobody steps.
    mutating func answer(
        _ asked: Asked, sentStep: Int, sent: Moment, seconds: Int64, _ random: inout SeededRandom
    ) -> Reply {
        var out = ByteBuffer(capacity: 1024)
        if random.picks(3) { out.append("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n") }
        if !asked.method.isSafe, random.picks(80) { resources[asked.resource].change(&random) }
        let resource = resources[asked.resource]
        let style = resource.style
        let behind = resource.isSteady ? 0 : random.below(3)
        var given = Given(
            serial: journal.count, representation: representation(asked, resource), status: style.status,
            style: style, hadCookie: asked.user != nil, hadBearer: asked.bearer != nil,
            client: asked.number, sentStep: sentStep, sent: sent,
            date: style.expires != nil || random.picks(90) ? seconds - Int64(behind) : nil)
        if !resource.isSteady, random.picks(failures) {
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
            if given.status == 200, isAsked, isNamed && !style.isTerse || liesTersely, random.picks(20) {
                given.status = 304
            }
        }
        var closes = false
        let headCount = write(given, asked, to: &out, &closes, &random)
        journal.append(given)
        return Reply(bytes: out, headCount: headCount, closes: closes)
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
        given.part = want.part(of: given.representation.codedCount)
        given.status = given.part == nil ? 416 : 206
    }

    /// A date says nothing of codings: where there are several, only a tag does.
    private func hasModified(_ style: Style) -> Bool {
        style.hasModified && (!style.isCoded || style.tag != .none)
    }

    private func write(
        _ given: Given, _ asked: Asked, to out: inout ByteBuffer, _ closes: inout Bool,
        _ random: inout SeededRandom
    ) -> Int {
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
            return out.count
        }
        if given.representation.isGzip { out.append("Content-Encoding: gzip\r\n") }
        if given.representation.isText { out.append("Content-Type: text/plain\r\n") }
        return writeBody(given, isHead: asked.method == .head, to: &out, &closes, &random)
    }

    private func writeBody(
        _ given: Given, isHead: Bool, to out: inout ByteBuffer, _ closes: inout Bool,
        _ random: inout SeededRandom
    ) -> Int {
        let body = Origin.body(of: given)
        if let part = given.part {
            out.append("Content-Range: bytes ")
            out.append(decimal: UInt64(part.lowerBound))
            out.append("-")
            out.append(decimal: UInt64(part.upperBound - 1))
            out.line("/", given.representation.codedCount)
        }
        switch given.style.framing {
        case .length: out.line("Content-Length: ", body.count)
        case .chunked: out.append("Transfer-Encoding: chunked\r\n")
        case .close:
            out.append("Connection: close\r\n")
            closes = true
        }
        out.append("\r\n")
        let headCount = out.count
        guard !isHead else { return headCount }
        guard given.style.framing == .chunked else {
            out.append(body.span)
            return headCount
        }
        let cut = random.below(body.count + 1)
        for range in [0..<cut, cut..<body.count] where !range.isEmpty {
            out.append(hexadecimal: UInt64(range.count))
            out.append("\r\n")
            out.append(body.span.extracting(range))
            out.append("\r\n")
        }
        out.append("0\r\n")
        if random.picks(5), !Resource.isSteady(given.representation.resource) {
            out.append("X-Checked: yes\r\n")
        }
        out.append("\r\n")
        return headCount
    }

    /// The body as the origin sent it.
    static func body(of given: Given) -> ByteBuffer {
        var body = ByteBuffer(capacity: 1024)
        if given.status == 304 || given.status == 204 || given.status == 416 { return body }
        given.representation.appendCoded(to: &body)
        guard let part = given.part else { return body }
        var slice = ByteBuffer(capacity: part.count)
        slice.append(body.span.extracting(part))
        return slice
    }
}
