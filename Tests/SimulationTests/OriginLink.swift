/// A connection that a worker opened to an origin's server: the simulator's end of it.
import Bytes
import HTTP
import Kernel
import Machines

final class OriginLink {
    let id: Int
    let seat: Int
    let server: Int
    /// nil: closed by us.
    var socket: Socket?
    var inbound = ByteBuffer(capacity: 512)
    var scan = HeadScan()
    /// The request at hand; nil: none has come.
    var asked: Asked?
    /// When the worker began to send it.
    var begun: Instant?
    var upload = BodyReader(.none, trailerLimit: 0)
    /// Bytes of the upload that have come.
    var uploaded = 0
    /// What is to be sent for it.
    var reply = ByteBuffer(capacity: 16)
    var hasAnswered = false
    var closes = false
    /// Bytes of `reply` until the final head is out; its serial.
    var headLeft = 0
    var serial = -1
    /// Says nothing for a while.
    var isStalled = false
    /// The worker has closed it.
    var hasEnded = false

    init(id: Int, seat: Int, server: Int, _ socket: consuming Socket) {
        self.id = id
        self.seat = seat
        self.server = server
        self.socket = consume socket
    }

    var isBusy: Bool { asked != nil && socket != nil }

    /// The next request may come.
    func rest() {
        asked = nil
        begun = nil
        hasAnswered = false
        reply.removeAll()
        serial = -1
        uploaded = 0
        isStalled = false
    }

    /// Sends so much of the reply at most.
    /// - Returns: does the worker have the final head by this?
    func send(atMost limit: Int) -> Bool {
        let count = min(limit, reply.count)
        guard count > 0, case .bytes(let n) = socket?.send(reply.span.extracting(first: count)) else {
            return false
        }
        reply.removeFirst(n)
        let wasLeft = headLeft
        headLeft = max(0, headLeft - n)
        return wasLeft > 0 && headLeft == 0
    }
}
