internal import Bytes
internal import Synchronization

/// Counts what the connections of one thread keep: received and not used, composed and not sent. Together
/// with fills and encoders it is held against the thread's share of `limits.buffers`. Written by that thread
/// alone.
final class BufferLedger: Sendable {
    private let sum = Atomic<Int>(0)

    var bytes: Int { sum.load(ordering: .relaxed) }

    func add(_ count: Int) { sum.store(bytes &+ count, ordering: .relaxed) }
}

/// A connection's kept bytes, counted as long as they are there.
struct KeptBytes: ~Copyable {
    var bytes: ByteBuffer
    private let ledger: BufferLedger
    private var counted = 0

    init(capacity: Int, _ ledger: BufferLedger) {
        bytes = ByteBuffer(capacity: capacity)
        self.ledger = ledger
        recount()
    }

    deinit { ledger.add(-counted) }

    /// To be called when `bytes` may have grown.
    mutating func recount() {
        ledger.add(bytes.capacity - counted)
        counted = bytes.capacity
    }
}
