// HTTP/1.1 messages as tests read them. This reader is deliberately naive and shares no code with the parser
// under test.

internal import Bytes

package struct Message {
    package enum Framing { case none, length(Int), chunked, untilClose }

    package var start: String
    package var fields: [(name: String, value: String)]
    package var body: [UInt8] = []
    package var trailers: [String] = []
    /// Whether the end of the body was seen.
    package var isWhole = true

    package var text: String { body.text }
    package var status: Int { Int(start.split(separator: " ").dropFirst().first ?? "") ?? 0 }
    package var method: String { String(start.split(separator: " ").first ?? "") }
    package var target: String { String(start.split(separator: " ").dropFirst().first ?? "") }
    /// Larder's own member of Cache-Status, without its name.
    package var cacheStatus: String {
        self["cache-status"].map { String($0.trimmingPrefix("larder; ")) } ?? "none"
    }
    package var closes: Bool { (self["connection"] ?? "").lowercased() == "close" }

    /// The values of a field, joined by commas; nil if the field is absent.
    package subscript(_ name: String) -> String? {
        let values = fields.filter { $0.name.lowercased() == name.lowercased() }.map(\.value)
        return values.isEmpty ? nil : values.joined(separator: ", ")
    }

    package init(head: String) {
        var lines = head.split(separator: "\r\n", omittingEmptySubsequences: true).map(String.init)
        start = lines.isEmpty ? "" : lines.removeFirst()
        fields = lines.map { line in
            let colon = line.firstIndex(of: ":") ?? line.endIndex
            let value = line[colon...].dropFirst()
            return (String(line[..<colon]), String(value.drop { $0 == " " }))
        }
    }
}

extension Peer {
    private static let headEnd = Array("\r\n\r\n".utf8)

    /// The next head in the inbox, with its blank line; nil if the stream ends before the head's first byte.
    package func receiveHead() throws -> Message? {
        var searched = 0
        while true {
            if let end = inbox.firstRange(of: Self.headEnd, from: searched) {
                return Message(head: take(end).text)
            }
            searched = max(0, inbox.count - 3)
            guard try receiveSome() else {
                guard inbox.isEmpty else { throw Unexpected(description: "end within a head: \(inbox.text)") }
                return nil
            }
        }
    }

    /// The next request with its body; nil at the end of the connection.
    package func receiveRequest() throws -> Message? {
        guard var message = try receiveHead() else { return nil }
        try receiveBody(of: &message, framing: Self.framing(of: message) ?? .none)
        return message
    }

    /// The next answer; interim answers count. An answer whose body breaks off has `isWhole` false.
    package func receiveAnswer(toHead: Bool = false) throws -> Message {
        guard var message = try receiveHead() else {
            throw Unexpected(description: "closed without an answer")
        }
        let bodyless = toHead || message.status < 200 || message.status == 204 || message.status == 304
        try receiveBody(of: &message, framing: bodyless ? .none : Self.framing(of: message) ?? .untilClose)
        return message
    }

    private static func framing(of message: Message) -> Message.Framing? {
        if message["transfer-encoding"] != nil { return .chunked }
        return message["content-length"].flatMap { Int($0) }.map { .length($0) }
    }

    private func receiveBody(of message: inout Message, framing: Message.Framing) throws {
        switch framing {
        case .none: break
        case .length(let count):
            message.isWhole = try fill(to: count)
            message.body = take(min(count, inbox.count))
        case .chunked:
            message.isWhole = try receiveChunks(of: &message)
        case .untilClose:
            let (bytes, ending) = try receiveAll()
            message.body = bytes
            message.isWhole = ending == .end
        }
    }

    private func fill(to count: Int) throws -> Bool {
        do {
            while inbox.count < count { guard try receiveSome() else { return false } }
            return true
        } catch is Reset {
            return false
        }
    }

    private func receiveLine() throws -> String? {
        let lineEnd = Array("\r\n".utf8)
        while true {
            if let end = inbox.firstRange(of: lineEnd, from: 0) { return String(take(end).text.dropLast()) }
            guard try fill(to: inbox.count + 1) else { return nil }
        }
    }

    private func receiveChunks(of message: inout Message) throws -> Bool {
        while true {
            guard let line = try receiveLine() else { return false }
            guard let size = Int(line.prefix { $0 != ";" }, radix: 16) else {
                throw Unexpected(description: "no chunk size: \(line)")
            }
            if size == 0 { break }
            guard try fill(to: size + 2) else { return false }
            message.body += take(size)
            guard take(2).text == "\r\n" else { throw Unexpected(description: "no end of a chunk") }
        }
        while let line = try receiveLine() {
            if line.isEmpty { return true }
            message.trailers.append(line)
        }
        return false
    }
}

extension [UInt8] {
    /// The index after the first occurrence of `pattern` at or after `start`.
    package func firstRange(of pattern: [UInt8], from start: Int) -> Int? {
        guard count >= pattern.count, start <= count - pattern.count else { return nil }
        for index in start...(count - pattern.count) where self[index] == pattern[0] {
            if self[index..<(index + pattern.count)].elementsEqual(pattern) { return index + pattern.count }
        }
        return nil
    }
}

/// The bytes of a complete response with Content-Length.
package func answer(_ body: String, status: Int = 200, _ fields: String...) -> String {
    let lines = fields.map { "\($0)\r\n" }.joined()
    return "HTTP/1.1 \(status) Fine\r\n\(lines)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
}

/// The bytes of a response that may be cached for a minute.
package func cacheable(_ body: String, _ fields: String...) -> String {
    let lines = fields.map { "\($0)\r\n" }.joined()
    return
        "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\n\(lines)"
        + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
}
