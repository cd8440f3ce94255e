internal import Kernel

/// Messages of other threads to a loop: helpers post, the loop collects when its doorbell has rung.
///
/// The lock is held for one append or one swap. Unbounded: the loop bounds what it asks for.
public final class Mailbox<Message: Sendable>: Sendable {
    private let messages = Locked<[Message]>([])
    /// Rings for every post.
    public let doorbell: Doorbell

    public init(doorbell: Doorbell) { self.doorbell = doorbell }

    /// Leaves a message and rings. From any thread.
    public func post(_ message: Message) {
        messages.withLock { $0.append(message) }
        doorbell.ring()
    }

    /// Replaces `batch` by all messages in their order. The arrays take turns, so that a steady flow
    /// allocates nothing.
    public func collect(into batch: inout [Message]) {
        batch.removeAll(keepingCapacity: true)
        messages.withLock { swap(&$0, &batch) }
    }
}
