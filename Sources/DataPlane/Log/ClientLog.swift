internal import AccessLog
internal import Bytes
internal import Caching
internal import HTTP
internal import Kernel
internal import Loop
internal import Machines
internal import Settings

/// The access log's lines for the clients of one worker. A line goes as numbers and borrowed bytes to the
/// thread's buffer. The writer's thread makes text of it.
///
/// A line is written when the kernel has taken the last byte of its answer. So the line says what was sent
/// and when. Until then the line waits in `unsent`. A client gets its next answer only after that, so every
/// byte that the kernel takes on a connection belongs to exactly one line.
///
/// A client that has shut its sending side may have left, or may still wait for its answer. TCP shows the
/// same for both until the client's kernel acknowledges the answer or resets the connection. So the line of
/// such a client also waits in `unsent` until one of these happens.
struct ClientLog: ~Copyable {
    /// One line, without its texts.
    struct Line {
        var record: AccessRecord
        let client: Handle<Client>
        let started: Moment
        /// Why the client did not get the whole answer; nil if nothing was lost.
        var lost: Cause?
        /// Nothing more will be sent for this line.
        var isLast: Bool
    }

    /// A line whose answer is still being sent, or may not have reached its client.
    private struct UnsentLine {
        var held: HeldRecord
        let started: Moment
        /// The kernel has taken the whole answer: the line's bytes and duration are final.
        var isSent = false

        /// 101 (Switching Protocols): the line tells of a tunnel.
        var isTunnel: Bool { held.record.status == 101 }
    }

    private var log: AccessLogThread
    /// At most one line for each client, by the client's token.
    private var unsent: [UInt64: UnsentLine] = [:]

    init(_ log: consuming AccessLogThread) { self.log = log }

    /// False if no access log is configured: callers need not compose lines.
    var isEnabled: Bool { log.isEnabled }

    /// Hands the turn's lines to the writer's thread.
    mutating func flush() { log.flush() }

    /// Writes a line about a request that was parsed.
    /// - Parameters:
    ///   - request: parsed over the front of `buffer`.
    ///   - found: the bytes that break the record's rule; empty if no rule is broken.
    mutating func write(
        _ line: Line, _ request: borrowing RequestHead, in buffer: borrowing ByteBuffer,
        found: borrowing ByteBuffer, _ forwarding: borrowing ForwardingFields, to client: inout Client
    ) {
        let bytes = buffer.span
        let told = forwarding.client(of: request, bytes, peer: client.peer.address)
        let texts = AccessTexts(
            client: bytes.extracting(told), method: bytes.slice(request.methodName),
            target: bytes.slice(request.target),
            host: request.authority(in: bytes, defaultPort: Scheme.http.defaultPort),
            referer: bytes.slice(request.fields.first(.referer)?.value ?? .empty),
            userAgent: bytes.slice(request.fields.first(.userAgent)?.value ?? .empty), found: found.span)
        write(line, texts, to: &client)
    }

    /// Writes a line about bytes that were no request.
    /// - Parameter found: the bytes that break the record's rule.
    mutating func write(unparsed line: Line, found: borrowing ByteBuffer, to client: inout Client) {
        let texts = AccessTexts(
            client: Span(), method: Span(), target: Span(), host: Span(), referer: Span(),
            userAgent: Span(), found: found.span)
        write(line, texts, to: &client)
    }

    /// Writes the line, or keeps it until the rest of its answer is sent.
    private mutating func write(
        _ line: Line, _ texts: borrowing AccessTexts, to client: inout Client
    ) {
        let token = line.client.token
        let peer = client.peer.address
        guard line.isLast || client.channel.isFlushed else {
            unsent[token] = UnsentLine(
                held: log.hold(line.record, peer: peer, texts), started: line.started)
            return
        }
        var record = line.record
        Self.complete(&record, line.lost, started: line.started, &client)
        guard !line.isLast, client.channel.ending, record.status != 101 else {
            log.write(record, peer: peer, texts)
            return
        }
        let waiting = UnsentLine(
            held: log.hold(record, peer: peer, texts), started: line.started, isSent: true)
        if let earlier = unsent.updateValue(waiting, forKey: token) { log.write(earlier.held) }
    }

    /// Completes the record of an answer that has ended: bytes sent, and duration.
    private static func complete(
        _ record: inout AccessRecord, _ lost: Cause?, started: Moment, _ client: inout Client
    ) {
        if let lost { mark(&record, lost) }
        record.bytesSent = client.channel.taken &- client.logged
        client.logged = client.channel.taken
        record.durationMicroseconds = Clock.bootMicroseconds() &- started.microseconds
    }

    /// Writes the client's waiting line, if there is one: its answer is sent, or never will be.
    /// - Parameter lost: why the rest is not sent; nil if all is sent.
    mutating func finish(_ c: Handle<Client>, _ client: inout Client, lost: Cause?) {
        guard !unsent.isEmpty, var line = unsent.removeValue(forKey: c.token) else { return }
        if line.isSent {
            if let lost { Self.mark(&line.held.record, lost) }
        } else {
            Self.complete(&line.held.record, line.isTunnel ? nil : lost, started: line.started, &client)
        }
        log.write(line.held)
    }

    /// Writes all lines that wait, because the thread ends.
    mutating func finishAll(_ clients: inout SlotTable<Client>) {
        for (token, line) in unsent {
            let c = Handle<Client>(token: token)
            finish(c, &clients[c], lost: line.isSent ? nil : .stopped)
        }
    }

    /// Notes that the kernel has taken all bytes that were kept for the client.
    mutating func noteSent(_ c: Handle<Client>, _ client: inout Client) {
        guard !unsent.isEmpty, client.channel.ending, var line = unsent[c.token], !line.isSent,
            !line.isTunnel
        else {
            finish(c, &client, lost: nil)
            return
        }
        Self.complete(&line.held.record, nil, started: line.started, &client)
        line.isSent = true
        unsent[c.token] = line
    }

    /// Whether a line waits until the client acknowledges its answer. The whole answer is sent.
    func awaitsDelivery(_ c: Handle<Client>) -> Bool { !unsent.isEmpty && unsent[c.token]?.isSent == true }

    private static func mark(_ record: inout AccessRecord, _ lost: Cause) {
        record.status = 499
        record.cause = lost.code
    }
}
