// The origin of a run: it answers every request as the current step says, and records the requests.

import Bytes
import Kernel
import DataPlane
import DataPlaneHarness
import Synchronization

final class Script: Sendable {
    private struct State {
        var answer = Answer()
        var body = ""
        var path = ""
        var startSeconds: Int64 = 0
        var seen: [Message] = []
        /// The number of steps prepared so far.
        var step = 0
    }

    let clock: SteeredClock
    private let state = Mutex(State())
    private let answers = Gate()

    init(_ clock: SteeredClock) { self.clock = clock }

    /// Sets the response to later requests, and forgets earlier requests.
    func prepare(_ answer: Answer, body: String, path: String, startSeconds: Int64) {
        state.withLock {
            $0 = State(answer: answer, body: body, path: path, startSeconds: startSeconds, step: $0.step + 1)
            answers.close()
        }
    }

    /// The requests since `prepare`.
    var seen: [Message] { state.withLock { $0.seen } }

    /// Waits until a request was answered.
    func waitForAnswer() throws { try answers.wait() }

    /// The script of a connection.
    func run(_ peer: Peer, _ number: Int, _ origin: ScriptedOrigin) throws {
        while let request = try peer.receiveRequest() {
            let now = state.withLock { state in
                state.seen.append(request)
                return state
            }
            clock.advance(milliseconds: now.answer.delaySeconds * 1000)
            let hasNext = try answer(request, now, to: peer)
            // The client may have its answer, and the next step may have begun, before this thread gets here.
            state.withLock { if $0.step == now.step { answers.open() } }
            if !hasNext { return }
        }
    }

    /// - Returns: whether the connection may go on.
    private func answer(_ request: Message, _ state: State, to peer: Peer) throws -> Bool {
        var answer = state.answer
        if let fields = answer.notModified,
            request["if-none-match"] != nil || request["if-modified-since"] != nil
        {
            answer.status = 304
            answer.fields = fields
        }
        if case .silent = answer.fault { return false }
        let placeholders = Placeholders(path: state.path, start: state.startSeconds, now: nowSeconds)
        var text = answer.interim.map { "HTTP/1.1 \(placeholders.filled($0))\r\n\r\n" }.joined()
        text += "HTTP/1.\(answer.minorVersion) \(answer.status) Said So\r\n"
        let fields = answer.fields.map(placeholders.filled)
        for field in fields { text += "\(field)\r\n" }
        if answer.isDated, !fields.contains(where: { $0.lowercased().hasPrefix("date:") }) {
            text += placeholders.filled("Date: {now}\r\n")
        }
        text += answer.hasBody ? framed(state.body, answer.framing, toHead: request.method == "HEAD") : "\r\n"
        if case .truncated = answer.fault { text.removeLast() }
        try peer.send(text)
        if case .close = answer.framing { return false }
        if answer.minorVersion == 0 { return false }
        if case .truncated = answer.fault { return false }
        return true
    }

    private func framed(_ body: String, _ framing: Answer.Framing, toHead: Bool) -> String {
        switch framing {
        case .length: return "Content-Length: \(body.utf8.count)\r\n\r\n" + (toHead ? "" : body)
        case .close: return "\r\n" + (toHead ? "" : body)
        case .chunked, .trailer:
            let size = String(body.utf8.count, radix: 16)
            var trailer = ""
            if case .trailer(let field) = framing { trailer = "\(field)\r\n" }
            let chunks = body.isEmpty ? "0\r\n" : "\(size)\r\n\(body)\r\n0\r\n"
            return "Transfer-Encoding: chunked\r\n\r\n" + (toHead ? "" : "\(chunks)\(trailer)\r\n")
        }
    }

    var nowSeconds: Int64 { Int64(clock.wallMilliseconds / 1000) }
}

/// Replaces the texts in braces in fields and paths.
struct Placeholders {
    let path: String
    /// Unix time.
    let start: Int64
    let now: Int64

    func filled(_ text: String) -> String {
        var result = ""
        var rest = text[...]
        while let open = rest.firstIndex(of: "{"), let close = rest[open...].firstIndex(of: "}") {
            let name = rest[rest.index(after: open)..<close]
            result += rest[..<open] + (value(name) ?? "{\(name)}")
            rest = rest[rest.index(after: close)...]
        }
        return result + rest
    }

    private func value(_ name: Substring) -> String? {
        if name == "path" { return path }
        for (word, moment) in [("now", now), ("start", start)] where name.hasPrefix(word) {
            let offset = name.dropFirst(word.count)
            guard let seconds = offset.isEmpty ? 0 : Int64(offset) else { return nil }
            return Self.date(moment + seconds)
        }
        if name.hasPrefix("rfc850"), let seconds = Int64(name.dropFirst(6)) {
            return Self.rfc850(now + seconds)
        }
        if name.hasPrefix("asctime"), let seconds = Int64(name.dropFirst(7)) {
            return Self.asctime(now + seconds)
        }
        return nil
    }

    /// `Thursday, 01-Jan-26 12:00:00 GMT`
    private static func rfc850(_ seconds: Int64) -> String {
        let parts = date(seconds).split(separator: " ")
        let names = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
        let day = names.first { $0.hasPrefix(parts[0].dropLast()) } ?? ""
        return "\(day), \(parts[1])-\(parts[2])-\(parts[3].suffix(2)) \(parts[4]) GMT"
    }

    /// `Thu Jan  1 12:00:00 2026`
    private static func asctime(_ seconds: Int64) -> String {
        let parts = date(seconds).split(separator: " ")
        let day = parts[1].hasPrefix("0") ? " \(parts[1].dropFirst())" : String(parts[1])
        return "\(parts[0].dropLast()) \(parts[2]) \(day) \(parts[4]) \(parts[3])"
    }

    /// An IMF-fixdate.
    static func date(_ seconds: Int64) -> String {
        var cached = CachedHTTPDate()
        var buffer = ByteBuffer(capacity: 32)
        cached.append(now: seconds, to: &buffer)
        return buffer.span.copied.text
    }
}
