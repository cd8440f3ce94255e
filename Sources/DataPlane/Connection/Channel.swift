internal import Bytes
internal import Kernel
internal import SystemPackage

/// The bytes of one connection: its transport under edge-triggered epoll, the bytes that were received and
/// not used, and the bytes that were composed and not sent. Both buffers exist only while bytes wait in them,
/// so an idle connection owns none.
///
/// This is the lowest level of a connection. It moves bytes and knows no protocol. Nothing outside it names
/// the transport, so that every protocol runs over every transport.
struct Channel: ~Copyable {
    enum Received: Equatable {
        /// Bytes were appended, or kept ones were given back.
        case some
        /// The kernel has nothing more; an event will tell.
        case nothing
        /// The peer's end of stream. Kept bytes may have been given back with it.
        case end
        /// The connection is broken.
        case failed
    }

    enum Flushed: Equatable { case done, pending, failed }

    /// The most bytes one read takes, and the most a peer may owe us before we stop reading for it.
    static var window: Int { 64 * 1024 }

    private(set) var transport: Transport
    /// The kernel may have bytes for us; kept until a read comes up short.
    var readable = false
    /// The peer announced its end (RDHUP): reads go on until they return it.
    var ending = false
    /// The end was read.
    var ended = false
    /// Bytes were received and kept: is there an `input`? A flag, because every request asks several times,
    /// and to look at an optional buffer is to look at all of it.
    private(set) var hasInput = false
    /// Nothing waits for the socket to take it: is there no `output`?
    private(set) var isFlushed = true
    /// Bytes that the kernel took since the connection began.
    private(set) var taken: UInt64 = 0
    private var input: KeptBytes?
    private var output: KeptBytes?
    private let ledger: BufferLedger

    /// - Parameter ledger: counts the kept bytes.
    init(_ transport: consuming Transport, _ ledger: BufferLedger) {
        self.transport = transport
        self.ledger = ledger
    }

    /// Is there anything to read: kept, or perhaps in the kernel?
    var wantsReading: Bool { readable || hasInput }

    /// Bytes that wait for the socket to take them.
    var backlog: Int {
        switch output {
        case .some(let kept): kept.bytes.count
        case .none: 0
        }
    }

    /// What an event says of reading. A socket at its end stays readable, and every later event says so
    /// again: once the end was read that is no news.
    mutating func note(_ event: Event) {
        guard !ended else { return }
        if event.readHangup || event.hangup || event.error { ending = true }
        if event.readable || ending { readable = true }
    }

    /// Gives back the kept bytes, then reads once, up to a window, if the kernel may have something. A window
    /// of kept bytes is used first: whoever sends requests ahead would else have one more window kept with
    /// every answer.
    @inline(__always)
    mutating func receive(into buffer: inout ByteBuffer) -> Received {
        var gaveBack = false
        if hasInput {
            giveBack(into: &buffer)
            gaveBack = true
        }
        if buffer.count >= Self.window { return ended ? .end : .some }
        guard readable else { return ended ? .end : gaveBack ? .some : .nothing }
        switch transport.receive(into: &buffer, atMost: Self.window) {
        case .bytes(let n):
            // A short read means drained, unless the end still has to be read.
            if n < Self.window, !ending { readable = false }
            return .some
        case .wouldBlock:
            readable = false
            return gaveBack ? .some : .nothing
        case .endOfStream:
            readable = false
            ended = true
            return .end
        case .failed:
            readable = false
            return .failed
        }
    }

    /// Apart from `receive`, and not inlined into it: the compiler puts the taken buffer into a box on the
    /// heap, which would be one allocation for every read.
    @inline(never)
    private mutating func giveBack(into buffer: inout ByteBuffer) {
        hasInput = false
        if let kept = input.take() { buffer.append(kept.bytes.span) }
    }

    /// Keeps a copy of what was not used for the next turn.
    mutating func keep(_ rest: borrowing ByteBuffer) {
        guard !rest.isEmpty else { return }
        var kept = KeptBytes(capacity: rest.count, ledger)
        kept.bytes.append(rest.span)
        kept.recount()
        input = consume kept
        hasInput = true
    }

    mutating func dropInput() {
        input = nil
        hasInput = false
    }

    /// Sends what the socket takes at once and keeps a copy of the rest. False: the connection is broken.
    /// `last`: the connection ends behind these bytes, so the kernel may hold them until the close or
    /// shutdown that follows in this turn, and send both in one segment.
    mutating func send(_ a: Span<UInt8>, _ b: Span<UInt8>, _ c: Span<UInt8>, last: Bool = false) -> Bool {
        var sent = 0
        if isFlushed {
            switch transport.send(a, b, c, more: last) {
            case .bytes(let n):
                taken &+= UInt64(n)
                if n == a.count &+ b.count &+ c.count { return true }
                sent = n
            case .wouldBlock: break
            case .endOfStream, .failed: return false
            }
        }
        keepOutput(a, b, c, skipping: sent)
        return true
    }

