/// The slot table compared with a model: random insertions and removals, stale handles, and elements that own
/// something.

import Loop
import SeededRandom
import Testing

@Suite struct HandleTests {
    @Test func aTokenHoldsTheWholeHandle() {
        var table = SlotTable<Int>(kind: 9)
        let first = table.insert(1)
        _ = table.remove(first)
        let second = table.insert(2)
        #expect(Handle(token: second.token) == second)
        let token = Token(second.token)
        #expect(token.kind == 9 && token.index == 0 && token.generation == 1)
        #expect(second.token == 9 << 56 | 1 << 32)
        #expect(second.description == "9:0#1")
    }

    @Test func noTableHoldsTheNoneHandleOrANamedHandle() {
        var table = SlotTable<Int>(kind: 1)
        _ = table.insert(1)
        for handle in [.none, Handle<Int>(token: Token(kind: 2).word), Handle(token: 1 << 56 | 7)] {
            let known = table.contains(handle)
            #expect(!known)
        }
        // A free slot has no kind, whatever its generation.
        _ = table.remove(Handle(token: 1 << 56))
        for token in [0, 1 << 32, 1 << 56, 1 << 56 | 1 << 32] as [UInt64] {
            let known = table.contains(Handle(token: token))
            #expect(!known)
        }
        #expect(Token(kind: 2, index: 77).index == 77)
    }
}

/// Reports its destruction. It cannot be copied, like the machines that the table is made for.
private struct Machine: ~Copyable {
    let id: Int
    var steps = 0
    let log: Log

    init(_ id: Int, _ log: Log) {
        self.id = id
        self.log = log
        log.alive.insert(id)
    }

    deinit { log.alive.remove(id) }

    final class Log {
        var alive: Set<Int> = []
    }
}

private func take(_ handle: Handle<Machine>, from table: inout SlotTable<Machine>) -> (id: Int, steps: Int)? {
    guard let machine = table.remove(handle) else { return nil }
    return (machine.id, machine.steps)
}

@Suite struct SlotTableTests {
    @Test func elementsAreMutatedInPlaceAndMovedOut() {
        let log = Machine.Log()
        var table = SlotTable<Machine>(kind: 1)
        let handle = table.insert(Machine(1, log))
        table[handle].steps += 1
        table[handle].steps += 1
        let steps = table[handle].steps
        #expect(steps == 2)
        let removed = take(handle, from: &table)?.steps
        #expect(removed == 2)
        #expect(log.alive.isEmpty)
        let again = take(handle, from: &table)?.steps
        #expect(again == nil)
    }

    @Test func theLastEmptiedSlotIsUsedNext() {
        var table = SlotTable<Int>(kind: 1)
        let handles = (0..<3).map { _ in 0 }.map { table.insert($0) }
        _ = table.remove(handles[0])
        _ = table.remove(handles[2])
        let next = [table.insert(7), table.insert(8), table.insert(9)]
        #expect(next.map(\.slot) == [2, 0, 3])
        #expect(next.map { Token($0.token).generation } == [1, 1, 0])
    }

    @Test func addressesAreStableWhileTheTableGrows() {
        var table = SlotTable<InlineArray<8, UInt64>>(kind: 1)
        let first = table.insert(InlineArray(repeating: 42))
        let before = unsafe withUnsafePointer(to: &table[first]) { UInt(bitPattern: $0) }
        for value in 0..<5000 { _ = table.insert(InlineArray(repeating: UInt64(value))) }
        let after = unsafe withUnsafePointer(to: &table[first]) { UInt(bitPattern: $0) }
        #expect(before == after)
        let value = table[first][7]
        #expect(value == 42)
        let limit = table.indexLimit
        #expect(limit == 5001)
    }

    @Test func liveElementsAreDestroyedWithTheTable() {
        let log = Machine.Log()
        do {
            var table = SlotTable<Machine>(kind: 1)
            var handles: [Handle<Machine>] = []
            for id in 0..<600 { handles.append(table.insert(Machine(id, log))) }
            for handle in handles where handle.slot % 3 == 0 { _ = table.remove(handle) }
            #expect(log.alive.count == 400)
        }
        #expect(log.alive.isEmpty)
    }

    @Test func aWalkAllowsRemovalAndInsertion() {
        var table = SlotTable<Int>(kind: 1)
        for value in 0..<10 { _ = table.insert(value) }
        var seen: [Int] = []
        var position = 0
        while let handle = table.next(from: &position) {
            seen.append(table[handle])
            if seen.count <= 10 { _ = table.remove(handle) }
            if seen.count == 5 { _ = table.insert(100) }
        }
        // 100 took slot 4, which the walk has passed.
        #expect(seen == Array(0..<10))
        let count = table.count
        #expect(count == 1)
    }

    @Test func aStaleHandleTrapsInTheSubscript() async {
        await #expect(processExitsWith: .failure) {
            var table = SlotTable<Int>(kind: 1)
            let handle = table.insert(1)
            _ = table.remove(handle)
            _ = table.insert(2)
            table[handle] = 3
        }
    }

    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func theTableBehavesLikeADictionary(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let log = Machine.Log()
        var table = SlotTable<Machine>(kind: 3)
        var model: [Handle<Machine>: (id: Int, steps: Int)] = [:]
        var handles: [Handle<Machine>] = []
        var stale: [Handle<Machine>] = []
        for id in 0..<4000 {
            // Phases of growth and of shrinking.
            let growing = (id / 700) % 2 == 0
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<(growing ? 6 : 2):
                let handle = table.insert(Machine(id, log))
                try #require(model[handle] == nil)
                model[handle] = (id, 0)
                handles.append(handle)
            case ..<7 where !handles.isEmpty:
                let at = Int.random(in: 0..<handles.count, using: &random)
                let handle = handles.remove(at: at)
                let known = model.removeValue(forKey: handle)?.id
                if Bool.random(using: &random) {
                    let removed = take(handle, from: &table)?.id
                    try #require(removed == known)
                } else {
                    let discarded = table.discard(handle)
                    try #require(discarded && known.map(log.alive.contains) == false)
                }
                stale.append(handle)
            case ..<9 where !handles.isEmpty:
                let handle = handles[Int.random(in: 0..<handles.count, using: &random)]
                table[handle].steps += 1
                model[handle]?.steps += 1
            default:
                if let handle = stale.randomElement(using: &random) {
                    let known = table.contains(handle)
                    try #require(!known)
                }
            }
            let count = table.count
            try #require(count == model.count)
        }
        var walked: Set<Handle<Machine>> = []
        var position = 0
        while let handle = table.next(from: &position) {
            walked.insert(handle)
            let machine = (id: table[handle].id, steps: table[handle].steps)
            let expected = try #require(model[handle])
            try #require(machine == expected)
        }
        #expect(walked == Set(model.keys))
        #expect(log.alive == Set(model.values.map(\.id)))
    }
}
