/// What each signal means to `larder serve`: docs/operation.md is this table in words.

internal import Kernel

enum SignalMeaning: Equatable {
    /// Takes no more connections, lets what is under way end, for `limits.drain` at most. While that goes on,
    /// as `stop`.
    case drain
    case stop
    case reopenLogs
    /// Changes nothing, and says so.
    case notice(String)

    /// Does it end the process, sooner or later?
    var isEnd: Bool { self == .drain || self == .stop }

    static let received: [Signal: SignalMeaning] = [
        .terminate: .drain, .quit: .drain, .interrupt: .stop, .user1: .reopenLogs,
        .hangup: .notice(
            "HUP is ignored: reload is not built yet; restart Larder to have its configuration read again"),
        .user2: .notice("USR2 is ignored: upgrade is not built yet; restart Larder to run another binary"),
        .processorTime: .notice(
            "XCPU: the limit of processor time is reached (ulimit -t, systemd's LimitCPU=); at the hard "
                + "limit the kernel kills Larder"),
    ]

    /// Errors tell what the first two would; the others would end the process, and mean nothing to it.
    static let ignored: [Signal] =
        [
            .pipe, .fileSize, .alarm, .coprocessorStack, .virtualAlarm, .profiling, .inputOutput, .power,
        ] + Signal.realTime
}
