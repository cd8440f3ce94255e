/// The fixed table lends the elements that were made and ends each once.

import Loop
import Synchronization
import Testing

@Suite struct FixedTableTests {
    struct Element: ~Copyable, Sendable {
        let number: Int
        let ended: Counter

        deinit { ended.value.add(number, ordering: .relaxed) }
    }

    final class Counter: Sendable {
        let value = Atomic(0)
    }

    @Test func theTableLendsEachElementAndEndsItOnce() {
        let ended = Counter()
        do {
            let table = FixedTable(count: 3) { Element(number: 1 << $0, ended: ended) }
            let numbers = [table[0].number, table[1].number, table[2].number]
            #expect(numbers == [1, 2, 4])
            #expect(ended.value.load(ordering: .relaxed) == 0)
        }
        #expect(ended.value.load(ordering: .relaxed) == 7)
    }

    @Test func anElementIsChangedInPlace() {
        var table = FixedTable(count: 3) { [$0] }
        table[1].append(7)
        var all = table.mutableSpan
        all[2] = [9]
        let (count, lent) = (table.span.count, [table.span[0], table.span[1], table[2]])
        #expect(count == 3)
        #expect(lent == [[0], [1, 7], [9]])
    }

    @Test func aTableMayBeEmpty() {
        let table = FixedTable<Int>(count: 0) { $0 }
        let count = table.count
        #expect(count == 0)
    }

    @Test func anIndexOutsideTheTableTraps() async {
        await #expect(processExitsWith: .failure) {
            let table = FixedTable<Int>(count: 1) { $0 }
            print(table[1])
        }
    }
}
