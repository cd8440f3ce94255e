internal import AccessLog
internal import Bytes
internal import Caching
internal import HTTP
internal import Kernel
internal import Loop
internal import Machines
internal import Settings
internal import Store

/// The origin's answer arrives: interim heads, tunnels, invalidation, may it be stored, and what the client
/// gets.
extension Worker {
    /// Forwards an interim head, or opens the tunnel that the client asked for. The head is parsed in
    /// `response` and stands at the front of `outbound`.
    mutating func handleInterim(_ x: Handle<Exchange>, _ o: Handle<Origin>, headCount: Int) {
        let interimCount = exchanges[x].machine.tookInterim()
        if scratch.response.status == 101 {
            parseHead(x)
            guard scratch.request.upgradesToWebSocket,
                Self.switchesToWebSocket(scratch.response, scratch.outbound)
            else {
                noteFault(x, "unexpected-101", headCount: headCount)
                fail(x, .malformed)
                return
            }
            openTunnel(x, o, headCount: headCount)
            return
        }
        guard interimCount <= OriginResponse.interimLimit else {
            noteFault(x, "interim-answers", headCount: headCount)
            fail(x, .malformed)
            return
        }
        if exchanges[x].minorVersion >= 1 || PlantedFault.isPlanted(.tellsOldClients),
            let c = exchanges[x].client
        {
            scratch.out.removeAll()
            composeAnswer(x, framing: .none, interim: true)
            guard clients[c].channel.send(scratch.out) else {
                dropClient(c)
                return
            }
        }
        scratch.outbound.removeFirst(headCount)
        origins.setDeadline(o, at: now.milliseconds + site.timeouts(origins[o].server).response)
    }

    private static func switchesToWebSocket(
        _ response: borrowing ResponseHead, _ outbound: borrowing ByteBuffer
    ) -> Bool {
        guard let upgrade = response.fields.first(.upgrade) else { return false }
        return outbound.span.slice(upgrade.value).equalsIgnoringCase("websocket")
    }

    /// The final head: it is parsed in `response` and stands at the front of `outbound`, the body behind it.
    mutating func handleResponseHead(_ x: Handle<Exchange>, _ o: Handle<Origin>, headCount: Int, ended: Bool)
    {
        if exchanges[x].fetch.renewal != nil || scratch.response.status == 304,
            useResponse(x, o, headCount: headCount)
        {
            return
        }
        let whole = exchanges[x].method == .head ? judgeWhole(x) : nil
        if exchanges[x].method == .head || scratch.response.status == 206,
            fetchWholeInstead(x, o, whole, headCount: headCount)
        {
            return
        }
        let route = exchanges[x].route
        exchanges[x].begin(scratch.response, trailerLimit: site.answerLimits.head)
        if Rules.invalidates(exchanges[x].method, status: scratch.response.status) { invalidate(x) }
        // A tier that had nothing to purge may say 404.
        if exchanges[x].method == .other { purgeAgain(x) }

        var storable: EntryFacts?
        switch Self.judge(
            scratch.response, scratch.outbound, to: &exchanges[x], site.routes[route], received: now.times)
        {
        case .store(var facts):
            if exchanges[x].fetch.isFetchedWhole { facts.flags.insert(.fetchedWhole) }
            storable = facts
            if let ending = Reservations.Ending(storing: facts) {
                endReservation(x, ending, refusing: .noCache)
            }
        case .refuse(let reason):
            exchanges[x].outcome.reason = reason
            if log.isEnabled { noteRefusals(x) }
            noteUnstorable(x, reason)
        }
        var delivery = Delivery.asReceived
        var transform = HeadTransform.none
        if exchanges[x].client != nil {
            transform = chooseTransform(x, storable ?? whole)
            let isCurrent = mayAnswerCondition(x, isStored: storable != nil) && isNotModified(x, transform)
            delivery = Delivery(transform.change, isCurrent: isCurrent, isStored: storable != nil)
            begin(delivery, x, transform, isStored: storable != nil)
        }
        if let facts = storable {
            parseHead(x)
            let length = OriginResponse.completeLength(
                scratch.response.framing, of: scratch.outbound.count - headCount)
            if let length, !exchanges[x].machine.isHeldBack {
                Self.commit(
                    &exchanges[x], into: &store, facts, site.routes[route], scratch.request,
                    scratch.response, head: scratch.outbound, body: scratch.outbound,
                    headCount..<(headCount + length), &scratch.storedHead, &scratch.vary, now.times)
                endReservationAfterCommit(x, facts)
            } else {
                beginFill(x, facts, headCount: headCount)
            }
        }
        if exchanges[x].machine.isHeldBack, exchanges[x].answer.fill == nil {
            exchanges[x].machine.answer()
            exchanges[x].answer.transform = .varies
        }
        if delivery == .notModified {
            answerNotModified(x, transform, isStored: storable != nil)
        } else if exchanges[x].machine.isHeldBack {
            scratch.out.removeAll()
        } else {
            answerHead(x)
            if exchanges[x].fetch.answersHead { answerHeadAlone(x) }
        }
        scratch.outbound.removeFirst(headCount)
        guard exchanges.contains(x), exchanges[x].origin == o else { return }
        passBody(x, o, ended: ended)
    }

