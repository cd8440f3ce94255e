internal import Bytes
internal import HTTP
internal import Loop

/// The thread's buffers and parsed heads: one of each, used by one connection or exchange after another.
///
/// Nothing in it outlives the handling of one event. What has to be kept is copied: into a `Channel` (bytes
/// that the socket does not take, or that are not used yet), an `Exchange` (the request), or a `Fill` (a
/// body).
struct Scratch: ~Copyable {
    /// The request at hand, parsed over the front of `inbound`, or over the head that `requestOf` keeps.
    var request = RequestHead()
    /// The exchange whose kept head `request` is parsed from; `none`: it is parsed from `inbound`.
    var requestOf = Handle<Exchange>.none
    /// The response at hand, parsed over the front of `outbound`.
    var response = ResponseHead()
    /// Bytes that a client sent.
    var inbound = ByteBuffer(capacity: 2 * Channel.window)
    /// Bytes that an origin sent.
    var outbound = ByteBuffer(capacity: 2 * Channel.window)
    /// The message that is being composed, for a client or for an origin.
    var out = ByteBuffer(capacity: 16 * 1024)
    /// The cache key of the request at hand.
    var key = ByteBuffer(capacity: 4 * 1024)
    /// The Vary values of the entry that is being written.
    var vary = ByteBuffer(capacity: 1024)
    /// The stored form of a head.
    var storedHead = ByteBuffer(capacity: 8 * 1024)
    /// A run of a body after it was encoded or decoded.
    var coded = ByteBuffer(capacity: Channel.window)
}
