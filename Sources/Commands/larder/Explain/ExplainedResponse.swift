/// A response, fetched or pasted, with its head parsed.

internal import Bytes
internal import Caching
internal import DataPlane
internal import HTTP
internal import Machines

struct ExplainedResponse: ~Copyable {
    /// The bytes of the head.
    var bytes: ByteBuffer
    var head: ResponseHead
    /// nil: nothing is known about the body.
    var body: BodyOutcome?
    /// Why the body was not read to its end.
    var bodyNote: String?
    /// Did one read return the head and the whole body? For a pasted response: are they small enough for
    /// that?
    var isInOnePiece: Bool
    var sent: Times
    var received: Times
    var isPasted: Bool

    init(
        bytes: consuming ByteBuffer, head: consuming ResponseHead, body: BodyOutcome?,
        bodyNote: String?, isInOnePiece: Bool, sent: Times, received: Times
    ) {
        self.bytes = bytes
        self.head = head
        self.body = body
        self.bodyNote = bodyNote
        self.isInOnePiece = isInOnePiece
        self.sent = sent
        self.received = received
        isPasted = false
    }

    /// Parses a pasted response.
    /// - Throws: the text is not a valid response.
    init(_ pasted: PastedText, _ method: Method, at now: Times) throws {
        var bytes = ByteBuffer(capacity: pasted.head.count)
        bytes.append(pasted.head.span)
        var head = ResponseHead()
        var scan = HeadScan()
        let result = head.parse(
            bytes.span, limits: OriginResponse.headLimits, scan: &scan, requestMethod: method)
        guard case .complete = result else {
            var hint = ""
            if result == .refused(.version) || bytes.span.hasPrefix("HTTP/2")
                || bytes.span.hasPrefix("HTTP/3")
            {
                hint = " For HTTP/2 and HTTP/3, fetch the head again with `curl --http1.1 -i`."
            }
            throw ExplainRefusal(
                "\(pasted.name) is not a valid HTTP/1.1 response (\(result.word)). If a server sends it, "
                    + "Larder answers 502.\(hint)")
        }
        let room = max(0, min(pasted.body.count, OriginResponse.readSize - bytes.count))
        isInOnePiece = OriginResponse.completeLength(head.framing, of: room) != nil
        self.bytes = bytes
        body = Self.body(of: pasted, head.framing)
        self.head = head
        sent = now
        received = now
        isPasted = true
    }

    /// The outcome of a pasted body. Many tools print a chunked body without its chunks, so a body that has
    /// no valid chunks counts as decoded. A body that is longer than its Content-Length counts as whole: an
    /// editor may have added a line end.
    private static func body(of pasted: PastedText, _ framing: BodyFraming) -> BodyOutcome? {
        let count = pasted.body.count
        switch framing {
        case .none: return BodyOutcome(count: 0, isComplete: true)
        case .length(let length):
            if count == 0, length > 0 { return nil }
            let all = UInt64(count) >= length
            return BodyOutcome(count: all ? Int(length) : count, isComplete: all)
        case .chunked:
            if count == 0 { return nil }
            var reader = BodyReader(.chunked, trailerLimit: 60 << 10)
            var offset = 0
            while true {
                let (step, next) = reader.next(pasted.body.span, from: offset)
                offset = next
                switch step {
                case .data: continue
                case .end:
                    return BodyOutcome(
                        count: Int(reader.delivered), isComplete: true, sawTrailers: reader.sawTrailers)
                case .needMore, .refused: return BodyOutcome(count: count, isComplete: true)
                }
            }
        case .untilClose: return count == 0 ? nil : BodyOutcome(count: count, isComplete: true)
        }
    }
}