    // Lent the route: of its rules alone, taken from it here, a reference would be counted.
    private static func judge(
        _ response: borrowing ResponseHead, _ outbound: borrowing ByteBuffer, to exchange: inout Exchange,
        _ route: borrowing Site.Route, received: Times
    ) -> StoreVerdict {
        guard response.fields.contains(.contentEncoding) else {
            return route.rules.judge(
                response, outbound.span, to: exchange.verdict, sent: exchange.fetch.sentAt, received: received
            )
        }
        return route.rules.judge(
            response, outbound.span, to: exchange.verdictOnTarget, sent: exchange.fetch.sentAt,
            received: received)
    }

    /// Composes what the client gets in `out`, for the body to go with it.
    mutating func answerHead(_ x: Handle<Exchange>) {
        scratch.out.removeAll()
        guard let c = exchanges[x].client else { return }
        let framing: ClientFraming =
            switch scratch.response.framing {
            case .chunked where exchanges[x].fetch.answersHead,
                .untilClose where exchanges[x].fetch.answersHead:
                .none
            case .none: .none
            case .length where !exchanges[x].answer.transform.changesBody: .length
            case .length, .chunked, .untilClose:
                exchanges[x].minorVersion >= 1 || PlantedFault.isPlanted(.chunksForOldClients)
                    ? .chunked : .untilClose
            }
        exchanges[x].answer.framing = framing
        // A body that only the close ends, and a request that is answered before it is read, end the
        // connection.
        if framing == .untilClose || endsConnections
            || !exchanges[x].requestBody.isComplete && !PlantedFault.isPlanted(.readsUploads)
        {
            clients[c].closing = true
        }
        composeAnswer(x, framing: framing, interim: false)
    }

    /// Does what `delivery` needs before the head is composed.
    @inline(__always)
    private mutating func begin(
        _ delivery: Delivery, _ x: Handle<Exchange>, _ transform: HeadTransform, isStored: Bool
    ) {
        switch delivery {
        case .notModified, .asReceived: break
        case .heldBack: exchanges[x].machine.holdBack()
        case .transformed:
            exchanges[x].answer.transform = transform
            if delivery.recodes(answersHead: exchanges[x].fetch.answersHead, isStored: isStored) {
                beginRecoding(x, isStored: isStored)
            }
        }
    }

    @inline(__always)
    private func mayAnswerCondition(_ x: Handle<Exchange>, isStored: Bool) -> Bool {
        guard exchanges[x].verdict.flags.contains(.conditional) else { return false }
        return exchanges[x].verdict.mayAnswerCondition(
            isStored: isStored, isKept: exchanges[x].keepsConditions, status: scratch.response.status,
            setsCookie: scratch.response.fields.contains(.setCookie))
    }

