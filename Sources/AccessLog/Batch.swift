import Bytes
import Kernel

/// One record as it waits for the writer: the numbers, and where its texts end in the batch's text.
struct Entry: Sendable {
    enum Part: Int { case client, method, target, host, referer, userAgent }

    var record: AccessRecord
    /// Where the first text begins.
    var start: Int
    /// Lengths of the texts in the order of `Part`.
    var lengths: InlineArray<6, UInt32>

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
    mutating func add(
        _ record: AccessRecord, client: borrowing SocketAddress, method: borrowing Span<UInt8>,
        target: borrowing Span<UInt8>, host: borrowing Span<UInt8>, referer: borrowing Span<UInt8>,
        userAgent: borrowing Span<UInt8>
    ) {
        let start = text.count
        client.appendHost(to: &text)
        let lengths: InlineArray<6, UInt32> = [
            UInt32(text.count - start), UInt32(method.count), UInt32(target.count), UInt32(host.count),
            UInt32(referer.count),
            UInt32(userAgent.count),
        ]
        entries.append(Entry(record: record, start: start, lengths: lengths))
        text.append(method)
        text.append(target)
        text.append(lowercasing: host)
        text.append(referer)
        text.append(userAgent)
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
