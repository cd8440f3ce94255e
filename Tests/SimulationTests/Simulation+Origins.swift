/// What the origin's servers do: accept, read requests, answer piece by piece, stall, say what nobody asked
/// for, close, and go down.
import Bytes
import HTTP
import Kernel
import Machines
import SeededRandom

extension Simulation {
    /// Connections that a worker has opened in its turn.
    func acceptOrigins(_ seat: Int) {
        for (index, server) in stage.servers.enumerated() {
            while let socket = server.accept() {
                let link = OriginLink(id: id(), seat: seat, server: index, socket)
                origins[link.id] = link
                originOrder.append(link.id)
                watch(link.socket?.raw, link.id)
                // What was sent on it was sent in this turn.
                read(link)
            }
        }
    }

    private func forget(_ link: OriginLink) {
        link.socket = nil
        origins[link.id] = nil
        originOrder.removeAll { $0 == link.id }
    }

    // MARK: Reading

    func read(_ link: OriginLink) {
        while link.socket != nil {
            let result = link.socket?.receive(into: &link.inbound, atMost: 1 << 16) ?? .endOfStream
            switch result {
            case .bytes: use(link)
            case .wouldBlock: return
            case .endOfStream, .failed: return forget(link)
            }
        }
    }

    private func use(_ link: OriginLink) {
        if link.begun == nil { link.begun = instant }
        if link.asked == nil {
            switch requests.read(link.inbound, &link.scan) {
            case .needMore: return
            case .refused(let refusal):
                return report(.framed, "a request that no origin understands: \(refusal)")
            case .complete(let asked, let count):
                link.scan = HeadScan()
                link.inbound.removeFirst(count)
                link.asked = asked
                link.upload = BodyReader(asked.framing, trailerLimit: 4096)
                trace.note(step, .asked, link.id, asked.number)
                if asked.method == .post {
                    let (isFirst, _) = posted.insert(asked.number)
                    expect(isFirst, .once, "request \(asked.number) is sent twice")
                }
                if link.serial == -2 { tally.reused += 1 }
            }
        }
        readUpload(link)
    }

    private func readUpload(_ link: OriginLink) {
        guard let asked = link.asked else { return }
        var offset = 0
        defer { link.inbound.removeFirst(offset) }
        while !link.upload.isComplete {
            let (step, next) = link.upload.next(link.inbound, from: offset)
            offset = next
            switch step {
            case .data(let range):
                let start = link.uploaded
                link.uploaded += range.count
                let bytes = link.inbound.span.extracting(range)
                for index in bytes.indices
                where bytes[index] != Want.Upload.byte(asked.number, at: start + index) {
                    return report(.whole, "byte \(start + index) of upload \(asked.number) is another")
                }
            case .needMore: return
            case .end: break
            case .refused(let refusal):
                return report(.framed, "an upload that is no HTTP: \(refusal)")
            }
        }
        trace.note(step, .upload, link.id, link.uploaded)
    }

    // MARK: Answering

    /// Some server says something.
    func speakSomewhere() {
        let busy = originOrder.filter { origins[$0]?.isBusy == true }
        guard !busy.isEmpty, let link = origins[random.pick(busy)] else { return }
        guard !link.isStalled else { return }
        speak(link)
    }

    func speak(_ link: OriginLink) {
        guard let asked = link.asked else { return }
        guard link.hasAnswered else { return begin(link, asked) }
        let count = link.reply.count
        let most = count == 0 || random.picks(50) ? count : 1 + random.below(count)
        if link.send(atMost: most) { noteHead(link) }
        trace.note(step, .piece, link.id, most)
        if link.reply.isEmpty { end(link) }
    }

    private func noteHead(_ link: OriginLink) {
        if link.serial >= 0 { unread[link.seat].append(link.serial) }
    }

