internal import CKernel
internal import Glibc
public import SystemPackage

/// A child process, killed and reaped by `deinit` unless it was waited for.
///
/// The process id stays reserved (a zombie at worst) until `wait`, so signals never hit a stranger.
/// `pidfd` becomes readable when the process is gone: that, not a timeout, is what clears its rows in shared
/// memory.
public struct ChildProcess: ~Copyable, Sendable {
    public let id: Int32
    /// Readable once the process has ended; owned by this value.
    public let pidfd: CInt
    private var reaped = false

    public enum Status: Sendable, Hashable {
        case exited(Int32)
        case killed(signal: Int32)
    }

    /// Starts the executable at `path`.
    /// - Parameters:
    ///   - arguments: without the executable's own name.
    ///   - environment: `NAME=value` each; nothing is inherited.
    ///   - descriptors: which descriptor becomes which number in the child; all others: close-on-exec.
    public init(
        path: String, arguments: [String] = [], environment: [String] = [],
        descriptors: [(descriptor: CInt, number: CInt)] = []
    ) throws(Errno) {
        let pid = ChildProcess.spawn(path, [path] + arguments, environment, descriptors)
        if pid < 0 { throw Errno(rawValue: -pid) }
        let pidfd = larder_pidfd_open(pid)
        if pidfd < 0 {
            _ = larder_signal(pid, 9)
            _ = larder_wait(pid, 1)
            throw Errno(rawValue: -pidfd)
        }
        id = pid
        self.pidfd = pidfd
    }

    deinit {
        if !reaped {
            _ = larder_signal(id, 9)
            _ = larder_wait(id, 1)
        }
        _ = larder_close(pidfd)
    }

    /// Sends a signal; false once the process has been waited for.
    @discardableResult
    public func signal(_ number: Int32) -> Bool {
        !reaped && larder_signal(id, number) == 0
    }

    /// Waits until it ends. Blocks.
    public mutating func wait() -> Status {
        let status = larder_wait(id, 1)
        reaped = true
        return status >= 256 ? .killed(signal: status - 256) : .exited(status)
    }

    /// Its end, or nil while it runs. Never blocks.
    public mutating func poll() -> Status? {
        let status = larder_wait(id, 0)
        if status == CInt(LARDER_RUNNING) { return nil }
        reaped = true
        return status >= 256 ? .killed(signal: status - 256) : .exited(status)
    }

    private static func spawn(
        _ path: String, _ arguments: [String], _ environment: [String],
        _ descriptors: [(descriptor: CInt, number: CInt)]
    ) -> CInt {
        let from = descriptors.map(\.descriptor)
        let to = descriptors.map(\.number)
        // C strings are copied here and freed below; the child has its own copies once the call returns.
        var argumentVector = unsafe arguments.map { unsafe strdup($0) } + [nil]
        var environmentVector = unsafe environment.map { unsafe strdup($0) } + [nil]
        defer {
            unsafe argumentVector.forEach { unsafe free($0) }
            unsafe environmentVector.forEach { unsafe free($0) }
        }
        return unsafe larder_spawn(path, &argumentVector, &environmentVector, from, to, CInt(from.count))
    }
}
