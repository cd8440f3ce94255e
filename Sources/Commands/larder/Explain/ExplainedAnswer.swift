/// An answer with its head parsed, fetched or pasted.

internal import Bytes
internal import Caching
internal import Machines
internal import HTTP
internal import DataPlane

struct ExplainedAnswer: ~Copyable {
    /// The head, and perhaps bytes behind it.
    var bytes: ByteBuffer
    var head: ResponseHead
    /// nil: nothing is known of it.
    var body: BodyOutcome?
    /// Why the body was not read to its end.
    var bodyNote: String?
    /// Did one read bring head and whole body? Of a paste: could it?
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

    /// - Throws: why it is no answer.
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
                hint = " Of HTTP/2 and 3 take the head anew, with `curl --http1.1 -i`."
            }
            throw ExplainRefusal(
                "\(pasted.name) is no valid HTTP/1.1 response (\(result.word)): from a server it would be "
                    + "answered with 502.\(hint)")
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

    /// Many tools print a chunked body decoded: what has no valid chunks is taken as that. What is longer
    /// than the length says ends with the line end of an editor.
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
