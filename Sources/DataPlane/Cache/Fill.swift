internal import Bytes
internal import Caching

/// A body on its way into the store: committed whole, or not at all.
struct Fill: ~Copyable {
    /// The origin's head as it came: the stored head is written from it once the length is known.
    var head: ByteBuffer
    var body: ByteBuffer
    let facts: EntryFacts

    init(head: consuming ByteBuffer, body: consuming ByteBuffer, facts: EntryFacts) {
        self.head = head
        self.body = body
        self.facts = facts
    }
}
