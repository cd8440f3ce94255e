internal import CKernel
public import SystemPackage

/// This process: what it was started with, what it needs, how it ends.
public enum Program {
    /// The arguments behind the program's name, as the kernel handed them over: Swift's `CommandLine` reads
    /// /proc, which may not be mounted.
    public static var arguments: [String] {
        var count: CInt = 0
        // `count` strings, which live as long as the process.
        let all = unsafe larder_arguments(&count)
        return (1..<max(1, Int(count))).compactMap { index in
            unsafe all[index].map { unsafe String(cString: $0) }
        }
    }

    /// Puts /dev/null in the place of standard streams that are closed, so that no socket gets their numbers.
    public static func fillStandardStreams() { larder_fill_standard_streams() }

    /// From here on a crash ends the process at once, with a few lines on standard error: the signal, the
    /// address, the calls that led there (for `addr2line`). So does such a signal that is sent from outside.
    /// Swift's own reporter would stop all threads for seconds while it reads debug information.
    /// - Parameter name: what the lines begin with.
    public static func endAtCrash(named name: String) {
        // The name is copied during the call.
        unsafe name.withCString { unsafe larder_end_at_crash($0) }
    }

    /// Ends the process without waiting for anything: for threads that do not end.
    public static func leave(_ code: Int32) -> Never { larder_leave(code) }

    /// A system call that Larder cannot do without, and that the kernel or a filter refuses; nil: there is
    /// none. Only refusals count (EPERM, EACCES, ENOSYS), no shortage.
    public static var refusedCall: (name: String, error: Errno)? {
        var error: CInt = 0
        // A literal of the C side.
        guard let name = unsafe larder_refused_call(&error) else { return nil }
        return (unsafe String(cString: name), Errno(rawValue: error))
    }
}

/// Standard error, for notices: writing never waits for a reader.
public enum StandardError {
    /// - Returns: how many bytes were written; fewer than there are: nobody reads, or the disk is full.
    public static func writeSoon(_ bytes: borrowing Span<UInt8>) -> Int {
        // The span is read during the call.
        unsafe bytes.withUnsafeBufferPointer { bytes in
            guard let start = bytes.baseAddress else { return 0 }
            return unsafe max(0, Int(larder_write_soon(2, start, bytes.count)))
        }
    }
}
