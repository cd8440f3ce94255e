/// A connection that waits: every step has until the deadline.

internal import Bytes
internal import Caching
internal import Exchange
internal import Files
internal import HTTP
internal import Kernel
internal import SystemPackage

struct ExplainConnection: ~Copyable {
    private let socket: Socket
    private var poller: Poller
    private let deadline: UInt64
    private let timeoutMilliseconds: UInt64
    /// Kept for as long as the connection to it.
    private let files: FilesOrigin?
    private var received = ByteBuffer(capacity: 16 << 10)

    /// The most interim (1xx) heads of one answer.
    private static var interimLimit: Int { 32 }

    init(
        _ socket: consuming Socket, deadline: UInt64, timeoutMilliseconds: UInt64, files: FilesOrigin? = nil
    ) throws(Errno) {
        let poller = try Poller(capacity: 1)
        try poller.add(socket.raw, token: 0)
        self.socket = socket
        self.poller = poller
        self.deadline = deadline
        self.timeoutMilliseconds = timeoutMilliseconds
        self.files = files
    }

    var localAddress: SocketAddress? { files == nil ? socket.localAddress : nil }

    mutating func finishConnect(
        _ address: SocketAddress, before limit: UInt64
    ) throws(ExplainFetchFailure) {
        let started = Clock.monotonicMilliseconds()
        guard wait(before: limit) else {
            throw .connection("\(address): no connection within \(limit - min(started, limit)) ms")
        }
        if let error = socket.connectError() { throw .connection("\(address): \(error)") }
    }

    /// Waits for the next event.
    /// - Returns: did one come in time?
    private mutating func wait(before limit: UInt64) -> Bool {
        while true {
            let now = Clock.monotonicMilliseconds()
            if now >= limit { return false }
            // 0 can mean a signal too.
            if poller.wait(timeoutMilliseconds: Int(limit - now)) > 0 { return true }
        }
    }

    /// Sends the head, and reads the answer to its end or past `bodyLimit`.
    mutating func exchange(
        _ request: borrowing ByteBuffer, method: Method, bodyLimit: Int, clock: ExplainClock
    ) throws(ExplainFetchFailure) -> ExplainedAnswer {
        let sent = clock.now
        try send(request)
        var head = ResponseHead()
        let headCount = try readHead(&head, method)
        let receivedAt = clock.now
        var bytes = ByteBuffer(capacity: headCount)
        bytes.append(received.span.extracting(first: headCount))
        received.removeFirst(headCount)
        var note: String?
        let body = readBody(head.framing, limit: bodyLimit, &note)
        return ExplainedAnswer(
            bytes: bytes, head: head, body: body, bodyNote: note, sent: sent, received: receivedAt)
    }

    private mutating func send(_ bytes: borrowing ByteBuffer) throws(ExplainFetchFailure) {
        var position = 0
        while position < bytes.count {
            switch socket.send(bytes.span.extracting(droppingFirst: position)) {
            case .bytes(let count): position += count
            case .wouldBlock:
                guard wait(before: deadline) else { throw late("the request could not be sent") }
            case .endOfStream: throw .broken("the server closed before the request was sent")
            case .failed(let error): throw .broken("the request could not be sent: \(error)")
            }
        }
    }

    /// - Returns: false at the end of the stream.
    private mutating func receive(_ what: String) throws(ExplainFetchFailure) -> Bool {
        while true {
            switch socket.receive(into: &received, atMost: 16 << 10) {
            case .bytes: return true
            case .endOfStream: return false
            case .wouldBlock: guard wait(before: deadline) else { throw late("\(what) did not come") }
            case .failed(let error): throw .broken("\(what) did not come: \(error)")
            }
        }
    }

    private func late(_ what: String) -> ExplainFetchFailure {
        .timeout("\(what) within \(timeoutMilliseconds) ms")
    }

    /// Reads up to the final head, which then stands at the front of `received`.
    private mutating func readHead(
        _ head: inout ResponseHead, _ method: Method
    ) throws(ExplainFetchFailure) -> Int {
        var scan = HeadScan()
        var interim = 0
        while true {
            let result = head.parse(
                received.span, limits: ExplainedAnswer.limits, scan: &scan, requestMethod: method)
            switch result {
            case .complete(let count):
                if head.status == 101 { throw .broken("the server switched protocols: that is a tunnel") }
                if head.status >= 200 { return count }
                interim += 1
                guard interim <= Self.interimLimit else {
                    throw .broken("the server sends interim heads only")
                }
                received.removeFirst(count)
            case .refused: throw .broken("the server's answer is no valid HTTP/1.1 (\(result.word))")
            case .needMore:
                guard try receive("the answer's head") else {
                    throw .broken(
                        received.isEmpty
                            ? "the server closed without an answer" : "the server closed within the head")
                }
            }
        }
    }

    /// Reads the body; what ends it early is no failure, but a reason not to store it.
    private mutating func readBody(
        _ framing: BodyFraming, limit: Int, _ note: inout String?
    ) -> BodyOutcome {
        if case .length(let length) = framing, length > UInt64(limit) {
            note = "not read: its length is known"
            return BodyOutcome(count: Int(clamping: length), isComplete: false)
        }
        var reader = BodyReader(framing, trailerLimit: ExplainedAnswer.limits.head)
        var offset = 0
        while true {
            let (step, next) = reader.next(received, from: offset)
            offset = next
            switch step {
            case .data:
                // More than is stored is enough to know.
                if reader.delivered > UInt64(limit) {
                    note = "not read further"
                    return outcome(reader, isComplete: false)
                }
            case .end: return outcome(reader, isComplete: true)
            case .refused(let refusal):
                note = refusal.word
                return outcome(reader, isComplete: false)
            case .needMore:
                received.removeAll()
                offset = 0
                do throws(ExplainFetchFailure) {
                    if try receive("the rest of the body") { continue }
                    let isComplete = reader.closed()
                    if !isComplete { note = "the server closed within the body" }
                    return outcome(reader, isComplete: isComplete)
                } catch {
                    note = error.description
                    return outcome(reader, isComplete: false)
                }
            }
        }
    }

    private func outcome(_ reader: borrowing BodyReader, isComplete: Bool) -> BodyOutcome {
        BodyOutcome(
            count: Int(clamping: reader.delivered), isComplete: isComplete, sawTrailers: reader.sawTrailers)
    }
}
