// A constant-rate HTTP/1.1 client that does not forgive: `pace PORT TARGET CONNECTIONS RATE SECONDS`.
//
// Every request has a time at which it is due, and its latency counts from then: if the server stalls, the
// requests that came due meanwhile have waited, though they could not be sent (wrk and h2load leave those out:
// "co-ordinated omission"). Request k is due at k ÷ RATE on connection k mod CONNECTIONS; a connection whose
// last answer is still out sends the next as soon as it has come. The loop spins rather than sleeps, so it wants
// a core of its own. Prints one line of `name=value`, times in microseconds; `lag` is by how much the client
// itself was late to send on a free connection: where it is not far below the latencies, the client is what was
// measured.

import Bytes
import Glibc
import HTTP
import Kernel
import SystemPackage

struct Unexpected: Error { let what: String }

/// One connection: what it has been answered, and since when the request that is out was due.
struct Client: ~Copyable {
    let socket: Socket
    var received = ByteBuffer(capacity: 8192)
    /// Bytes of the whole answer, once its head was read.
    var whole: Int?
    /// When the request that is out was due; nil: none is.
    var due: UInt64?

    init(_ socket: consuming Socket) { self.socket = socket }

    mutating func send(_ request: borrowing ByteBuffer, due: UInt64) throws {
        guard case .bytes(request.count) = socket.send(request.span) else {
            throw Unexpected(what: "a request could not be sent")
        }
        self.due = due
    }

    /// Reads what came. True: the answer is whole.
    mutating func receive(_ response: inout ResponseHead) throws -> Bool {
        switch socket.receive(into: &received, atMost: 65_536) {
        case .bytes: break
        case .wouldBlock: return false
        case .endOfStream, .failed: throw Unexpected(what: "the server closed a connection")
        }
        if whole == nil {
            let limits = HeadLimits(head: 16_384, fields: 100)
            var scan = HeadScan()
            switch response.parse(received.span, limits: limits, scan: &scan, requestMethod: .get) {
            case .needMore: return false
            case .refused: throw Unexpected(what: "an answer that is no HTTP")
            case .complete(let count):
                guard response.status == 200, case .length(let n) = response.framing else {
                    throw Unexpected(what: "status \(response.status), \(response.framing)")
                }
                whole = count + Int(n)
            }
        }
        guard let count = whole, received.count >= count else { return false }
        received.removeAll()
        whole = nil
        return true
    }
}

@main
struct Pace: ~Copyable {
    /// A client that falls this far behind measures nothing any more.
    static let patienceMicroseconds: UInt64 = 5_000_000

    var poller: Poller
    var clients: InlineArray<256, Client?>
    let count: Int
    let request: ByteBuffer
    var response = ResponseHead()
    var latencies: [UInt32] = []
    var lags: [UInt32] = []

    static func main() throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 6, let port = UInt16(arguments[1]), let count = Int(arguments[3]),
            let rate = Int(arguments[4]), let seconds = Int(arguments[5]), (1...256).contains(count), rate > 0
        else {
            print("usage: pace PORT TARGET CONNECTIONS(1–256) RATE SECONDS")
            exit(2)
        }
        var pace = try Pace(port: port, target: arguments[2], connections: count)
        // The first second warms both sides and is not counted.
        try pace.run(rate: rate, requests: rate)
        pace.latencies.removeAll(keepingCapacity: true)
        pace.lags.removeAll(keepingCapacity: true)
        let began = Clock.monotonicMicroseconds()
        try pace.run(rate: rate, requests: rate * seconds)
        pace.report(took: Clock.monotonicMicroseconds() - began)
    }

    init(port: UInt16, target: String, connections: Int) throws {
        var poller = try Poller(capacity: 256)
        var clients: InlineArray<256, Client?> = InlineArray { _ in nil }
        var request = ByteBuffer(capacity: 512)
        request.append(text: "GET \(target) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\n\r\n")
        for index in 0..<connections {
            let connecting = try Socket.connect(to: .ipv4(0x7f00_0001, port: port))
            try poller.add(connecting.socket.raw, token: UInt64(index))
            clients[index] = Client(connecting.socket)
        }
        // All are connected once all are writable.
        var writable = 0
        while writable < connections {
            guard poller.wait(timeoutMilliseconds: 10_000) > 0 else {
                throw Unexpected(what: "no connection within 10 s")
            }
            for index in 0..<poller.count where poller[index].writable { writable += 1 }
        }
        self.poller = poller
        self.clients = clients
        self.request = request
        count = connections
    }

    /// Sends `requests` as they come due and reads their answers.
    mutating func run(rate: Int, requests: Int) throws {
        let began = Clock.monotonicMicroseconds() + 1000
        // By connection, the number of its next request.
        var next = Array(0..<count)
        var answered = 0
        var turn = 0
        let isDue = { (k: Int) in began + UInt64(k) * 1_000_000 / UInt64(rate) }
        while answered < requests {
            let now = Clock.monotonicMicroseconds()
            // Requests come due in the order of the connections.
            while turn < requests, isDue(turn) <= now {
                let index = turn % count
                if next[index] == turn, clients[index]?.due == nil {
                    lags.append(UInt32(clamping: now - isDue(turn)))
                    try clients[index]?.send(request, due: isDue(turn))
                    next[index] = turn + count
                }
                turn += 1
            }
            for event in 0..<poller.wait(timeoutMilliseconds: 0) {
                let index = Int(poller[event].token)
                guard poller[event].readable, let due = clients[index]?.due,
                    try clients[index]?.receive(&response) == true
                else { continue }
                let arrived = Clock.monotonicMicroseconds()
                latencies.append(UInt32(clamping: arrived - due))
                answered += 1
                clients[index]?.due = nil
                // What came due while this answer was out.
                if next[index] < turn {
                    try clients[index]?.send(request, due: isDue(next[index]))
                    next[index] += count
                }
            }
            if turn < requests, now > isDue(turn) + Self.patienceMicroseconds {
                throw Unexpected(what: "the client cannot keep up with \(rate) requests a second")
            }
        }
    }

    mutating func report(took: UInt64) {
        latencies.sort()
        lags.sort()
        func quantile(_ sorted: [UInt32], _ share: Double) -> UInt32 {
            sorted.isEmpty ? 0 : sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))]
        }
        print(
            "requests=\(latencies.count) rate=\(UInt64(latencies.count) * 1_000_000 / max(took, 1))",
            "p50=\(quantile(latencies, 0.5)) p90=\(quantile(latencies, 0.9))",
            "p99=\(quantile(latencies, 0.99)) p999=\(quantile(latencies, 0.999))",
            "max=\(latencies.last ?? 0) lag=\(quantile(lags, 0.999))")
    }
}
