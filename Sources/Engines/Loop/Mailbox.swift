internal import Kernel

/// Messages of other threads to a loop: helpers post, the loop collects when its doorbell has rung.
///
/// The lock is held for one append or one swap. Unbounded: the loop bounds what it asks for.
public final class Mailbox<Message: Sendable>: Sendable {
    private struct Content: Sendable {
        var messages: [Message] = []
        var isClosed = false
    }

    private let content = Locked(Content())
    /// Rings for every post.
    public let doorbell: Doorbell

    public init(doorbell: Doorbell) { self.doorbell = doorbell }

    /// Leaves a message and rings. From any thread. False: the loop has ended, and nobody will see it.
    @discardableResult
    public func post(_ message: Message) -> Bool {
        let isOpen = content.withLock { content in
            if !content.isClosed { content.messages.append(message) }
            return !content.isClosed
        }
        if isOpen { doorbell.ring() }
        return isOpen
    }

    /// The loop ends: takes no more. Returns what was left.
    public func close() -> [Message] {
        content.withLock { content in
            content.isClosed = true
            let left = content.messages
            content.messages = []
            return left
        }
    }

    /// Replaces `batch` by all messages in their order. The arrays take turns, so that a steady flow
    /// allocates nothing.
    public func collect(into batch: inout [Message]) {
        batch.removeAll(keepingCapacity: true)
        content.withLock { swap(&$0.messages, &batch) }
    }
}