    /// As the function above, for one run.
    @inline(__always)
    mutating func send(_ run: Span<UInt8>, last: Bool = false) -> Bool {
        var sent = 0
        if isFlushed {
            switch transport.send(run, more: last) {
            case .bytes(let n):
                taken &+= UInt64(n)
                if n == run.count { return true }
                sent = n
            case .wouldBlock: break
            case .endOfStream, .failed: return false
            }
        }
        keepOutput(run, Span(), Span(), skipping: sent)
        return true
    }

    /// Keeps a copy of what the socket did not take.
    @inline(never)
    private mutating func keepOutput(
        _ a: Span<UInt8>, _ b: Span<UInt8>, _ c: Span<UInt8>, skipping sent: Int
    ) {
        var sent = sent
        var rest = output.take() ?? KeptBytes(capacity: a.count + b.count + c.count - sent, ledger)
        Self.append(a, to: &rest.bytes, skipping: &sent)
        Self.append(b, to: &rest.bytes, skipping: &sent)
        Self.append(c, to: &rest.bytes, skipping: &sent)
        rest.recount()
        isFlushed = rest.bytes.isEmpty
        output = isFlushed ? nil : consume rest
    }

    /// Sends a head and a run of a buffer, either of them perhaps empty: one run alone is less to do.
    mutating func send(
        _ head: borrowing ByteBuffer, _ body: borrowing ByteBuffer, _ range: Range<Int>
    ) -> Bool {
        if range.isEmpty { return send(head) }
        if head.isEmpty { return send(body.span.extracting(range)) }
        return send(head.span, body.span.extracting(range), Span())
    }

    @inline(__always)
    mutating func send(_ head: borrowing ByteBuffer) -> Bool { send(head.span) }

    /// Sends kept bytes, after the socket became writable.
    mutating func flush() -> Flushed {
        guard var rest = output.take() else { return .done }
        isFlushed = true
        while !rest.bytes.isEmpty {
            switch transport.send(rest.bytes.span) {
            case .bytes(let n):
                taken &+= UInt64(n)
                rest.bytes.removeFirst(n)
            case .wouldBlock:
                output = consume rest
                isFlushed = false
                return .pending
            case .endOfStream, .failed: return .failed
            }
        }
        return .done
    }

    private static func append(_ span: Span<UInt8>, to buffer: inout ByteBuffer, skipping sent: inout Int) {
        let skipped = min(sent, span.count)
        sent -= skipped
        buffer.append(span.extracting(droppingFirst: skipped))
    }

    // MARK: Beginning and end

    /// Has `poller` tell of the connection's events under `token`, until the connection is closed.
    func watch(by poller: borrowing Poller, token: UInt64) throws(Errno) {
        try poller.add(transport.descriptor, token: token)
    }

    /// How connecting ended; nil if the connection stands.
    func connectError() -> Errno? { transport.connectError() }

    /// The kernel has bytes that were not received yet. Takes none.
    var hasQueuedInput: Bool { transport.hasQueuedInput }

    /// Tells the peer that no more bytes follow.
    func endOutput() { transport.endOutput() }

    /// Makes closing send a reset, and drop what the peer has not received.
    func resetOnClose() { transport.resetOnClose() }

    /// Whether the peer has acknowledged all bytes. To be asked once both sides have ended.
    func delivery() -> Socket.Delivery { transport.delivery() }

    // MARK: Hand-over

    /// A plain connection without its thread: what another process needs to go on with it.
    struct Parts: ~Copyable {
        var socket: Socket
        /// Bytes that were received and not used.
        var unread: ByteBuffer
        /// Bytes that were composed and not sent.
        var unsent: ByteBuffer
    }

    /// Goes on with a connection that was taken apart. It is not watched yet.
    init(_ parts: consuming Parts, _ ledger: BufferLedger) {
        let unread = parts.unread
        let unsent = parts.unsent
        self.init(.plain(parts.socket), ledger)
        keep(unread)
        if !unsent.isEmpty { keepOutput(unsent.span, Span(), Span(), skipping: 0) }
        // Nobody knows what the kernel has: the first read tells.
        readable = true
    }

    /// Takes the connection apart without closing it.
    consuming func takeApart() -> Parts {
        var unread = ByteBuffer()
        if hasInput { giveBack(into: &unread) }
        var unsent = ByteBuffer()
        if let kept = output.take() { unsent.append(kept.bytes.span) }
        switch consume transport {
        case .plain(let socket): return Parts(socket: socket, unread: unread, unsent: unsent)
        }
    }
}
