/// A blocking connection to a server. Each step has the time-out that Larder gives it, and all steps together
/// end at the deadline of the command.

internal import Bytes
internal import Caching
internal import DataPlane
internal import Files
internal import HTTP
internal import Kernel
internal import Machines
internal import Settings
internal import SystemPackage

struct ExplainConnection: ~Copyable {
    private let socket: Socket
    private var poller: Poller
    private let timeouts: Upstream.Timeouts
    private let deadline: UInt64
    private let timeoutMilliseconds: UInt64
    /// The `files` origin at the other end, kept alive as long as the connection.
    private let files: FilesOrigin?
    private var received = ByteBuffer(capacity: 16 << 10)

    /// A time-out of the upstream's settings that has started.
    private struct Limit {
        let failure: OriginFailure
        let milliseconds: Int
        let end: UInt64

        init(_ failure: OriginFailure, after milliseconds: Int) {
            self.failure = failure
            self.milliseconds = milliseconds
            end = Clock.monotonicMilliseconds() + UInt64(milliseconds)
        }
    }

    init(
        _ socket: consuming Socket, _ timeouts: Upstream.Timeouts, deadline: UInt64,
        timeoutMilliseconds: UInt64, files: FilesOrigin? = nil
    ) throws(Errno) {
        let poller = try Poller(capacity: 1)
        try poller.add(socket.raw, token: 0)
        self.socket = socket
        self.poller = poller
        self.timeouts = timeouts
        self.deadline = deadline
        self.timeoutMilliseconds = timeoutMilliseconds
        self.files = files
    }

    var localAddress: SocketAddress? { files == nil ? socket.localAddress : nil }

    mutating func finishConnect(_ address: SocketAddress) throws(ExplainFetchFailure) {
        try wait(
            Limit(.connectTimeout, after: timeouts.connectMilliseconds), "\(address): no connection")
        if let error = socket.connectError() { throw .origin(.notConnected, "\(address): \(error)") }
    }

    /// Waits for the next event.
    /// - Throws: no event came before the end of `limit` or before the deadline of the command.
    private mutating func wait(_ limit: Limit, _ what: String) throws(ExplainFetchFailure) {
        while true {
            let now = Clock.monotonicMilliseconds()
            if now >= limit.end { throw .origin(limit.failure, "\(what) within \(limit.milliseconds) ms") }
            if now >= deadline { throw .commandTimeout("\(what) within \(timeoutMilliseconds) ms") }
            // 0 means a time-out or a signal.
            if poller.wait(timeoutMilliseconds: Int(min(limit.end, deadline) - now)) > 0 { return }
        }
    }

    /// Sends the request head, and reads the response to its end or until its body exceeds `bodyLimit`.
    /// - Parameter progress: how much of the request the server took. The caller needs it to decide whether
    ///   the request may be sent again.
    mutating func exchange(
        _ request: borrowing ByteBuffer, method: Method, bodyLimit: Int, clock: ExplainClock,
        _ progress: inout Sent
    ) throws(ExplainFetchFailure) -> ExplainedResponse {
        let sent = clock.now
        try send(request, &progress)
        var head = ResponseHead()
        let headCount = try readHead(&head, method)
        let receivedAt = clock.now
        let isWhole = OriginResponse.completeLength(head.framing, of: received.count - headCount) != nil
        var bytes = ByteBuffer(capacity: headCount)
        bytes.append(received.span.extracting(first: headCount))
        received.removeFirst(headCount)
        var note: String?
        let body = readBody(head.framing, limit: bodyLimit, &note)
        return ExplainedResponse(
            bytes: bytes, head: head, body: body, bodyNote: note, isInOnePiece: isWhole, sent: sent,
            received: receivedAt)
    }

