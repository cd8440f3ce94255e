internal import AccessLog
internal import Bytes
internal import Caching
internal import Exchange
internal import HTTP
internal import Kernel
internal import Loop
internal import Settings
internal import Store

/// The origin's answer arrives: interim heads, tunnels, invalidation, may it be stored, and what the client
/// gets.
extension Worker {
    /// Forwards an interim head, or opens the tunnel that the client asked for. The head is parsed in
    /// `response` and stands at the front of `outbound`.
    mutating func handleInterim(_ f: Handle, _ o: Handle, headCount: Int) {
        forwards[f].interimCount += 1
        if response.status == 101 {
            parseHead(f)
            guard request.upgradesToWebSocket, Self.switchesToWebSocket(response, outbound) else {
                noteFault(f, "unexpected-101", headCount: headCount)
                fail(f, .malformed)
                return
            }
            openTunnel(f, o, headCount: headCount)
            return
        }
        guard forwards[f].interimCount <= OriginAnswer.interimLimit else {
            noteFault(f, "interim-answers", headCount: headCount)
            fail(f, .malformed)
            return
        }
        if forwards[f].minorVersion >= 1, let c = forwards[f].client {
            out.removeAll()
            composeAnswer(f, framing: .none, interim: true)
            guard clients[c].channel.send(out) else {
                dropClient(c)
                return
            }
        }
        outbound.removeFirst(headCount)
        originTimers.set(id: id(o), deadline: now.milliseconds + site.timeouts(origins[o].server).response)
    }

    private static func switchesToWebSocket(
        _ response: borrowing ResponseHead, _ outbound: borrowing ByteBuffer
    ) -> Bool {
        guard let upgrade = response.fields.first(.upgrade) else { return false }
        return outbound.span.slice(upgrade.value).equalsIgnoringCase("websocket")
    }

    /// The final head: it is parsed in `response` and stands at the front of `outbound`, the body behind it.
    mutating func handleResponseHead(_ f: Handle, _ o: Handle, headCount: Int, ended: Bool) {
        if forwards[f].renewal != nil, endsRevalidation(f, o, headCount: headCount) { return }
        if response.status == 304, forwards[f].verdict.mayStore {
            // What may be stored is fetched without the client's conditions, and here without ours.
            noteFault(f, "unexpected-304", headCount: headCount)
            fail(f, .malformed)
            return
        }
        let whole = judgeWhole(f)
        if fetchesWhole(f, o, whole, headCount: headCount) { return }
        let route = forwards[f].route
        forwards[f].begin(response, trailerLimit: site.answerLimits.head)
        if Rules.invalidates(forwards[f].method, status: response.status) { invalidate(f) }
        // A tier that had nothing to purge may say 404.
        if forwards[f].method == .other { purgeAgain(f) }

        var storable: EntryFacts?
        switch Self.judge(response, outbound, to: &forwards[f], site.routes[route], received: now.times) {
        case .store(var facts):
            if forwards[f].isFetchedWhole { facts.flags.insert(.fetchedWhole) }
            storable = facts
            if !facts.isWorthWaitingFor { settleUnstorable(f, .noCache, remember: true) }
        case .refuse(let reason):
            forwards[f].reason = reason
            if log.isEnabled { noteRefusals(f) }
            refuse(f, status: response.status)
        }
        var isCurrent = false
        var transform = HeadTransform.none
        if forwards[f].client != nil {
            transform = chooseTransform(f, storable ?? whole)
            isCurrent = decidesCondition(f, isStored: storable != nil) && isNotModified(f, transform)
            if isCurrent {
                // A 304 goes out at once.
            } else if transform.change == .decoded, storable != nil {
                forwards[f].isHeldBack = true
            } else if !transform.isNone {
                forwards[f].transform = transform
                // What is made for the store alone becomes the variant there.
                if !forwards[f].answersHead || storable != nil {
                    beginRecoding(f, isStored: storable != nil)
                }
            }
        }
        if let facts = storable {
            parseHead(f)
            let length = OriginAnswer.completeLength(response.framing, of: outbound.count - headCount)
            if let length, !forwards[f].isHeldBack {
                Self.commit(
                    &forwards[f], into: &store, facts, site.routes[route].rules, request, response,
                    head: outbound, body: outbound, headCount..<(headCount + length), &storedHead, &vary,
                    now.times)
                settleStored(f, facts)
            } else {
                beginFill(f, facts, headCount: headCount)
            }
        }
        if forwards[f].isHeldBack, forwards[f].fill == nil {
            forwards[f].isHeldBack = false
            forwards[f].transform = .varies
        }
        if isCurrent {
            answerNotModified(f, transform, isStored: storable != nil)
        } else if forwards[f].isHeldBack {
            out.removeAll()
        } else {
            answerHead(f)
            if forwards[f].answersHead { answerHeadAlone(f) }
        }
        outbound.removeFirst(headCount)
        guard forwards.contains(f), forwards[f].origin == o else { return }
        passBody(f, o, ended: ended)
    }

