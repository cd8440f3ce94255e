import Bytes
import HTTP
import Kernel

/// One end of a socket pair: reads requests, sends answers, one after the other.
///
/// Requests that follow at once wait in `input`, and behind it in the socket: nothing is read while an answer
/// is under way, so the proxy feels the back-pressure in both directions.
struct FileConnection: ~Copyable {
    enum Progress {
        /// Until the socket's next event.
        case waiting
        /// There is more to do at once, but it is others' turn.
        case unfinished
        case finished
    }

    /// Bytes of a file read at a time, and the measure of a small file.
    private static let pieceBytes = 1 << 16
    /// Bytes sent in one turn.
    private static let turnBytes = 1 << 20

    let socket: Socket
    private var input = ByteBuffer(capacity: 2_048)
    private var output = ByteBuffer(capacity: 512)
    private var scan = HeadScan()
    private var body: FileBody?
    private var unreadBody: UInt64 = 0
    private var closes = false

    init(socket: consuming Socket) { self.socket = socket }

    /// Does all that can be done now.
    mutating func advance(_ responder: inout Responder) -> Progress {
        var budget = Self.turnBytes
        while true {
            if body != nil, !appendPiece() { return .finished }
            while !output.isEmpty {
                switch socket.send(output.span) {
                case .bytes(let n):
                    output.removeFirst(n)
                    budget -= n
                case .wouldBlock: return .waiting
                case .endOfStream, .failed: return .finished
                }
            }
            if body != nil {
                if budget <= 0 { return .unfinished }
                continue
            }
            if closes { return .finished }
            if output.capacity > Self.pieceBytes / 4 { output = ByteBuffer(capacity: 512) }
            if dropBody(), !input.isEmpty {
                if case .answered(let answer, let headLength) = responder.answer(
                    input, scan: &scan, output: &output)
                {
                    take(answer, headLength: headLength)
                    if budget <= 0 { return .unfinished }
                    continue
                }
            }
            switch socket.receive(into: &input, atMost: 8_192) {
            case .bytes: continue
            case .wouldBlock: return .waiting
            case .endOfStream, .failed: return .finished
            }
        }
    }

    private mutating func take(_ answer: consuming Responder.Answer, headLength: Int) {
        input.removeFirst(headLength)
        unreadBody = answer.unreadBody
        closes = answer.closes
        body = answer.body.take()
    }

    /// Throws away what has come of the request's body; true once all of it has.
    private mutating func dropBody() -> Bool {
        let n = Int(min(unreadBody, UInt64(input.count)))
        input.removeFirst(n)
        unreadBody -= UInt64(n)
        return unreadBody == 0
    }

    /// Reads the next piece of the file behind what is in `output` (nothing, or the head). False if the file
    /// has become shorter or is another now: the connection then ends short of the announced length, and
    /// nobody takes the answer for whole.
    private mutating func appendPiece() -> Bool {
        guard var current = body.take() else { return true }
        guard output.count < Self.pieceBytes else {
            body = consume current
            return true
        }
        while output.count < Self.pieceBytes, !current.range.isEmpty {
            let wanted = min(Int64(Self.pieceBytes), Int64(current.range.count))
            guard
                case .bytes(let n) = current.file.read(
                    into: &output, atMost: Int(wanted), offset: current.range.lowerBound)
            else { return false }
            current.range = (current.range.lowerBound + Int64(n))..<current.range.upperBound
        }
        if current.range.isEmpty {
            guard let status = try? current.file.status(), status == current.status else { return false }
        } else {
            body = consume current
        }
        return true
    }
}
