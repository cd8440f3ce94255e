import SystemPackage

/// What the writer has to tell of lines that it could not write, and when. A value: time and events go in,
/// notices come out.
///
/// At most one notice in `intervalMilliseconds`. The first loss is told at once, later ones as a count, and
/// the end of the trouble with the count of all.
struct LogTrouble {
    static let intervalMilliseconds: UInt64 = 10_000

    enum Cause: Equatable {
        /// Writing or opening failed.
        case failed(Errno)
        /// A pipe, a terminal or a socket has had no room for a while.
        case unread
        /// Records came faster than lines can be written.
        case slow
    }

    /// The path, or `stdout`.
    let name: String
    private var cause: Cause?
    private var dropped = 0
    /// Since the last loss, lines have been written.
    private var isOver = false
    private var wasTold = false
    private var due: UInt64 = 0

    init(name: String) { self.name = name }

    /// Is there something to tell, now or later?
    var isPending: Bool { cause != nil && (isOver || !wasTold) }

    /// Lines were dropped; or, with none, are waiting.
    mutating func note(_ cause: Cause, lines: Int = 0) {
        // A slow moment does not hide that writing fails.
        if cause != .slow || self.cause == nil || isOver { self.cause = cause }
        if lines > 0 || cause == .unread { isOver = false }
        if lines > 0 { wasTold = false }
        dropped += lines
    }

    /// A line was written.
    mutating func noteWritten() {
        if cause != nil { isOver = true }
    }

    /// The notice that is due; the last one is always due.
    mutating func notice(now: UInt64, isLast: Bool = false) -> String? {
        guard let cause, isPending, isLast || now >= due else { return nil }
        due = now + Self.intervalMilliseconds
        wasTold = true
        guard isOver || isLast || cause == .slow else { return "access log \(name): \(text(cause))" }
        defer {
            self.cause = nil
            isOver = false
            wasTold = false
            dropped = 0
        }
        if isOver, cause != .slow, !isLast {
            return "access log \(name): written again; \(Self.lines(dropped)) dropped"
        }
        return "access log \(name): \(text(cause))"
    }

    private func text(_ cause: Cause) -> String {
        let sum = "\(Self.lines(dropped)) dropped so far"
        return switch cause {
        case .failed(.fileTooLarge):
            "cannot be written: it has reached the limit of a file's size (ulimit -f, systemd's "
                + "LimitFSIZE=); " + sum
        case .failed(let error): "cannot be written: \(error); \(sum)"
        case .unread where dropped == 0: "nobody reads it; lines wait, and are dropped when they are too many"
        case .unread: "nobody reads it; \(sum)"
        case .slow: "\(Self.lines(dropped)) dropped, the writer could not keep up"
        }
    }

    private static func lines(_ count: Int) -> String { count == 1 ? "1 line" : "\(count) lines" }
}

/// Why the access log cannot be opened, for the user to see.
public struct AccessLogFailure: Error, Equatable, Sendable, CustomStringConvertible {
    public let description: String

    init(_ description: String) { self.description = description }

    /// - Parameter error: what opening `path` came to.
    init(opening path: String, _ error: Errno) {
        let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        let cause =
            switch error {
            case .noSuchFileOrDirectory: "there is no folder \(folder.isEmpty ? "/" : folder)"
            case .isDirectory: "it is a folder"
            case .noSuchAddressOrDevice, .notSupported:
                "it is neither a file nor a pipe nor a character device"
            default: "\(error)"
            }
        self.init("cannot open the access log \(path) (log.access): \(cause)")
    }
}
