/// The schedule: which event comes next is the seed's choice, and nothing else's.
import Bytes
import Caching
import Machines
import HTTP
import SeededRandom
import Store

extension Simulation {
    /// Runs so many steps, with pauses in which all comes to rest.
    /// - Returns: the first promise that was broken.
    func run(steps: Int, pause: Int = 4000) -> Violation? {
        for count in 1...steps {
            advance()
            if count % pause == 0 || count == steps, violation == nil { rest() }
            if violation != nil { break }
        }
        return violation
    }

    private func advance() {
        step += 1
        switch random.below(1000) {
        case 0..<300: arrive()
        case 300..<720: hear()
        case 720..<775: answerCalls(random.below(2))
        case 775..<800: work()
        // In some runs a thread's turn never ends: then no memory is reused.
        case 800..<860: sleep(seed % 5 == 0 ? 0 : random.below(2))
        case 860..<915: tick()
        case 915..<918: stepWall()
        case 918..<930: leaveOne()
        case 930..<945: losePatience()
        case 945..<955: loseConnection()
        case 955..<962: sweep()
        case 962..<968: purge()
        case 968: ban()
        case 969..<976: edit()
        default: arrive()
        }
    }

    // MARK: Clients

    private func arrive() {
        clients.removeAll { $0.isDone }
        guard clients.count < 20 else { return hear() }
        let client = Client(id: tally.requests, seat: random.below(2), want: want(), step: step)
        tally.requests += 1
        clients.append(client)
        trace.note(step, .request, client.id, client.want.resource)
        handle(client)
    }

