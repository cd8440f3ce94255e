/// The input of `larder explain`: a request, from a URL or pasted, and an optional pasted response.

internal import Bytes
internal import Caching
internal import Foundation
internal import HTTP

/// The input cannot be explained. The description says why in one line.
struct ExplainRefusal: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

struct ExplainInput: ~Copyable {
    /// The head of the request, with CRLF line ends.
    let request: ByteBuffer
    /// The name of the request in messages.
    let requestName: String
    let scheme: Scheme
    /// The host and the port of the request. Empty: the request has none.
    let authority: String
    /// nil: the response has to be fetched.
    let response: PastedText?

    init(url: String?, method: String?, headers: [String], request: String?, response: String?) throws {
        // A noncopyable value cannot throw half initialized, so make all parts first.
        let pasted = try response.map { try PastedText(contentsOf: $0) }
        guard let url else {
            let text = try PastedText(contentsOf: request ?? "-")
            self.init(
                Self.copy(text.head), name: text.name, scheme: .http, authority: text.host,
                response: pasted)
            return
        }
        let parts = try ExplainURL(url)
        guard parts.scheme == .http || pasted != nil else {
            throw ExplainRefusal(
                "https:// cannot be fetched yet: Larder cannot speak TLS. Paste the response with "
                    + "--response, or use http://.")
        }
        let head = try Self.head(parts, method: method ?? "GET", headers)
        self.init(
            Self.copy(head), name: "the request", scheme: parts.scheme, authority: parts.authority,
            response: pasted)
    }

    private init(
        _ request: consuming ByteBuffer, name: String, scheme: Scheme, authority: String,
        response: PastedText?
    ) {
        self.request = request
        requestName = name
        self.scheme = scheme
        self.authority = authority
        self.response = response
    }

    private static func copy(_ bytes: [UInt8]) -> ByteBuffer {
        var buffer = ByteBuffer(capacity: bytes.count)
        buffer.append(bytes.span)
        return buffer
    }

    private static func head(_ url: ExplainURL, method: String, _ headers: [String]) throws -> [UInt8] {
        var head = "\(method) \(url.target) HTTP/1.1\r\n"
        if !headers.contains(where: { $0.lowercased().hasPrefix("host:") }) {
            head += "Host: \(url.authority)\r\n"
        }
        for line in headers {
            // A line break would start a second field line.
            guard !line.utf8.contains(where: { $0 == 10 || $0 == 13 }) else {
                throw ExplainRefusal("-H: found a line break; allowed: one field, 'Name: value'.")
            }
            guard line.contains(":") else {
                throw ExplainRefusal("-H: found '\(line)'; allowed: 'Name: value'.")
            }
            head += "\(line)\r\n"
        }
        return Array((head + "\r\n").utf8)
    }
}

/// The parts of a URL that a request needs. The target stays as it is: the strict parser checks it later.
struct ExplainURL {
    var scheme = Scheme.http
    var authority: String
    var target: String

    init(_ text: String) throws {
        let rest: Substring
        let lower = text.lowercased()
        if lower.hasPrefix("http://") {
            rest = text.dropFirst(7)
        } else if lower.hasPrefix("https://") {
            scheme = .https
            rest = text.dropFirst(8)
        } else {
            throw ExplainRefusal("found '\(text)'; allowed: a URL that begins with http:// or https://.")
        }
        let end = rest.firstIndex { "/?#".contains($0) } ?? rest.endIndex
        authority = String(rest[..<end])
        guard HTTP.Authority(Array(authority.utf8).span) != nil else {
            throw ExplainRefusal("found '\(text)'; allowed: http://host[:port]/path, without a user.")
        }
        // Clients do not send the fragment.
        let tail = rest[end...].prefix { $0 != "#" }
        target = tail.hasPrefix("/") ? String(tail) : "/" + tail
    }
}

/// A message that a person pasted. It may begin with blank lines, have LF in place of CRLF, and lack the
/// blank line after the head.
struct PastedText: Sendable {
    /// The head with CRLF line ends, including the blank line.
    let head: [UInt8]
    /// The unchanged body.
    let body: [UInt8]
    /// The name of the text in messages.
    let name: String

    /// The value of the first Host line. Empty: there is none.
    var host: String {
        for line in String(decoding: head, as: UTF8.self).split(separator: "\r\n")
        where line.lowercased().hasPrefix("host:") {
            return String(line.dropFirst(5)).trimmingCharacters(in: .whitespaces)
        }
        return ""
    }

    /// The largest file that is read. It is larger than any head plus any body that can be stored.
    private static let limit = 64 << 20

    static func shown(_ path: String) -> String { path == "-" ? "stdin" : path }

    init(contentsOf path: String) throws {
        let handle = path == "-" ? FileHandle.standardInput : FileHandle(forReadingAtPath: path)
        guard let handle else {
            throw ExplainRefusal("\(path): the file does not exist or cannot be read.")
        }
        let data: Data?
        do {
            data = try handle.read(upToCount: Self.limit + 1)
        } catch {
            throw ExplainRefusal("\(Self.shown(path)): the file cannot be read.")
        }
        let bytes = [UInt8](data ?? Data())
        guard bytes.count <= Self.limit else {
            throw ExplainRefusal("\(Self.shown(path)): the file is larger than 64 MiB.")
        }
        self.init(bytes, name: Self.shown(path))
    }

    init(_ bytes: [UInt8], name: String) {
        var head: [UInt8] = []
        var position = bytes.firstIndex { $0 != 10 && $0 != 13 } ?? bytes.count
        var isWhole = false
        while position < bytes.count, !isWhole {
            let end = bytes[position...].firstIndex(of: 10) ?? bytes.count
            var line = bytes[position..<end]
            if line.last == 13 { line = line.dropLast() }
            isWhole = line.isEmpty
            head += line + [13, 10]
            position = min(end + 1, bytes.count)
        }
        if !isWhole { head += [13, 10] }
        self.head = head
        body = Array(bytes[position...])
        self.name = name
    }
}