    // Lent the route: of its rules alone, taken from it here, a reference would be counted.
    private static func judge(
        _ response: borrowing ResponseHead, _ outbound: borrowing ByteBuffer, to forward: inout Forward,
        _ route: borrowing Site.Route, received: Times
    ) -> StoreVerdict {
        guard response.fields.contains(.contentEncoding) else {
            return route.rules.judge(
                response, outbound.span, to: forward.verdict, sent: forward.sentAt, received: received)
        }
        return route.rules.judge(
            response, outbound.span, to: forward.verdictOnTarget, sent: forward.sentAt, received: received)
    }

    /// Composes what the client gets in `out`, for the body to go with it.
    mutating func answerHead(_ f: Handle) {
        out.removeAll()
        guard let c = forwards[f].client else { return }
        let framing: ClientFraming =
            switch response.framing {
            case .chunked where forwards[f].answersHead, .untilClose where forwards[f].answersHead: .none
            case .none: .none
            case .length where !forwards[f].transform.changesBody: .length
            case .length, .chunked, .untilClose: forwards[f].minorVersion >= 1 ? .chunked : .untilClose
            }
        forwards[f].framing = framing
        // A body that only the close ends, and a request that is answered before it is read, end the
        // connection.
        if framing == .untilClose || !forwards[f].requestBody.isComplete || endsConnections {
            clients[c].closing = true
        }
        composeAnswer(f, framing: framing, interim: false)
    }

    /// Was the client's condition kept from the origin, so that the whole could be stored, and may a 304 take
    /// the place of the answer in `response`? Of one that is not stored only of a 200, as for an origin
    /// (RFC 9110 §15.4.5), and never where it sets a cookie.
    private func decidesCondition(_ f: Handle, isStored: Bool) -> Bool {
        guard forwards[f].verdict.flags.contains(.conditional) else { return false }
        if isStored { return true }
        return forwards[f].keepsConditions && response.status == 200 && !response.fields.contains(.setCookie)
    }

    /// Does the client hold what the origin just sent?
    private mutating func isNotModified(_ f: Handle, _ transform: HeadTransform) -> Bool {
        parseHead(f)
        writeWhole(transform)
        return Self.isNotModified(request, &forwards[f], response.status, storedHead, now.times)
    }

    /// Writes the head of what the client would get into `storedHead`.
    private mutating func writeWhole(_ transform: HeadTransform) {
        _ = Self.writeStored(
            response, outbound, bodyCount: 0, now.times, limit: .max, transform, into: &storedHead)
    }

    private static func isNotModified(
        _ request: borrowing RequestHead, _ forward: inout Forward, _ status: UInt16,
        _ stored: borrowing ByteBuffer,
        _ now: Times
    ) -> Bool {
        Conditional.evaluate(
            request, forward.head, status: status, head: stored.span, nowSeconds: now.wallSeconds)
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

    /// Writes the stored form of `response`, which is parsed over `head`.
    static func writeStored(
        _ response: borrowing ResponseHead, _ head: borrowing ByteBuffer, bodyCount: Int, _ received: Times,
        limit: Int, _ transform: HeadTransform, into storedHead: inout ByteBuffer
    ) -> Reason? {
        storedHead.removeAll()
        return StoredHead.write(
            response, head.span, bodyCount: bodyCount, receivedSeconds: received.wallSeconds, limit: limit,
            transform: transform, into: &storedHead)
    }

    /// Answers 304 at once: the client's own copy is current. The body still goes into the store, without
    /// this client. One that is not stored is nobody's: a short one is read, so that the connection can be
    /// kept; a long one ends it.
    private mutating func answerNotModified(_ f: Handle, _ transform: HeadTransform, isStored: Bool) {
        out.removeAll()
        guard let c = forwards[f].client else { return }
        // The entry may have been written meanwhile, with the head of its own.
        writeWhole(transform)
        Self.writeNotModified(storedHead, response, outbound, isStored: isStored, to: &out)
        if !isStored, OriginAnswer.isWorthDraining(response.framing) {
            forwards[f].drainLimit = OriginAnswer.drainLimit
        }
        appendForwardStatus(f)
        Self.appendConnection(
            closing: clients[c].closing, minorVersion: forwards[f].minorVersion, to: &out)
        out.append("\r\n")
        forwards[f].status = 304
        let sent = clients[c].channel.send(out)
        logForward(f, isLost: !sent)
        detach(f, from: c)
        out.removeAll()
        if sent { releaseClient(c) } else { closeClientNow(c) }
    }

    /// Sends the head in `out` to a client that asked by HEAD. The GET goes on for the store, without it.
    private mutating func answerHeadAlone(_ f: Handle) {
        guard let c = forwards[f].client else { return }
        forwards[f].framing = .none
        let sent = clients[c].channel.send(out)
        out.removeAll()
        logForward(f, isLost: !sent)
        detach(f, from: c)
        if sent { releaseClient(c) } else { closeClientNow(c) }
    }
}