    /// Does the client hold what the origin just sent?
    private mutating func isNotModified(_ x: Handle<Exchange>, _ transform: HeadTransform) -> Bool {
        parseHead(x)
        writeWhole(transform)
        return Self.isNotModified(
            scratch.request, &exchanges[x], scratch.response.status, scratch.storedHead, now.times)
    }

    /// Writes the head of what the client would get into `storedHead`.
    private mutating func writeWhole(_ transform: HeadTransform) {
        Self.writeWhole(
            scratch.response, scratch.outbound, transform, now.times, into: &scratch.storedHead)
    }

    private static func writeWhole(
        _ response: borrowing ResponseHead, _ outbound: borrowing ByteBuffer, _ transform: HeadTransform,
        _ received: Times, into head: inout ByteBuffer
    ) {
        head.removeAll()
        _ = StoredHead.write(
            response, outbound.span, bodyCount: 0, receivedSeconds: received.wallSeconds, limit: .max,
            transform: transform, into: &head)
    }

    private static func isNotModified(
        _ request: borrowing RequestHead, _ exchange: inout Exchange, _ status: UInt16,
        _ stored: borrowing ByteBuffer,
        _ now: Times
    ) -> Bool {
        Conditional.evaluate(
            request, exchange.head, status: status, head: stored.span, nowSeconds: now.wallSeconds)
            == .notModified
    }

    /// - Parameter head: the stored form of `response`, which is parsed over `outbound`.
    private static func writeNotModified(
        _ head: borrowing ByteBuffer, _ response: borrowing ResponseHead, _ outbound: borrowing ByteBuffer,
        isStored: Bool, to out: inout ByteBuffer
    ) {
        Conditional.appendNotModified(head: head.span, keeping: isStored ? .required : .all, to: &out)
        guard !isStored else { return }
        // The stored form leaves it out.
        for index in 0..<response.fields.count where response.fields[index].id == .age {
            let field = response.fields[index]
            out.append(name: outbound.span.slice(field.name), value: outbound.span.slice(field.value))
        }
    }

    /// Answers 304 at once: the client's own copy is current. The body still goes into the store, without
    /// this client. One that is not stored is nobody's: a short one is read, so that the connection can be
    /// kept; a long one ends it.
    private mutating func answerNotModified(_ x: Handle<Exchange>, _ transform: HeadTransform, isStored: Bool)
    {
        scratch.out.removeAll()
        guard let c = exchanges[x].client else { return }
        // The entry may have been written meanwhile, with the head of its own.
        writeWhole(transform)
        Self.writeNotModified(
            scratch.storedHead, scratch.response, scratch.outbound, isStored: isStored, to: &scratch.out)
        if !isStored, OriginResponse.isWorthDraining(scratch.response.framing) {
            exchanges[x].machine.drain(limit: OriginResponse.drainLimit)
        }
        appendForwardedStatus(x)
        Self.appendConnection(
            closing: clients[c].closing, minorVersion: exchanges[x].minorVersion, to: &scratch.out)
        scratch.out.append("\r\n")
        exchanges[x].outcome.status = 304
        let sent = clients[c].channel.send(scratch.out)
        logExchange(x, isLost: !sent)
        detach(x, from: c)
        scratch.out.removeAll()
        if sent { releaseClient(c) } else { closeClientNow(c) }
    }

    /// Sends the head in `out` to a client that asked by HEAD. The GET goes on for the store, without it.
    private mutating func answerHeadAlone(_ x: Handle<Exchange>) {
        guard let c = exchanges[x].client else { return }
        exchanges[x].answer.framing = .none
        let sent = clients[c].channel.send(scratch.out)
        scratch.out.removeAll()
        logExchange(x, isLost: !sent)
        detach(x, from: c)
        if sent { releaseClient(c) } else { closeClientNow(c) }
    }
}
