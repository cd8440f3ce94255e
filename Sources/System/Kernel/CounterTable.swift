internal import Synchronization

/// Counters of a process that are sums over its threads: each thread writes its own row, on cache lines that
/// no other thread writes, by plain loads and stores; whoever wants a figure adds up a column. A count costs
/// about a nanosecond, a sum one load a row.
///
/// A sum is not taken at one moment: counts that move from one row to another meanwhile may be seen twice or
/// not at all. Counts wrap; a column that goes up and down in one row only is never below zero.
@safe
public final class CounterTable: Sendable {
    public let rows: Int
    public let columns: Int
    /// Words from one row to the next: whole pairs of cache lines, since processors fetch two at a time.
    private let stride: Int
    // Allocated and initialised by init, freed by deinit; in between only its atomics are touched.
    private nonisolated(unsafe) let words: UnsafeMutablePointer<Atomic<UInt64>>
    private let taken: Locked<[Bool]>

    private static var lineBytes: Int { 128 }

    public init(rows: Int, columns: Int) {
        precondition(rows > 0 && columns > 0)
        self.rows = rows
        self.columns = columns
        let wordsPerLine = Self.lineBytes / 8
        stride = (columns + wordsPerLine - 1) / wordsPerLine * wordsPerLine
        let count = rows * stride
        let raw = UnsafeMutableRawPointer.allocate(byteCount: count * 8, alignment: Self.lineBytes)
        unsafe words = raw.bindMemory(to: Atomic<UInt64>.self, capacity: count)
        for index in 0..<count { unsafe (words + index).initialize(to: Atomic(0)) }
        taken = Locked([Bool](repeating: false, count: rows))
    }

    deinit {
        unsafe words.deinitialize(count: rows * stride)
        unsafe UnsafeMutableRawPointer(words).deallocate()
    }

    /// A row for its one writer. A row is taken once.
    public func row(_ index: Int) -> CounterRow {
        taken.withLock { taken in
            precondition(!taken[index], "a row has one writer")
            taken[index] = true
        }
        return unsafe CounterRow(
            table: self, all: words, own: words + index * stride, rows: rows, columns: columns, stride: stride
        )
    }

    /// The sum of a column.
    public func sum(_ column: Int) -> UInt64 {
        precondition(column >= 0 && column < columns)
        var sum: UInt64 = 0
        for row in 0..<rows { unsafe sum &+= words[row * stride + column].load(ordering: .relaxed) }
        return sum
    }
}

/// One thread's row of a `CounterTable`.
@safe
public struct CounterRow: ~Copyable, Sendable {
    /// Keeps the words alive. They are reached by the pointers alone: threads that counted references to the
    /// table would wait for each other.
    private let table: CounterTable
    // Within the table's words, which live as long as `table`.
    private nonisolated(unsafe) let all: UnsafeMutablePointer<Atomic<UInt64>>
    private nonisolated(unsafe) let own: UnsafeMutablePointer<Atomic<UInt64>>
    private let rows: Int
    private let columns: Int
    private let stride: Int

    @unsafe
    fileprivate init(
        table: CounterTable, all: UnsafeMutablePointer<Atomic<UInt64>>,
        own: UnsafeMutablePointer<Atomic<UInt64>>, rows: Int, columns: Int, stride: Int
    ) {
        self.table = table
        unsafe self.all = unsafe all
        unsafe self.own = unsafe own
        self.rows = rows
        self.columns = columns
        self.stride = stride
    }

    public mutating func increment(_ column: Int) { change(column, by: 1) }

    /// The count must be above zero: what is taken away was counted before.
    public mutating func decrement(_ column: Int) {
        precondition(value(column) > 0, "a count below zero")
        change(column, by: .max)
    }

    /// What this thread has counted.
    public borrowing func value(_ column: Int) -> UInt64 {
        precondition(column >= 0 && column < columns)
        return unsafe own[column].load(ordering: .relaxed)
    }

    /// Puts the sums over all rows of some columns into `sums` from `start` on, in order, saturating.
    public borrowing func sum(_ range: Range<Int>, into sums: inout MutableSpan<UInt32>, from start: Int) {
        precondition(range.lowerBound >= 0 && range.upperBound <= columns)
        for place in start..<(start + range.count) { sums[place] = 0 }
        // Row by row: neighbours share a cache line.
        for row in 0..<rows {
            let base = row * stride + range.lowerBound - start
            for place in start..<(start + range.count) {
                let count = unsafe all[base + place].load(ordering: .relaxed)
                sums[place] = UInt32(clamping: UInt64(sums[place]) &+ count)
            }
        }
    }

    private mutating func change(_ column: Int, by amount: UInt64) {
        precondition(column >= 0 && column < columns)
        // Nobody else writes here: no locked instruction.
        let old = unsafe own[column].load(ordering: .relaxed)
        unsafe own[column].store(old &+ amount, ordering: .relaxed)
    }
}
