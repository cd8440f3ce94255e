/// The meaning of each signal to `larder serve`. docs/operation.md has the same table for people.

internal import Kernel

enum SignalMeaning: Equatable {
    /// Accept no more connections, and let requests under way end, for `limits.drain` at most. A second such
    /// signal means `stop`.
    case drain
    case stop
    case reopenLogs
    /// Do nothing except write this notice.
    case notice(String)

    /// Does the signal end the process, at once or after a drain?
    var endsProcess: Bool { self == .drain || self == .stop }

    static let received: [Signal: SignalMeaning] = [
        .terminate: .drain, .quit: .drain, .interrupt: .stop, .user1: .reopenLogs,
        .hangup: .notice(
            "HUP is ignored: reload is not built yet; restart Larder to read the configuration again"),
        .user2: .notice("USR2 is ignored: upgrade is not built yet; restart Larder to run a new program"),
        .processorTime: .notice(
            "XCPU: Larder has reached its limit of processor time (ulimit -t, systemd's LimitCPU=); at the "
                + "hard limit the kernel kills it"),
    ]

    /// The signals that Larder ignores. System calls report the causes of `pipe` and `fileSize` as errors.
    /// The other signals have no meaning for Larder, and by default would end the process.
    static let ignored: [Signal] =
        [
            .pipe, .fileSize, .alarm, .coprocessorStack, .virtualAlarm, .profiling, .inputOutput, .power,
        ] + Signal.realTime
}
