/// A request as its author means it. The oracle judges by this value, the worker by the bytes that are
/// written from it.
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
    /// `.max`: sent without a value.
    var maxStale: Int?
    var ifNoneMatch: String?
    var ifModifiedSince: Int64?
    var range: Range?
    var ifRange: String?
    /// By HTTP/1.0, without keep-alive.
    var isOld = false
    var upload: Upload?

    /// The body of an unsafe request.
    struct Upload {
        var count: Int
        var isChunked: Bool

        /// A byte that tells requests and positions apart.
        static func byte(_ number: Int, at position: Int) -> UInt8 {
            UInt8(truncatingIfNeeded: number &* 31 &+ position &* 7)
        }
    }

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
    /// - Parameter number: tells the origin for which request it answers. No cache key holds it.
    func write(number: Int, to out: inout ByteBuffer) {
        switch method {
        case .head: out.append("HEAD ")
        case .post: out.append("POST ")
        case .delete: out.append("DELETE ")
        default: out.append("GET ")
        }
        out.append(text: Want.target(resource))
        if isOld { out.append(" HTTP/1.0\r\nHost: ") } else { out.append(" HTTP/1.1\r\nHost: ") }
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
        out.line("Request-Number: ", number)
        if let upload { writeBody(upload, number, to: &out) } else { out.append("\r\n") }
    }

    /// The end of the head, and the body.
    private func writeBody(_ upload: Upload, _ number: Int, to out: inout ByteBuffer) {
        if upload.isChunked {
            out.append("Transfer-Encoding: chunked\r\n\r\n")
        } else {
            out.line("Content-Length: ", upload.count)
            out.append("\r\n")
        }
        var position = 0
        while position < upload.count {
            let count = upload.isChunked ? min(100, upload.count - position) : upload.count
            if upload.isChunked {
                out.append(hexadecimal: UInt64(count))
                out.append("\r\n")
            }
            for index in position..<(position + count) { out.append(Upload.byte(number, at: index)) }
            if upload.isChunked { out.append("\r\n") }
            position += count
        }
        if upload.isChunked { out.append("0\r\n\r\n") }
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

enum Wire {
    static let limits = HeadLimits(head: 16_384, fields: 64)
}
