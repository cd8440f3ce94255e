/// Sends one request to the servers that the key chooses, on a new connection, and blocks until the response
/// has arrived.

internal import Bytes
internal import Caching
internal import DataPlane
internal import Files
internal import HTTP
internal import Kernel
internal import Machines
internal import Settings
internal import SystemPackage

struct ExplainFetch: ~Copyable {
    let clock: ExplainClock
    let upstream: Upstream
    let choices: [Upstream.Server?]
    let forwarding: ForwardingFields
    let bodyLimit: Int
    /// The end of the whole fetch, in milliseconds of the monotonic clock.
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
        // No proxy is trusted: the request counts as sent by the client itself.
        forwarding = ForwardingFields(sends: settings.forwarded, trusted: [])
        timeoutMilliseconds = explainer.timeoutMilliseconds
        deadline = Clock.monotonicMilliseconds() + timeoutMilliseconds
    }

    /// Fetches from the first server that answers. `Attempts` decides, as for real traffic, whether a failed
    /// request may go to the next server.
    /// - Returns: nil if there is no response; `report.failure` says why.
    mutating func run(
        _ request: borrowing RequestHead, _ bytes: Span<UInt8>, _ verdict: RequestVerdict, host: Span<UInt8>,
        target: Span<UInt8>, _ scheme: Scheme, _ rules: Rules, _ report: inout ExplainReport
    ) -> ExplainedResponse? {
        guard upstream.scheme == .http else {
            report.failure = .init(
                description: "upstream \(upstream.name) needs TLS, which Larder cannot speak yet",
                status: 502)
            return nil
        }
        // Every connection is a new one.
        var attempts = Attempts(
            idempotent: OriginRequest.isReplayable(request), retries: upstream.retries, reuse: false)
        for index in choices.indices {
            var sent = Sent.nothing
            do throws(ExplainFetchFailure) {
                var connection = try connect(choices[index])
                var head = ByteBuffer(capacity: 1024)
                let peer = connection.localAddress ?? SocketAddress(ip: "127.0.0.1", port: 0)
                guard let peer else { throw .origin(.notConnected, "this machine has no local address") }
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
                    preconditionFailure("the connection is new, and no answer has started")
                }
            }
        }
        if choices.isEmpty {
            report.failure = .init(
                description: "all servers of \(upstream.name) have weight 0", status: 502)
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
                if failure.isCommandTimeout { throw failure }
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
            // The helper threads of the origin end with the process.
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

/// Why there is no response.
enum ExplainFetchFailure: Error, CustomStringConvertible {
    /// The fetch failed, and would also fail for a serving Larder.
    case origin(OriginFailure, String)
    /// The time of the command (`--timeout`) is over.
    case commandTimeout(String)

    var description: String {
        switch self {
        case .origin(_, let text), .commandTimeout(let text): text
        }
    }

    var isCommandTimeout: Bool {
        switch self {
        case .origin: false
        case .commandTimeout: true
        }
    }
}
