internal import Caching
internal import Machines

/// How a request ended, for the access log and for notices.
struct Outcome {
    /// The status that the client gets; 0 until there is one.
    var status: UInt16 = 0
    /// Why the response is not in the store; nil where it is, or may yet be.
    var reason: Reason?
    /// All reasons behind `reason`. They are looked for only where there is a log.
    var reasons = Reasons()
    /// What last failed.
    var trouble = Trouble()
    var isStored = false
    /// The serial of the stored original, once it is committed. A body that is compressed on its way is
    /// stored as its variant, and then this is 0 again.
    var serial: UInt64 = 0
}

/// The last failure of an exchange.
struct Trouble: BitwiseCopyable {
    var cause: Cause?
    /// Index in `Site.servers` of the server that failed; -1: no server failed.
    var server: Int32 = -1
    /// The notices do not know of the failure yet, because it is not decided what becomes of the request.
    var isUntold = false
}

/// When a request's head was complete.
struct Moment: BitwiseCopyable {
    /// Unix time.
    let wallMilliseconds: UInt64
    /// Of the loop's clock.
    let microseconds: UInt64
}
