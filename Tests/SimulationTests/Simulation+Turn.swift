/// A turn of a worker, and what the simulator hears of it at once: what clients and origins were sent.
import Bytes
import HTTP
import Kernel
import Loop
import Machines
import SeededRandom
import Store

@testable import DataPlane

extension Simulation {
    func turn(_ seat: Int) {
        trace.note(step, .turn, seat)
        for serial in unread[seat] {
            origin.journal[serial].received = now
            noteDelay(origin.journal[serial])
        }
        unread[seat].removeAll()
        hadBacklog = stage.hasBacklog(seat)
        stage.seats[seat].worker.runTurn(timeoutMilliseconds: 0)
        acceptOrigins(seat)
        while poller.wait(timeoutMilliseconds: 0) > 0 {
            for index in 0..<poller.count { hear(poller[index]) }
        }
        checkReservations()
        checkCollapsing()
    }

    private func hear(_ event: Event) {
        let id = Int(event.token)
        if let link = clients[id] {
            // A slow one reads when its turn has come.
            if !link.isSlow { read(link) }
        } else if let link = origins[id] {
            read(link)
        }
    }

    /// No two exchanges hold one reservation.
    private func checkReservations() {
        var held: Set<Hash128> = []
        for seat in stage.seats {
            var position = 0
            while let x = seat.worker.exchanges.next(from: &position) {
                guard seat.worker.exchanges[x].machine.holdsReservation else { continue }
                let (isNew, _) = held.insert(seat.worker.exchanges[x].keyed.reservation)
                expect(isNew, .alone, "two exchanges have the same reservation")
            }
        }
    }

    // MARK: Rest

    /// Nobody asks any more: all that is under way ends, without time passing.
    func rest() {
        calm()
        var rounds = 0
        while rounds < 5_000, violation == nil, isUnderWay {
            rounds += 1
            step += 1
            settle()
            turn(rounds % 2)
        }
        for _ in 0..<3 {
            settle()
            for seat in 0..<Stage.threads { turn(seat) }
        }
        expect(!isUnderWay, .answered, "it never comes to rest: \(underWay)")
        checkLeftovers()
    }

    private func calm() {
        for server in stage.servers where server.listener == nil { bring(up: server) }
        for id in clientOrder { clients[id]?.isSlow = false }
        for id in originOrder { origins[id]?.isStalled = false }
    }

    private func settle() {
        for id in clientOrder {
            guard let link = clients[id] else { continue }
            link.send(atMost: .max, instant)
            read(link)
        }
        for id in originOrder {
            if let link = origins[id], link.isBusy { speak(link) }
        }
    }

    private var isUnderWay: Bool {
        clients.values.contains { !$0.asks.isEmpty || !$0.unsent.isEmpty }
            || origins.values.contains { $0.isBusy }
    }

    private var underWay: String {
        let asks = clientOrder.compactMap { clients[$0] }.filter { !$0.asks.isEmpty }
        let busy = origins.values.filter(\.isBusy)
        return "\(asks.map { "client \($0.id) waits for \($0.asks.map(\.number))" }), \(busy.count) busy"
    }

    /// After a rest nothing is left of what was under way.
    private func checkLeftovers() {
        expect(stage.board.count == 0, .alone, "\(stage.board.count) reservations are left")
        for (index, seat) in stage.seats.enumerated() {
            let exchanges = seat.worker.exchanges.count
            expect(exchanges == 0, .answered, "\(exchanges) exchanges never end")
            let (has, open) = (seat.worker.clients.count, clients.values.filter { $0.seat == index }.count)
            expect(has == open, .released, "\(has) clients of \(open)")
            let (kept, known) = (seat.worker.origins.count, origins.values.filter { $0.seat == index }.count)
            expect(kept == known, .released, "\(kept) connections to origins of \(known)")
            let bytes = seat.worker.fillBytes
            expect(bytes == 0, .released, "\(bytes) bytes of bodies are counted")
        }
        let statistics = stage.store.statistics
        let isPlausible =
            statistics.objects >= 0 && statistics.bytes >= 0 && statistics.bytes <= Stage.memory
            && (statistics.objects > 0 || statistics.bytes == 0)
        expect(isPlausible && statistics.corrupt == 0, .statistics, "\(statistics)")
    }

    /// When all is purged, nothing is counted any more.
    private func checkEmptied() {
        do {
            _ = try stage.purger.purge(.everything, soft: false)
        } catch {
            report(.purged, "\(error)")
        }
        stage.helpers.requestSweep()
        while stage.helpers.performNext(with: &stage.maker) {}
        let statistics = stage.store.statistics
        expect(statistics.objects == 0 && statistics.bytes == 0, .statistics, "purged: \(statistics)")
    }

    // MARK: The end

    /// Both workers end what they have, and then themselves.
    func drain() {
        trace.note(step, .drain)
        for seat in stage.seats { seat.bell.ring(.drain) }
        calm()
        var rounds = 0
        var isDone = false
        while rounds < 5_000, violation == nil, !isDone {
            rounds += 1
            step += 1
            if random.picks(30) { settle() }
            for seat in 0..<Stage.threads { turn(seat) }
            // A drain waits a moment for handshakes, and idle clients have their time for a first request.
            if rounds % 8 == 0 { advance(milliseconds: 500) }
            isDone = stage.seats.allSatisfy { $0.worker.shouldStop() }
        }
        for seat in stage.seats {
            expect(seat.worker.clients.count == 0, .released, "\(seat.worker.clients.count) clients are left")
            expect(seat.worker.exchanges.count == 0, .answered, "exchanges are left")
            seat.worker.end()
        }
        expect(isDone, .answered, "a drain that never ends")
        expect(stage.board.count == 0, .alone, "\(stage.board.count) reservations are left at the end")
        stage.seats.removeAll()
        checkEmptied()
        for id in originOrder { if let link = origins[id] { read(link) } }
        for id in clientOrder { if let link = clients[id] { read(link) } }
        expect(origins.isEmpty, .released, "\(origins.count) connections to origins outlive the workers")
        expect(clients.isEmpty, .released, "\(clients.count) clients' connections outlive the workers")
    }
}
