internal import AccessLog
package import Bytes
package import Caching

/// A request as it is looked up in the store: all that the lookup, the decision and the head of the answer go
/// by, beside the parsed head and the rules of its route.
///
/// It borrows bytes and holds small values. It knows nothing of sockets, timers or the log, so that a test
/// can ask the same store by `PlainHit` and by `StoreFinding`.
package struct StoreLookup: ~Escapable, BitwiseCopyable {
    /// The bytes that the request's head was parsed from.
    let bytes: Span<UInt8>
    let key: Span<UInt8>
    let keyed: KeyedRequest
    var verdict: RequestVerdict
    let now: Times
    let persistence: Persistence
    /// What has happened since the request was looked up for the first time; nil: this is the first time.
    var again: Again?

    @_lifetime(copy bytes, copy key) @inline(__always)
    package init(
        bytes: Span<UInt8>, key: Span<UInt8>, _ keyed: KeyedRequest, _ verdict: RequestVerdict, _ now: Times,
        _ persistence: Persistence
    ) {
        self.bytes = bytes
        self.key = key
        self.keyed = keyed
        self.verdict = verdict
        self.now = now
        self.persistence = persistence
    }

    /// The key's host, path and query.
    var routingKey: Span<UInt8> {
        @_lifetime(copy self) @inline(__always)
        get { key.extracting(droppingFirst: min(keyed.routingStart, key.count)) }
    }
}

extension Exchange {
    /// Its request, to be looked up again, or to be answered by what its fetch has brought. Of `request` the
    /// head.
    @_lifetime(borrow self)
    borrowing func lookup(_ now: Times, isClosing: Bool = false) -> StoreLookup {
        StoreLookup(
            bytes: head, key: key, keyed, verdict, now,
            Persistence(isClosing: isClosing, minorVersion: minorVersion))
    }
}

/// How an answer's connection goes on behind it (RFC 9112 §9.3).
package struct Persistence: BitwiseCopyable, Sendable {
    var isClosing: Bool
    /// Of the client's HTTP/1.
    var minorVersion: UInt8

    @inline(__always)
    package init(isClosing: Bool, minorVersion: UInt8) {
        self.isClosing = isClosing
        self.minorVersion = minorVersion
    }

    /// An answer has no Connection line where it goes on as HTTP/1.1 does by itself.
    var isUsual: Bool { !isClosing && minorVersion == 1 }
}

extension KeyedRequest {
    package init(hash: Hash128, routingStart: Int, targetStart: Int) {
        self.hash = hash
        self.routingStart = routingStart
        self.targetStart = targetStart
    }
}
