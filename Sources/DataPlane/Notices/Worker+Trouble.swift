internal import Bytes
internal import HTTP
internal import Loop
internal import Machines

/// What a worker notes of failures, for the access log and for notices.

/// The rule that the last malformed response broke, and the bytes that break it.
struct ResponseFault: ~Copyable {
    var exchange = Handle<Exchange>.none
    var rule: StaticString = ""
    var found = ByteBuffer(capacity: Fault.limit)
}

extension Worker {
    /// Notes that a server failed the exchange. The notice follows when it is decided how the request goes on
    /// (`tell`).
    /// - Parameter isServerFailure: did the server fail, so that a notice tells of it? A shortage of Larder's
    ///   own has its own notice.
    mutating func note(_ x: Handle<Exchange>, _ cause: Cause, isServerFailure: Bool = true) {
        exchanges[x].outcome.trouble = Trouble(
            cause: cause, server: Int32(exchanges[x].fetch.server), isUntold: isServerFailure)
    }

    /// Tells of the failure that was noted, if there is one, and of what Larder did for the request.
    @inline(__always)
    mutating func tell(_ x: Handle<Exchange>, _ remedy: Remedy) {
        if exchanges[x].outcome.trouble.isUntold { tellTrouble(x, remedy) }
    }

    @inline(never)
    private mutating func tellTrouble(_ x: Handle<Exchange>, _ remedy: Remedy) {
        exchanges[x].outcome.trouble.isUntold = false
        guard let cause = exchanges[x].outcome.trouble.cause, exchanges[x].outcome.trouble.server >= 0 else {
            return
        }
        let server = Int(exchanges[x].outcome.trouble.server)
        if cause == .malformed, fault.exchange == x {
            failures.note(server, cause, remedy, rule: fault.rule, found: fault.found)
        } else {
            failures.note(server, cause, remedy)
        }
    }

    /// Notes that the head at the front of `outbound` breaks a rule.
    mutating func noteFault(_ x: Handle<Exchange>, _ refusal: BrokenRule) {
        beginFault(x, refusal.code)
        Self.appendFault(refusal, of: scratch.outbound, to: &fault.found)
    }

    /// Notes that the head at the front of `outbound` is not allowed at this point.
    mutating func noteFault(_ x: Handle<Exchange>, _ rule: StaticString, headCount: Int) {
        beginFault(x, rule)
        Self.appendFault(.requestLine, of: scratch.outbound, to: &fault.found)
    }

    /// Notes that the body in `outbound` breaks a rule at this index.
    mutating func noteFault(_ x: Handle<Exchange>, _ refusal: BrokenRule, at place: Int) {
        beginFault(x, refusal.code)
        Self.appendFault(at: place, of: scratch.outbound, to: &fault.found)
    }

    private mutating func beginFault(_ x: Handle<Exchange>, _ rule: StaticString) {
        fault.exchange = x
        fault.rule = rule
        fault.found.removeAll()
    }

    static func appendFault(
        _ refusal: BrokenRule, of bytes: borrowing ByteBuffer, to found: inout ByteBuffer
    ) { Fault.append(refusal, of: bytes.span, to: &found) }

    private static func appendFault(
        at place: Int, of bytes: borrowing ByteBuffer, to found: inout ByteBuffer
    ) { Fault.append(at: place, of: bytes.span, to: &found) }
}
