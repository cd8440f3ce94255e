// An HTTP/1.1 client that sends at a constant rate: `pace PORT TARGET CONNECTIONS RATE SECONDS`.
//
// Every request has a time at which it is due, and its latency counts from that time. If the server stalls,
// the requests that become due during the stall have waited, although they could not be sent. (wrk and h2load
// ignore those: "co-ordinated omission".) Request k is due at k ÷ RATE on connection k mod CONNECTIONS. If
// the last answer on that connection has not arrived, the request is sent as soon as it has. The loop spins
// and does not sleep, so it needs a core of its own.
//
// It prints one line of `name=value` with times in microseconds. `lag` says how late the client itself was to
// send on a free connection. If `lag` is not far below the latencies, the figures show the client.

import Bytes
import Glibc
import HTTP
import Kernel
import SystemPackage

struct Unexpected: Error { let what: String }

/// A connection: the bytes of the present answer, and the time at which its request was due.
struct Client: ~Copyable {
    let socket: Socket
    var received = ByteBuffer(capacity: 8192)
    /// The size of the whole answer in bytes, known after its head.
    var whole: Int?
    /// The time at which the present request was due; nil: there is no request.
    var due: UInt64?

    init(_ socket: consuming Socket) { self.socket = socket }

    mutating func send(_ request: borrowing ByteBuffer, due: UInt64) throws {
        guard case .bytes(request.count) = socket.send(request.span) else {
            throw Unexpected(what: "a request could not be sent")
        }
        self.due = due
    }

    /// Receives bytes. Returns true if the answer is whole.
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
    /// A client that is later than this does not measure the server any more.
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
        // The first second warms up both sides and does not count.
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
        // All connections are established when all are writable.
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

    /// Sends `requests` when they become due, and reads their answers.
    mutating func run(rate: Int, requests: Int) throws {
        let began = Clock.monotonicMicroseconds() + 1000
        // The number of the next request of each connection.
        var next = Array(0..<count)
        var answered = 0
        var turn = 0
        let isDue = { (k: Int) in began + UInt64(k) * 1_000_000 / UInt64(rate) }
        while answered < requests {
            let now = Clock.monotonicMicroseconds()
            // Requests become due in the order of the connections.
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
                // A request that became due before this answer had arrived.
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
