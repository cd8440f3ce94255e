/// Counters that each thread writes in a row of its own: sums are exact, rows apart.

import Kernel
import Testing

@Test func sumsAreOverAllRows() {
    let table = CounterTable(rows: 3, columns: 5)
    var first = table.row(0)
    var second = table.row(1)
    var third = table.row(2)
    for _ in 0..<7 { first.increment(0) }
    second.increment(0)
    third.increment(4)
    first.decrement(0)
    #expect((0..<5).map { table.sum($0) } == [7, 0, 0, 0, 1])
    let own = [first.value(0), second.value(0), third.value(4)]
    #expect(own == [6, 1, 1])
    // Into the middle of something larger.
    var sums: [UInt32] = [9, 9, 9, 9]
    var places = sums.mutableSpan
    second.sum(3..<5, into: &places, from: 1)
    #expect(sums == [9, 0, 1, 9])
}

private struct CountSeed: ~Copyable, Sendable {
    var row: CounterRow
}

/// Each thread counts up and down in every column; nothing is lost, whoever reads meanwhile.
@Test func threadsDoNotDisturbEachOther() throws {
    let (threads, columns, rounds) = (4, 9, 20_000)
    let table = CounterTable(rows: threads, columns: columns)
    var running: [RunningThread] = []
    for index in 0..<threads {
        running.append(
            RunningThread(
                try Thread.spawn(name: "count", seed: CountSeed(row: table.row(index))) { seed in
                    var seed = seed
                    for round in 0..<rounds {
                        for column in 0..<columns { seed.row.increment(column) }
                        if round % 4 == 0 { seed.row.decrement(round % columns) }
                    }
                }))
    }
    for _ in 0..<100 { #expect(table.sum(0) <= UInt64(threads * rounds)) }
    for thread in running { thread.join() }
    let sum = (0..<columns).reduce(0) { $0 + Int(table.sum($1)) }
    #expect(sum == threads * (columns * rounds - rounds / 4))
}

/// Holds a thread's handle until it is joined.
@Test func aRowHasOneWriter() async {
    await #expect(processExitsWith: .failure) {
        let table = CounterTable(rows: 1, columns: 1)
        _ = table.row(0)
        _ = table.row(0)
    }
    await #expect(processExitsWith: .failure) {
        var row = CounterTable(rows: 1, columns: 1).row(0)
        row.decrement(0)
    }
}
