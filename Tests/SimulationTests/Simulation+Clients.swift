/// What clients do: connect, ask, send in pieces, pipeline, read late, leave; and what they read.
import Bytes
import HTTP
import Kernel
import Machines
import SeededRandom

extension Simulation {
    // MARK: Asking

    func arrive() {
        let link: ClientLink
        if random.picks(45), let known = someClient(), !known.isOver, !known.isShut, known.asks.count < 3 {
            link = known
        } else {
            guard clientOrder.count < 24, let new = connect(random.below(Stage.threads)) else { return }
            link = new
        }
        var want = want()
        if link.asks.isEmpty, random.picks(5) {
            want.isOld = true
            // HTTP/1.0 knows no chunks.
            want.upload?.isChunked = false
        }
        let isAhead = random.picks(10) && !want.isOld
        ask(link, want)
        if isAhead { ask(link, self.want()) }
        if random.picks(80) {
            link.send(atMost: .max, instant)
        } else {
            link.send(atMost: 1 + random.below(link.unsent.count), instant)
        }
    }

    private func connect(_ seat: Int) -> ClientLink? {
        guard let begun = try? Socket.connect(to: stage.seats[seat].address) else { return nil }
        let link = ClientLink(id: id(), seat: seat, begun.socket)
        watch(link.socket?.raw, link.id)
        clients[link.id] = link
        clientOrder.append(link.id)
        trace.note(step, .connect, link.id, seat)
        return link
    }

    func watch(_ raw: CInt?, _ id: Int) {
        guard let raw else { return }
        do { try poller.add(raw, token: UInt64(id)) } catch { report(.released, "\(error)") }
    }

    private func ask(_ link: ClientLink, _ want: Want) {
        requestCount += 1
        tally.requests += 1
        collapsing.asked.append(Ask(number: requestCount, want: want, arrived: instant, end: 0))
        if want.upload != nil { tally.uploads += 1 }
        link.compose(want, number: requestCount, instant)
        trace.note(step, .request, requestCount, link.id)
    }

    func someClient() -> ClientLink? {
        clientOrder.isEmpty ? nil : clients[clientOrder[random.below(clientOrder.count)]]
    }

    private func want() -> Want {
        var want = Want()
        want.resource =
            random.picks(85) ? random.below(hotCount) : random.below(Simulation.resourceCount)
        if random.picks(28) { want.resource = random.pick([1, 9, 17]) }
        want.method = random.picks(90) ? .get : random.pick([.head, .head, .post, .post, .delete])
        if want.method == .post {
            let count = random.picks(20) ? 30_000 : random.below(300)
            want.upload = Want.Upload(count: count, isChunked: random.picks(40))
        }
        if random.picks(10) { want.user = random.below(3) }
        if random.picks(6) { want.bearer = random.below(3) }
        if random.picks(60) { want.language = random.below(3) }
        want.coding = random.pick([.identity, .identity, .either, .either, .all, .all, .all, .gzipOnly])
        if random.picks(12) { restrict(&want) }
        if random.picks(15) { condition(&want) }
        if random.picks(8) {
            want.range = random.pick([
                .from(random.below(900), to: nil), .from(10, to: random.below(300) + 10),
                .last(random.below(80)),
            ])
            if random.picks(30) { want.ifRange = tag(want) }
        }
        return want
    }

    private func restrict(_ want: inout Want) {
        switch random.below(7) {
        case 0: want.isNoCache = true
        case 1: want.isNoStore = true
        case 2: want.isOnlyIfCached = true
        case 3: want.maxAge = random.below(6)
        case 4: want.minFresh = 1 + random.below(5)
        default: want.maxStale = random.picks(30) ? .max : random.below(20)
        }
    }

    private func condition(_ want: inout Want) {
        if random.picks(60) {
            want.ifNoneMatch = tag(want)
        } else {
            want.ifModifiedSince =
                Representation.epoch + Int64(origin.resources[want.resource].version - random.below(2))
        }
    }

    /// Of what the client would get now, or of what it got before.
    private func tag(_ want: Want) -> String {
        let resource = origin.resources[want.resource]
        var made = Representation(resource: want.resource, version: resource.version - random.below(2))
        if resource.style.varies.contains(.language) { made.language = want.language ?? 0 }
        made.isGzip = resource.style.isCoded && want.acceptsGzip
        return made.tag
    }

    // MARK: What else they do

    /// Sends more of a request, or reads some of an answer.
    func goOn() {
        guard let link = someClient() else { return }
        if !link.unsent.isEmpty {
            trace.note(step, .sends, link.id)
            link.send(atMost: random.picks(50) ? .max : 1 + random.below(link.unsent.count), instant)
        } else if link.isSlow {
            read(link, atMost: 1 + random.below(1500))
        }
    }

    func misbehave() {
        guard let link = someClient() else { return }
        switch random.below(10) {
        case 0..<4:
            trace.note(step, .leaves, link.id)
            forget(link)
        case 4..<6:
            trace.note(step, .shuts, link.id)
            link.shut()
        case 6..<8:
            link.isSlow = true
            trace.note(step, .slow, link.id)
        default:
            let seat = random.below(Stage.threads)
            trace.note(step, .narrow, seat)
            stage.narrow(seat: seat, at: random.below(24))
        }
    }

    private func forget(_ link: ClientLink) {
        link.socket = nil
        clients[link.id] = nil
        clientOrder.removeAll { $0 == link.id }
    }

