import Bytes
import Kernel

/// One record as it waits for the writer: the numbers, and where its texts end in the batch's text.
struct Entry: Sendable {
    enum Part: Int { case client, peer, method, target, host, referer, userAgent, found }

    var record: AccessRecord
    /// Where the first text begins.
    var start: Int
    /// Lengths of the texts in the order of `Part`.
    var lengths: InlineArray<8, UInt32>

    func range(_ part: Part) -> Range<Int> {
        var offset = start
        for index in 0..<part.rawValue { offset += Int(lengths[index]) }
        return offset..<(offset + Int(lengths[part.rawValue]))
    }
}

/// Records that travel together. Emptied, it keeps its memory: the two batches of a lane are swapped, never
/// made anew.
struct Batch: ~Copyable, Sendable {
    var entries: [Entry] = []
    var text: ByteBuffer
    /// Records that found no room.
    var dropped: UInt64 = 0

    init(textCapacity: Int) {
        text = ByteBuffer(capacity: textCapacity)
        entries.reserveCapacity(textCapacity / 128)
    }

    /// What it takes in memory, roughly: the measure of "full".
    var size: Int { text.count + entries.count * MemoryLayout<Entry>.stride }
    var isEmpty: Bool { entries.isEmpty && dropped == 0 }

    /// Adds one record and its texts.
    /// - Parameter peer: the connection's other end; it is the client where `texts` names none.
    mutating func add(_ record: AccessRecord, peer: borrowing SocketAddress, _ texts: borrowing AccessTexts) {
        let start = text.count
        let lengths = Self.append(peer, texts, to: &text)
        entries.append(Entry(record: record, start: start, lengths: lengths))
    }

    /// Appends the texts of one record in the order of `Entry.Part`.
    /// - Returns: their lengths.
    static func append(
        _ peer: borrowing SocketAddress, _ texts: borrowing AccessTexts, to text: inout ByteBuffer
    ) -> InlineArray<8, UInt32> {
        let start = text.count
        text.append(texts.client)
        let isTold = text.count > start
        let told = text.count
        peer.appendHost(to: &text)
        let hostCount = UInt32(text.count - told)
        text.append(texts.method)
        text.append(texts.target)
        text.append(lowercasing: texts.host)
        text.append(texts.referer)
        text.append(texts.userAgent)
        text.append(texts.found)
        return [
            isTold ? UInt32(told - start) : hostCount, isTold ? hostCount : 0, UInt32(texts.method.count),
            UInt32(texts.target.count), UInt32(texts.host.count), UInt32(texts.referer.count),
            UInt32(texts.userAgent.count), UInt32(texts.found.count),
        ]
    }

    mutating func add(_ held: HeldRecord) {
        entries.append(Entry(record: held.record, start: text.count, lengths: held.lengths))
        text.append(held.texts.span)
    }

    mutating func removeAll() {
        entries.removeAll(keepingCapacity: true)
        text.removeAll()
        dropped = 0
    }

    /// Appends the records of `other`.
    mutating func append(_ other: borrowing Batch) {
        let shift = text.count
        text.append(other.text.span)
        for index in other.entries.indices {
            var entry = other.entries[index]
            entry.start += shift
            entries.append(entry)
        }
        dropped += other.dropped
    }
}
