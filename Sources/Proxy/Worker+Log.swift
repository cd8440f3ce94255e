internal import AccessLog
internal import Bytes
internal import Caching
internal import Exchange
internal import HTTP
internal import Kernel
internal import Loop
internal import Settings

/// The access log's records. Numbers and borrowed bytes go to the thread's buffer; the writer's thread makes
/// text of them.
extension Worker {
    /// A hit; its head is in `request` over `inbound`.
    mutating func logHit(_ h: Handle, route: Int, _ hit: Hit, _ again: Again?) {
        guard log.isEnabled else { return }
        var cache = hit.isStale ? CacheResult.stale : .hit
        if again?.cause == .renewed { cache = .revalidated }
        var entry = record(hit.status, bytes: UInt64(hit.bytes), cache: cache, reason: nil, route: route)
        if let again { entry.durationMicroseconds = now.microseconds &- again.startedMicroseconds }
        write(h, entry)
    }

    /// An answer of our own to the request in `request` over `inbound`.
    mutating func logLocal(_ h: Handle, _ answer: LocalAnswer) {
        guard log.isEnabled else { return }
        write(
            h, record(answer.status, bytes: UInt64(out.count), cache: .none, reason: answer.reason, route: -1)
        )
    }

    /// An answer to bytes that made no request.
    mutating func logUnparsed(_ h: Handle, status: UInt16) {
        guard log.isEnabled else { return }
        log.write(
            record(status, bytes: UInt64(out.count), cache: .none, reason: nil, route: -1),
            client: clients[h].peer.address,
            method: Span(), target: Span(), host: Span(), referer: Span(), userAgent: Span())
    }

    /// An exchange with an origin, when its answer is complete or given up; once, while its client is there.
    @inline(__always)
    mutating func logForward(_ f: Handle) {
        if log.isEnabled { writeForward(f) }
    }

    private mutating func writeForward(_ f: Handle) {
        guard let c = forwards[f].client else { return }
        parseHead(f)
        var entry = record(
            forwards[f].status, bytes: forwards[f].bytesSent,
            cache: forwards[f].forwarding == .bypass ? .bypass : .miss,
            reason: forwards[f].reason, route: forwards[f].route)
        entry.durationMicroseconds = now.microseconds &- forwards[f].startedMicroseconds
        entry.server = Int32(forwards[f].server)
        entry.choice = forwards[f].choice
        let peer = clients[c].peer.address
        Self.write(entry, peer, request, &forwards[f], &log)
    }

    private mutating func write(_ h: Handle, _ entry: AccessRecord) {
        Self.write(entry, clients[h].peer.address, request, inbound, &log)
    }

    private static func write(
        _ entry: AccessRecord, _ peer: SocketAddress, _ request: borrowing RequestHead,
        _ forward: inout Forward,
        _ log: inout AccessLogThread
    ) { write(entry, peer, request, forward.request, &log) }

    /// `request` is parsed over the front of `buffer`.
    private static func write(
        _ entry: AccessRecord, _ peer: SocketAddress, _ request: borrowing RequestHead,
        _ buffer: borrowing ByteBuffer,
        _ log: inout AccessLogThread
    ) {
        let bytes = buffer.span
        log.write(
            entry, client: peer, method: bytes.slice(request.methodName), target: bytes.slice(request.target),
            host: request.authority(in: bytes, defaultPort: Scheme.http.defaultPort),
            referer: bytes.slice(request.fields.first(.referer)?.value ?? .empty),
            userAgent: bytes.slice(request.fields.first(.userAgent)?.value ?? .empty))
    }

    private func record(
        _ status: UInt16, bytes: UInt64, cache: CacheResult, reason: Reason?, route: Int
    ) -> AccessRecord {
        AccessRecord(
            wallMilliseconds: now.times.wallMilliseconds,
            version: request.minorVersion == 0 ? .http10 : .http11,
            status: status, bytesSent: bytes, durationMicroseconds: 0, cache: cache,
            reason: reason?.code ?? "",
            route: Int32(route))
    }
}

extension AccessLog.Options {
    init(_ settings: Settings) throws(StartFailure) {
        let destination: AccessLog.Destination
        switch settings.log.access {
        case .none: destination = .none
        case .standardOutput: destination = .standardOutput
        case .file(let path): destination = .file(path)
        case .syslog: throw StartFailure("syslog is not built yet")
        }
        let format: LogFormat
        do {
            switch settings.log.format {
            case .json: format = .json
            case .combined: format = .combined
            case .template(let text): format = try LogFormat(parsing: text)
            }
        } catch {
            throw StartFailure("\(error)")
        }
        self.init(
            destination: destination, format: format, routes: settings.routes.map(\.name),
            servers: settings.upstreams.flatMap(\.serverNames))
    }
}
