/// What the final head of a response is used for, before anything of it goes to the client (RFC 9111 §4.3.3,
/// §4.3.5).
///
///     the response                                    use
///     304 to Larder's own conditions                  validates
///     304, though no condition was sent               malformed
///     200 to a HEAD whose entry is stored             freshens
///     5xx, the entry may answer for an error, and     replacedByEntry
///       a client waits
///     any other                                       passed
public import Caching
public import HTTP

public enum ResponseUse: Equatable, Sendable, BitwiseCopyable {
    /// The response renews the entry, or shows that the whole has to be fetched.
    case validates
    /// The response breaks a rule of HTTP.
    case malformed
    /// The response is compared with the entry, and passed on all the same.
    case freshens
    /// The entry answers in place of the response, if it is still stored; else the response is passed on.
    case replacedByEntry
    case passed

    /// - Parameters:
    ///   - request: the verdict on the request that was sent.
    ///   - renewal: the entry that the fetch may renew, or fall back on.
    @inlinable
    public init(status: UInt16, to request: RequestVerdict, _ renewal: Renewal?, hasClient: Bool) {
        if let renewal {
            if status == 304, renewal.isConditional {
                self = .validates
                return
            }
            if status == 200, request.method == .head {
                self = .freshens
                return
            }
            if status >= 500, renewal.mayIfError, hasClient {
                self = .replacedByEntry
                return
            }
        }
        // What may be stored is fetched without the client's conditions, and here without Larder's.
        self = status == 304 && request.mayStore ? .malformed : .passed
    }
}

/// What the client gets of a response whose final head has come.
public enum Delivery: Equatable, Sendable, BitwiseCopyable {
    /// A 304: the client's own copy is current. The body still goes into the store.
    case notModified
    /// Nothing before the body is stored and can be undone.
    case heldBack
    /// Head and body, transformed as they pass.
    case transformed
    /// Head and body as they came.
    case asReceived

    /// - Parameters:
    ///   - isCurrent: the client's condition tells that its copy is current.
    ///   - isStored: the response goes into the store.
    @inlinable
    public init(_ change: HeadTransform.Change, isCurrent: Bool, isStored: Bool) {
        if isCurrent {
            self = .notModified
        } else if change == .decoded, isStored {
            self = .heldBack
        } else {
            self = change == .none ? .asReceived : .transformed
        }
    }

    /// Does the body go through an encoder? Not for the client of a HEAD alone: what is encoded then is for
    /// the store.
    @inlinable
    public func recodes(answersHead: Bool, isStored: Bool) -> Bool {
        self == .transformed && (!answersHead || isStored)
    }
}
