/// One request to the servers that the key chooses, over a connection of its own, waiting for each byte: the
/// fetch of a command that does nothing else.

internal import Bytes
internal import Caching
internal import Machines
internal import Files
internal import HTTP
internal import Kernel
internal import DataPlane
internal import Settings
internal import SystemPackage

struct ExplainFetch: ~Copyable {
    let clock: ExplainClock
    let upstream: Upstream
    let choices: [Upstream.Server?]
    let forwarding: ForwardingFields
    let bodyLimit: Int
    /// By the monotonic clock, in milliseconds; for everything.
    let deadline: UInt64
    let timeoutMilliseconds: UInt64

    init(
        _ explainer: Explainer, _ settings: Settings, _ upstream: Upstream, _ choices: [Upstream.Server?],
        bodyLimit: Int
    ) {
        clock = explainer.clock
        self.upstream = upstream
        self.choices = choices
        self.bodyLimit = bodyLimit
        // The request is a client's own, from wherever it is explained.
        forwarding = ForwardingFields(sends: settings.forwarded, trusted: [])
        timeoutMilliseconds = explainer.timeoutMilliseconds
        deadline = Clock.monotonicMilliseconds() + timeoutMilliseconds
    }

    /// Fetches from the first server that answers, as Larder does, by its own rules on what is tried again.
    /// - Returns: nil where there is no answer; the report says why.
    mutating func run(
        _ request: borrowing RequestHead, _ bytes: Span<UInt8>, _ verdict: RequestVerdict, host: Span<UInt8>,
        target: Span<UInt8>, _ scheme: Scheme, _ rules: Rules, _ report: inout ExplainReport
    ) -> ExplainedAnswer? {
        guard upstream.scheme == .http else {
            report.failure = .init(
                description: "servers of upstream \(upstream.name) speak TLS, which Larder cannot yet",
                status: 502)
            return nil
        }
        // Every connection is a fresh one.
        var attempts = Attempts(
            idempotent: OriginRequest.isReplayable(request), retries: upstream.retries, reuse: false)
        for index in choices.indices {
            var sent = Sent.nothing
            do throws(ExplainFetchFailure) {
                var connection = try connect(choices[index])
                var head = ByteBuffer(capacity: 1024)
                let peer = connection.localAddress ?? SocketAddress(ip: "127.0.0.1", port: 0)
                guard let peer else { throw .origin(.notConnected, "no address of our own") }
                let serverHost = Array((choices[index]?.address.authority ?? "localhost").utf8)
                OriginRequest.append(
                    request, bytes, verdict, keyedHost: host, keyedTarget: target,
                    serverHost: serverHost.span, scheme: scheme, rules, forwarding, peer: ClientAddress(peer),
                    to: &head)
                report.sent = Self.lines(head)
                return try connection.exchange(
                    head, method: request.method, bodyLimit: bodyLimit, clock: clock, &sent)
            } catch {
                report.servers[index].failure = error.description
                guard case .origin(let failure, _) = error else {
                    report.failure = .init(description: error.description, status: nil)
                    return nil
                }
                let recovery = attempts.on(
                    failure, reused: false, sent: sent, serversLeft: index + 1 < choices.count)
                switch recovery {
                case .nextServer: continue
                case .answer(let status):
                    report.failure = .init(description: error.description, status: Int(status))
                    return nil
                case .reconnect, .abort:
                    preconditionFailure("no connection was used before, and no answer has begun")
                }
            }
        }
        if choices.isEmpty {
            report.failure = .init(description: "no server of \(upstream.name) has a weight", status: 502)
        }
        return nil
    }

    private static func lines(_ head: borrowing ByteBuffer) -> [String] {
        head.span.string.split(separator: "\r\n").map(String.init)
    }

    private func connect(_ server: Upstream.Server?) throws(ExplainFetchFailure) -> ExplainConnection {
        guard let server else { return try connectToFiles() }
        var last = ExplainFetchFailure.origin(.notConnected, "\(server.address): no address")
        for address in try addresses(of: server) {
            do {
                let connecting = try Socket.connect(to: address)
                let pending = connecting.inProgress
                var connection = try ExplainConnection(
                    connecting.socket, upstream.timeouts, deadline: deadline,
                    timeoutMilliseconds: timeoutMilliseconds)
                if pending { try connection.finishConnect(address) }
                return connection
            } catch let failure as ExplainFetchFailure {
                if failure.isOurs { throw failure }
                last = failure
            } catch {
                last = .origin(.notConnected, "\(address): \(error)")
            }
        }
        throw last
    }

    private func connectToFiles() throws(ExplainFetchFailure) -> ExplainConnection {
        guard case .files(let files) = upstream.origin else { throw .origin(.notConnected, "no server") }
        do {
            // Its helper threads end with the process.
            let origin = try FilesOrigin(files)
            return try ExplainConnection(
                try origin.connect(), upstream.timeouts, deadline: deadline,
                timeoutMilliseconds: timeoutMilliseconds, files: origin)
        } catch {
            throw .origin(.notConnected, "\(files.root): \(error)")
        }
    }

    private func addresses(of server: Upstream.Server) throws(ExplainFetchFailure) -> [SocketAddress] {
        switch server.address {
        case .host(let host, let port):
            do {
                return try Resolution.resolve(host: host, port: port)
            } catch {
                throw .origin(.notConnected, "\(error)")
            }
        case .unix(let path): return SocketAddress.unix(path: path).map { [$0] } ?? []
        case .dns, .srv:
            throw .origin(.notConnected, "\(server.name): servers from DNS are not built yet")
        }
    }
}

/// Why there is no answer.
enum ExplainFetchFailure: Error, CustomStringConvertible {
    /// As it is for Larder too.
    case origin(OriginFailure, String)
    /// The command's own time is over.
    case gaveUp(String)

    var description: String {
        switch self {
        case .origin(_, let text), .gaveUp(let text): text
        }
    }

    var isOurs: Bool {
        switch self {
        case .origin: false
        case .gaveUp: true
        }
    }
}
