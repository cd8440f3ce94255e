/// What a client wants: a request as its author means it. The oracle judges by this, the proxy by the bytes
/// that are written from it.
import Bytes
import HTTP

struct Want {
    var method = HTTP.Method.get
    var resource = 0
    /// Sent as a cookie.
    var user: Int?
    /// Sent as Authorization.
    var bearer: Int?
    var language: Int?
    var coding = Coding.identity
    var isNoCache = false
    var isNoStore = false
    var isOnlyIfCached = false
    var maxAge: Int?
    var minFresh: Int?
    /// `.max`: without a value.
    var maxStale: Int?
    var ifNoneMatch: String?
    var ifModifiedSince: Int64?
    var range: Range?
    var ifRange: String?

    enum Coding { case identity, either, gzipOnly, all }

    enum Range {
        case from(Int, to: Int?)
        case last(Int)
    }

    var restrictsAge: Bool { isNoCache || maxAge != nil || minFresh != nil }
    var acceptsGzip: Bool { coding != .identity }

    static let languages = ["en", "de", "fr"]

    /// Resources that share host, path or query with their neighbours, so that keys could be mixed up.
    static func host(_ resource: Int) -> String { resource % 2 == 0 ? "a.test" : "b.test" }
    static func target(_ resource: Int) -> String {
        "/r\(resource / 4)" + (resource / 2 % 2 == 0 ? "" : "?q=1")
    }

    /// The request as it is on the wire.
    func write(to out: inout ByteBuffer) {
        switch method {
        case .head: out.append("HEAD ")
        case .post: out.append("POST ")
        case .delete: out.append("DELETE ")
        default: out.append("GET ")
        }
        out.append(text: Want.target(resource))
        out.append(" HTTP/1.1\r\nHost: ")
        out.append(text: Want.host(resource))
        out.append("\r\n")
        if let user { out.line("Cookie: user=", user) }
        if let bearer { out.line("Authorization: Bearer ", bearer) }
        if let language {
            out.append("Accept-Language: ")
            out.append(text: Want.languages[language])
            out.append("\r\n")
        }
        switch coding {
        case .identity: break
        case .either: out.append("Accept-Encoding: gzip\r\n")
        case .gzipOnly: out.append("Accept-Encoding: gzip, identity;q=0\r\n")
        case .all: out.append("Accept-Encoding: gzip, br\r\n")
        }
        writeDirectives(to: &out)
        writeConditions(to: &out)
        if method == .post { out.append("Content-Length: 0\r\n") }
        out.append("\r\n")
    }

    private func writeDirectives(to out: inout ByteBuffer) {
        if isNoCache { out.append("Cache-Control: no-cache\r\n") }
        if isNoStore { out.append("Cache-Control: no-store\r\n") }
        if isOnlyIfCached { out.append("Cache-Control: only-if-cached\r\n") }
        if let maxAge { out.line("Cache-Control: max-age=", maxAge) }
        if let minFresh { out.line("Cache-Control: min-fresh=", minFresh) }
        if let maxStale {
            if maxStale == .max {
                out.append("Cache-Control: max-stale\r\n")
            } else {
                out.line("Cache-Control: max-stale=", maxStale)
            }
        }
    }

    private func writeConditions(to out: inout ByteBuffer) {
        if let ifNoneMatch { out.line("If-None-Match: ", ifNoneMatch) }
        if let ifModifiedSince { out.date("If-Modified-Since: ", ifModifiedSince) }
        switch range {
        case .from(let first, let last):
            out.append("Range: bytes=")
            out.append(decimal: UInt64(first))
            out.append("-")
            if let last { out.append(decimal: UInt64(last)) }
            out.append("\r\n")
        case .last(let count): out.line("Range: bytes=-", count)
        case nil: break
        }
        if let ifRange { out.line("If-Range: ", ifRange) }
    }

    /// What the range comes to in so many bytes (RFC 9110 §14.1.2); nil: nothing.
    func part(of count: Int) -> Swift.Range<Int>? {
        switch range {
        case .from(let first, let last): first < count ? first..<(min(last ?? .max - 1, count - 1) + 1) : nil
        case .last(let n): n > 0 ? max(0, count - n)..<count : nil
        case nil: nil
        }
    }
}

extension ByteBuffer {
    mutating func line(_ start: StaticString, _ number: Int) {
        append(start)
        append(decimal: UInt64(number))
        append("\r\n")
    }

    mutating func line(_ start: StaticString, _ value: String) {
        append(start)
        append(text: value)
        append("\r\n")
    }

    mutating func date(_ start: StaticString, _ seconds: Int64) {
        append(start)
        HTTPDate.append(seconds, to: &self)
        append("\r\n")
    }
}

/// A request in the buffer it was parsed from.
final class ParsedRequest {
    let text: [UInt8]
    let head: RequestHead

    init(_ want: Want) {
        var buffer = ByteBuffer(capacity: 256)
        want.write(to: &buffer)
        var parsed = RequestHead()
        var scan = HeadScan()
        let result = parsed.parse(buffer.span, limits: Wire.limits, scan: &scan)
        precondition(result == .complete(buffer.count), "the simulator's own request: \(result)")
        text = buffer.span.copied
        head = parsed
    }
}

enum Wire {
    static let limits = HeadLimits(head: 16_384, fields: 64)
}