    private mutating func send(
        _ bytes: borrowing ByteBuffer, _ progress: inout Sent
    ) throws(ExplainFetchFailure) {
        let limit = Limit(.responseTimeout, after: timeouts.responseMilliseconds)
        var position = 0
        while position < bytes.count {
            switch socket.send(bytes.span.extracting(droppingFirst: position)) {
            case .bytes(let count):
                position += count
                progress = .head
            case .wouldBlock: try wait(limit, "the request could not be sent")
            case .endOfStream:
                throw .origin(.closed, "the server closed the connection before the request was sent")
            case .failed(let error): throw .origin(.closed, "the request could not be sent: \(error)")
            }
        }
    }

    /// - Parameters:
    ///   - what: the name of the expected bytes, for messages.
    ///   - failure: the failure to throw if the connection breaks.
    /// - Returns: false at the end of the stream.
    private mutating func receive(
        _ what: String, _ limit: Limit, broken failure: OriginFailure
    ) throws(ExplainFetchFailure) -> Bool {
        while true {
            switch socket.receive(into: &received, atMost: OriginResponse.readSize) {
            case .bytes: return true
            case .endOfStream: return false
            case .wouldBlock: try wait(limit, "\(what) did not come")
            case .failed(let error): throw .origin(failure, "\(what) did not come: \(error)")
            }
        }
    }

    /// Reads until the head that is not interim is complete. It is then at the front of `received`.
    /// - Returns: the length of the head.
    private mutating func readHead(
        _ head: inout ResponseHead, _ method: Method
    ) throws(ExplainFetchFailure) -> Int {
        var limit = Limit(.responseTimeout, after: timeouts.responseMilliseconds)
        var scan = HeadScan()
        var interim = 0
        while true {
            let result = head.parse(
                received.span, limits: OriginResponse.headLimits, scan: &scan, requestMethod: method)
            switch result {
            case .complete(let count):
                if head.status == 101 {
                    throw .origin(.malformed, "the server switched protocols (101), which opens a tunnel")
                }
                if head.status >= 200 { return count }
                interim += 1
                guard interim <= OriginResponse.interimLimit else {
                    throw .origin(.malformed, "the server sends only interim responses")
                }
                received.removeFirst(count)
                limit = Limit(.responseTimeout, after: timeouts.responseMilliseconds)
            case .refused:
                throw .origin(
                    .malformed, "the response is not valid HTTP/1.1 (\(result.word))")
            case .needMore:
                // Half a head or an interim head is the beginning of a response: without the rest it is
                // malformed.
                let failure = received.isEmpty && interim == 0 ? OriginFailure.closed : .malformed
                guard try receive("the head of the response", limit, broken: failure) else {
                    throw .origin(
                        failure,
                        received.isEmpty
                            ? "the server closed the connection without a response"
                            : "the server closed the connection within the head")
                }
            }
        }
    }

    /// Reads the body. An early end of the body is not a failure; it is a reason not to store the response.
    /// - Returns: nil if the deadline of the command ended the body, which Larder itself would have read on.
    private mutating func readBody(
        _ framing: BodyFraming, limit: Int, _ note: inout String?
    ) -> BodyOutcome? {
        if case .length(let length) = framing, length > UInt64(limit) {
            note = "not read: its length is known"
            return BodyOutcome(count: Int(clamping: length), isComplete: false)
        }
        var reader = BodyReader(framing, trailerLimit: OriginResponse.headLimits.head)
        var offset = 0
        while true {
            let (step, next) = reader.next(received, from: offset)
            offset = next
            switch step {
            case .data:
                // A body that is too large to store needs no further reading.
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
                    let idle = Limit(.truncated, after: timeouts.idleMilliseconds)
                    if try receive("the rest of the body", idle, broken: .truncated) { continue }
                    let isComplete = reader.closed()
                    if !isComplete { note = "the server closed the connection within the body" }
                    return outcome(reader, isComplete: isComplete)
                } catch {
                    note = error.description
                    return error.isCommandTimeout ? nil : outcome(reader, isComplete: false)
                }
            }
        }
    }

    private func outcome(_ reader: borrowing BodyReader, isComplete: Bool) -> BodyOutcome {
        BodyOutcome(
            count: Int(clamping: reader.delivered), isComplete: isComplete, sawTrailers: reader.sawTrailers)
    }
}