    private func want() -> Want {
        var want = Want()
        want.resource =
            random.picks(85) ? random.below(Simulation.hotCount) : random.below(Simulation.resourceCount)
        want.method = random.picks(90) ? .get : random.pick([.head, .head, .head, .post, .delete])
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

    private func leaveOne() {
        clients.removeAll { $0.isDone }
        guard !clients.isEmpty else { return }
        let client = random.pick(clients)
        trace.note(step, .leaves, client.id)
        wake(client.seat)
        leave(client)
    }

    private func losePatience() {
        clients.removeAll { $0.isDone }
        guard !clients.isEmpty, let id = random.pick(clients).fetch, let fetch = fetches[id], fetch.isWaiting
        else { return }
        trace.note(step, .impatient, Int(id))
        goOn(fetch)
    }

    // MARK: The origin

    /// Something of some answer comes.
    private func hear() {
        guard !busy.isEmpty else { return }
        let connection = connections[random.pick(busy)]
        guard let connection, let fetch = connection.fetch.flatMap({ fetches[$0] }) else { return }
        if !connection.hasAnswered {
            connection.hasAnswered = true
            return answer(connection, fetch)
        }
        let rest = connection.reply.count
        let count = rest == 0 || random.picks(50) ? rest : 1 + random.below(rest)
        lend(connection.reply) { connection.inbound.append($0.extracting(first: count)) }
        connection.reply.removeFirst(count)
        let ended = connection.reply.isEmpty && (connection.closes || count == 0)
        trace.note(step, ended ? .closed : .piece, Int(fetch.id), count)
        receive(connection, ended: ended)
    }

    private func answer(_ connection: Connection, _ fetch: Fetch) {
        connection.reply.removeAll()
        connection.closes = true
        if connection.isDead || random.picks(3) {
            trace.note(step, .closed, Int(fetch.id))
            return receive(connection, ended: true)
        }
        if random.picks(2) {
            trace.note(step, .garbage, Int(fetch.id))
            connection.reply.append("HTTP/1.1 2x0 Garbage\r\n\r\n")
            return
        }
        let sent = Moment(wall: Int(fetch.sentAt.wallMilliseconds), boot: Int(fetch.sentAt.bootMilliseconds))
        let reply = origin.answer(
            connection.asked, client: fetch.clientID, sentStep: fetch.sentStep, sent: sent,
            seconds: originSeconds,
            &random)
        connection.reply.append(reply.bytes.span)
        connection.closes = reply.closes
        trace.note(step, .reply, Int(fetch.id), origin.journal.count - 1)
        if random.picks(4) {
            connection.reply.removeLast(1 + random.below(connection.reply.count - 1))
            connection.closes = true
            let last = origin.journal.count - 1
            if origin.journal[last].style.framing == .close { origin.journal[last].isCut = true }
            trace.note(step, .truncated, Int(fetch.id))
        }
    }

    private func loseConnection() {
        guard !idle.isEmpty, let connection = connections[random.pick(idle)] else { return }
        trace.note(step, .poolDies, Int(connection.id))
        connection.isDead = true
        if random.picks(50) {
            seats[connection.seat].pool.remove(connection.id)
            close(connection)
        }
    }

    private func edit() {
        let resource = random.below(Simulation.hotCount)
        if random.picks(60) {
            origin.resources[resource].change(&random)
        } else if random.picks(50) {
            origin.failures = origin.failures == Origin.usualFailures ? 60 : Origin.usualFailures
        } else {
            let isPersonal = origin.resources[resource].style.isPersonal
            let directives = Directives.random(&random, isPersonal: isPersonal)
            // What a 304 leaves out stays as it was: only what it says can change.
            if directives.maxAge != nil, !isPersonal {
                origin.resources[resource].style.directives = directives
            }
        }
        trace.note(step, .edit, resource, origin.resources[resource].version)
    }

    // MARK: Time

    private func tick() {
        boot += random.picks(90) ? random.below(300) : random.below(4000)
        trace.note(step, .tick, boot)
    }

    private func stepWall() {
        // Mostly it is set right again: while it is ahead, all that comes is old already.
        let most = random.pick([1, 1, 1, 2000, 20_000, 3_600_000])
        wallOffset = Simulation.era + random.below(2 * most) - most
        trace.note(step, .wallStep, wallOffset - Simulation.era)
    }

    // MARK: Purges

    private func sweep() {
        _ = seats[random.below(2)].store.sweep(limit: 1 + random.below(200))
        trace.note(step, .sweep)
    }

    private func purge() {
        let resource = random.below(Simulation.hotCount)
        let isSoft = random.picks(50)
        var want = Want()
        want.resource = resource
        let request = ParsedRequest(want)
        let text = request.text
        guard case .key = rules.writeKey(request.head, text.span, scheme: .http, into: &scratch) else {
            return
        }
        notePurge([resource], isSoft: isSoft)
        let seat = seats[random.below(2)]
        lend(scratch) { seat.store.purge(key: $0, hash: store.hash($0), soft: isSoft) }
        trace.note(step, .purge, resource, isSoft ? 1 : 0)
    }

    private func ban() {
        let isSoft = random.picks(50)
        let resource = random.below(Simulation.hotCount)
        let host = Want.host(resource)
        let all = Array(0..<Simulation.resourceCount)
        let scope: PurgeScope
        let taken: [Int]
        switch random.below(20) {
        case 0:
            scope = .all
            taken = all
        case 1..<5:
            scope = .host(Array(host.utf8))
            taken = all.filter { Want.host($0) == host }
        case 5..<12:
            scope = .key(Array("s\(resource % 3)".utf8))
            taken = all.filter { $0 % 3 == resource % 3 }
        default:
            let prefix = host + Want.target(resource)
            scope = .prefix(Array("h\(prefix)".utf8))
            taken = all.filter { (Want.host($0) + Want.target($0)).hasPrefix(prefix) }
        }
        notePurge(taken, isSoft: isSoft)
        scratch.removeAll()
        scope.encode(into: &scratch)
        let seat = seats[random.below(2)]
        lend(scratch) { _ = seat.store.ban($0, soft: isSoft) }
        trace.note(step, .ban, taken.count, isSoft ? 1 : 0)
    }

    /// Mostly somebody purges because something has changed.
    private func notePurge(_ resources: [Int], isSoft: Bool) {
        for resource in resources {
            if random.picks(80) { origin.resources[resource].change(&random) }
            if isSoft {
                purges.soft[resource] = step
            } else {
                purges.hard[resource] = step
                purges.version[resource] = origin.resources[resource].version
            }
        }
    }

    // MARK: Rest

    /// Nobody comes any more: all that is under way ends, without anybody's patience.
    private func rest() {
        var rounds = 0
        while rounds < 20_000, violation == nil,
            !busy.isEmpty || !seats[0].mail.isEmpty || !seats[1].mail.isEmpty
        {
            rounds += 1
            step += 1
            hear()
            for seat in 0..<2 where !seats[seat].mail.isEmpty { answerCalls(seat) }
        }
        clients.removeAll { $0.isDone }
        expect(clients.isEmpty, .answered, "\(clients.count) clients wait for ever")
        expect(fetches.isEmpty, .answered, "\(fetches.count) fetches never end")
        expect(
            reservations.count == 0 && holders.isEmpty, .alone, "\(reservations.count) reservations are left")
        for seat in 0..<2 { sleep(seat) }
        let statistics = store.statistics
        let bytes = statistics.bytes + (fault == .miscounts ? Simulation.memory : 0)
        expect(
            statistics.objects >= 0 && bytes >= 0 && bytes <= Simulation.memory, .statistics, "\(statistics)")
        expect(statistics.objects > 0 || bytes == 0, .statistics, "\(statistics)")
        expect(statistics.corrupt == 0, .statistics, "\(statistics)")
    }
}
