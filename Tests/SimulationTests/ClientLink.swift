/// A client's connection: the simulator's end of it, what was asked on it, and the answer that is coming.
import Bytes
import HTTP
import Kernel
import Machines

/// A request on its way.
struct Ask {
    let number: Int
    let want: Want
    let arrived: Instant
    /// Bytes of the connection up to and with this request.
    let end: Int
    /// When the last of it was sent.
    var sent: Instant?
}

/// A step, and what the clocks say in it.
struct Instant {
    var step: Int
    var moment: Moment
}

final class ClientLink {
    let id: Int
    let seat: Int
    /// nil: closed by us.
    var socket: Socket?
    /// Composed and not sent.
    var unsent = ByteBuffer(capacity: 512)
    private var composed = 0
    private var sent = 0
    /// An answer came to what was perhaps not a whole request.
    var mayBeAhead = false
    /// Whose answers have not come.
    var asks: [Ask] = []
    var inbound = ByteBuffer(capacity: 1024)
    var scan = HeadScan()
    /// Since when the answer's final head may have been composed; nil: nothing of it has come.
    var begun: Instant?
    var head = ByteBuffer(capacity: 512)
    var body = BodyReader(.none, trailerLimit: 0)
    var content = ByteBuffer(capacity: 512)
    var isInBody = false
    var endsByClose = false
    /// The answer at hand is the last of the connection.
    var closes = false
    /// An answer was the last one: what was asked behind it is asked in vain.
    var isOver = false
    /// Reads little, and late.
    var isSlow = false { didSet { if isSlow { wasSlow = true } } }
    /// When an answer was composed cannot be told any more.
    private(set) var wasSlow = false
    /// Has said that it sends no more.
    var isShut = false

    init(id: Int, seat: Int, _ socket: consuming Socket) {
        self.id = id
        self.seat = seat
        self.socket = consume socket
    }

    func compose(_ want: Want, number: Int, _ now: Instant) {
        let before = unsent.count
        want.write(number: number, to: &unsent)
        composed += unsent.count - before
        asks.append(Ask(number: number, want: want, arrived: now, end: composed))
    }

    /// Sends so many bytes at most.
    func send(atMost limit: Int, _ now: Instant) {
        guard !unsent.isEmpty else { return }
        let count = min(limit, unsent.count)
        let result = socket?.send(unsent.span.extracting(first: count)) ?? .wouldBlock
        switch result {
        case .bytes(let n):
            unsent.removeFirst(n)
            sent += n
            for index in asks.indices where asks[index].sent == nil && asks[index].end <= sent {
                asks[index].sent = now
            }
        case .wouldBlock: break
        // The worker is gone: that is seen by reading.
        case .endOfStream, .failed: unsent.removeAll()
        }
    }

    /// Says that no more is sent.
    func shut() {
        guard unsent.isEmpty else { return }
        socket?.shutdownWrite()
        isShut = true
    }

    /// What the worker sent, at most so much of it; appended to `inbound`.
    func receive(atMost limit: Int) -> IOResult {
        socket?.receive(into: &inbound, atMost: limit) ?? .endOfStream
    }

    func endAnswer() {
        begun = nil
        isInBody = false
        content.removeAll()
        if closes { isOver = true }
        if !asks.isEmpty { asks.removeFirst() }
    }
}

/// Lends a buffer's bytes: a span of a class's own buffer must not outlive the access to it.
func lend<R>(_ buffer: borrowing ByteBuffer, to use: (Span<UInt8>) -> R) -> R { use(buffer.span) }