    // MARK: Reading

    func read(_ link: ClientLink, atMost limit: Int = 1 << 16) {
        while link.socket != nil {
            switch link.receive(atMost: limit) {
            case .bytes(let n):
                use(link)
                if n < limit || limit < 1 << 16 { return }
            case .wouldBlock: return
            case .endOfStream: return end(link, isReset: false)
            case .failed: return end(link, isReset: true)
            }
        }
    }

    private func use(_ link: ClientLink) {
        while !link.inbound.isEmpty || link.isInBody {
            // A body for half a HEAD request is none to a client that reads by its own method.
            if link.isOver, link.mayBeAhead { return link.inbound.removeAll() }
            guard let ask = link.asks.first, !link.isOver else {
                let text = link.inbound.span.string
                return report(.framed, "nobody asked on connection \(link.id) for: \(text)")
            }
            if link.isInBody {
                guard readBody(link, ask) else { return }
            } else {
                guard readHead(link, ask) else { return }
            }
        }
    }

    /// - Returns: is there a whole head?
    private func readHead(_ link: ClientLink, _ ask: Ask) -> Bool {
        // A slow client's answer may have been composed at any moment since it was asked for.
        if link.begun == nil { link.begun = link.wasSlow || hadBacklog ? ask.arrived : instant }
        let result = response.parse(
            link.inbound.span, limits: Wire.limits, scan: &link.scan, requestMethod: ask.want.method)
        guard case .complete(let count) = result else {
            if result != .needMore {
                let text = lend(link.inbound) { $0.string }
                report(.framed, "the answer to \(ask.number) is no HTTP: \(result): \(text)")
            }
            return false
        }
        link.scan = HeadScan()
        guard response.status >= 200 else {
            expect(!ask.want.isOld, .framed, "an interim answer to an HTTP/1.0 client")
            tally.interim += 1
            link.inbound.removeFirst(count)
            link.begun = nil
            return true
        }
        expect(
            !ask.want.isOld || response.framing != .chunked, .framed, "chunks for an HTTP/1.0 client")
        link.head.removeAll()
        link.head.append(link.inbound.span.extracting(first: count))
        link.inbound.removeFirst(count)
        link.body = BodyReader(response.framing, trailerLimit: 4096)
        link.endsByClose = response.framing == .untilClose
        link.closes = !response.keepAlive || ask.want.isOld || link.endsByClose
        link.isInBody = true
        return true
    }

    /// - Returns: is the body whole, and judged?
    private func readBody(_ link: ClientLink, _ ask: Ask) -> Bool {
        var offset = 0
        defer { link.inbound.removeFirst(offset) }
        while true {
            let (step, next) = link.body.next(link.inbound, from: offset)
            offset = next
            switch step {
            case .data(let range):
                link.content.append(link.inbound.span.extracting(range))
                guard link.body.isComplete else { continue }
                judge(link, ask)
                return true
            case .needMore: return false
            case .end:
                judge(link, ask)
                return true
            case .refused(let refusal):
                report(.framed, "a body for \(ask.number) that is no HTTP: \(refusal)")
                return false
            }
        }
    }

    /// The worker has closed the connection.
    private func end(_ link: ClientLink, isReset: Bool) {
        trace.note(step, .ended, link.id, isReset ? 1 : 0)
        if let ask = link.asks.first, !link.isOver {
            if link.isInBody, link.endsByClose, !isReset {
                judge(link, ask)
            } else if link.isInBody || !link.inbound.isEmpty {
                tally.cut += 1
                trace.note(step, .cut, link.id, ask.number)
            } else if ask.sent != nil, !link.wasSlow, ask.want.upload == nil {
                expect(link.isShut, .answered, "request \(ask.number) is not answered")
            }
        }
        forget(link)
    }

    private func judge(_ link: ClientLink, _ ask: Ask) {
        let begun = link.begun ?? instant
        let world = Oracle.World(
            now: now, step: step, earliest: begun.moment, earliestStep: begun.step,
            isExact: begun.step == step, arrivedStep: ask.arrived.step, client: ask.number,
            isWhole: ask.sent != nil && !link.wasSlow, mayBeCut: link.endsByClose)
        if !world.isWhole { link.mayBeAhead = true }
        trace.note(step, .answered, ask.number, link.id)
        do throws(Violation) {
            let verdict = try oracle.check(
                ask.want, link.head, link.content.span, world, origin.journal, purges)
            count(verdict)
            noteStored(verdict)
            for resource in verdict.invalidated {
                purges.hard[resource] = max(purges.hard[resource], begun.step)
            }
        } catch {
            report(error.invariant, "request \(ask.number): \(error.text)")
        }
        link.endAnswer()
    }

    private func count(_ verdict: Oracle.Verdict) {
        switch verdict.source {
        case .store(nil): tally.hits += 1
        case .store(.collapsed): tally.collapsed += 1
        case .store(.revalidated), .store(.fetched): tally.renewed += 1
        case .store(.failed): tally.failed += 1
        case .origin: tally.forwarded += 1
        case .local: tally.local += 1
        }
        if verdict.isStale { tally.stale += 1 }
        if verdict.isCoded { tally.coded += 1 }
        if verdict.isUndone { tally.undone += 1 }
        if verdict.status == 304 { tally.notModified += 1 }
        if verdict.status == 206 { tally.partial += 1 }
    }
}