    /// All of the answer is sent.
    private func end(_ link: OriginLink) {
        // An answer before the end of the request ends the connection.
        if link.closes || !link.upload.isComplete {
            trace.note(step, .closed, link.id)
            return forget(link)
        }
        link.rest()
        link.serial = -2
    }

    private func begin(_ link: OriginLink, _ asked: Asked) {
        if !link.upload.isComplete {
            guard random.picks(10) else { return read(link) }
            trace.note(step, .early, link.id)
        }
        link.hasAnswered = true
        link.closes = true
        switch random.below(100) {
        case 0..<3:
            trace.note(step, .closed, link.id)
            return forget(link)
        case 3..<5:
            trace.note(step, .garbage, link.id)
            link.reply.append("HTTP/1.1 2x0 Garbage\r\n\r\n")
            return
        case 5:
            trace.note(step, .stall, link.id)
            link.hasAnswered = false
            link.isStalled = true
            return
        default: break
        }
        answer(link, asked)
        switch random.below(100) {
        case 0..<4: truncate(link)
        case 4: link.isStalled = true
        case 5..<7: appendSurplus(link, asked)
        default: break
        }
    }

    private func answer(_ link: OriginLink, _ asked: Asked) {
        let begun = link.begun ?? instant
        let reply = origin.answer(
            asked, sentStep: begun.step, sent: begun.moment, seconds: originSeconds, &random)
        link.reply.append(reply.bytes.span)
        link.headLeft = reply.headCount
        link.closes = reply.closes
        link.serial = origin.journal.count - 1
        noteAnswer(origin.journal[link.serial])
        trace.note(step, .reply, link.id, link.serial)
    }

    private func truncate(_ link: OriginLink) {
        let before = link.reply.count
        link.reply.removeLast(1 + random.below(before - 1))
        link.closes = true
        if origin.journal[link.serial].style.framing == .close, link.reply.count >= link.headLeft {
            origin.journal[link.serial].isCut = true
        }
        trace.note(step, .cut, link.id, before - link.reply.count)
    }

    /// A second answer behind the first, which nobody has asked for.
    private func appendSurplus(_ link: OriginLink, _ asked: Asked) {
        guard !link.closes else { return }
        var other = asked
        other.number = -1
        let reply = origin.answer(
            other, sentStep: step, sent: now, seconds: originSeconds, &random)
        link.reply.append(reply.bytes.span)
        trace.note(step, .surplus, link.id)
    }

    // MARK: What else they do

    /// An idle connection ends, or says what nobody has asked for.
    func disturbIdle() {
        let idle = originOrder.filter { origins[$0]?.isBusy == false }
        guard !idle.isEmpty, let link = origins[random.pick(idle)], link.begun == nil else { return }
        if random.picks(60) {
            trace.note(step, .closed, link.id)
            return forget(link)
        }
        trace.note(step, .unasked, link.id)
        var asked = Asked()
        asked.resource = random.below(hotCount)
        let reply = origin.answer(asked, sentStep: step, sent: now, seconds: originSeconds, &random)
        _ = link.socket?.send(reply.bytes.span)
        // Whatever comes now is not answered by it.
        link.closes = true
    }

    func unstall() {
        guard let id = originOrder.first(where: { origins[$0]?.isStalled == true }) else { return }
        origins[id]?.isStalled = false
    }

    func toggleServer() {
        let down = stage.servers.filter { $0.listener == nil }
        for server in down { bring(up: server) }
        guard down.isEmpty, random.picks(40) else { return }
        stage.servers[random.below(2)].listener = nil
        trace.note(step, .down)
    }

    func bring(up server: ServerPlace) {
        trace.note(step, .up)
        do { server.listener = try Listener.bind(server.address) } catch { report(.released, "\(error)") }
    }
}

extension ServerPlace {
    func accept() -> Socket? {
        guard case .connection(let accepted) = listener?.accept() ?? .wouldBlock else { return nil }
        return accepted.socket
    }
}
