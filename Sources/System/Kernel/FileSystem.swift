public import Bytes
internal import CKernel
public import SystemPackage

/// Files: what a static-file origin and a log need of the file system, and no more.
///
/// Writing to a broken pipe raises SIGPIPE: a process that uses this ignores it. (No `sendfile`, for the same
/// reason: it cannot be told not to raise it.)

/// What is known of an open file.
public struct FileStatus: Sendable, Equatable {
    public enum Kind: Sendable {
        case regular, directory
        /// A pipe, a socket or a terminal: writing may have to wait for a reader.
        case stream
        case other
    }

    public var kind: Kind
    /// Bytes.
    public var size: Int64
    /// Last modification: Unix seconds, and the nanoseconds of that second.
    public var modifiedSeconds: Int64
    public var modifiedNanoseconds: Int64
    public var inode: UInt64
    public var device: UInt64
}

/// A directory that files are opened below, and nothing else: no path and no race leads out of it, and no
/// symbolic link is followed (openat2 with RESOLVE_BENEATH and RESOLVE_NO_SYMLINKS).
public struct Directory: ~Copyable, Sendable {
    let descriptor: Descriptor

    /// Takes over a descriptor of a directory (O_PATH suffices).
    ///
    /// Throws `.noFunction` where the kernel has no openat2 (before Linux 5.6), `.notPermitted` where a
    /// seccomp filter forbids it: there is no other safe way, so nothing is served then.
    public init(owning descriptor: consuming Descriptor) throws(Errno) {
        // The probe's descriptor is closed at once.
        let probe = unsafe larder_open_beneath(descriptor.raw, ".")
        if probe < 0, Errno(rawValue: -probe) != .permissionDenied { throw Errno(rawValue: -probe) }
        if probe >= 0 { _ = Descriptor(owning: probe) }
        self.descriptor = descriptor
    }

    /// Opens a directory by its path. Throws what opening throws, and as `init(owning:)`.
    public static func open(_ path: String) throws(Errno) -> Directory {
        // The path is read during the call.
        let raw = unsafe path.withCString { unsafe larder_open_directory($0) }
        return try Directory(owning: Descriptor(owning: try check(raw)))
    }

    /// Opens a file or directory below this one for reading.
    ///
    /// - Parameter path: relative, with exactly one NUL, its last byte.
    /// Throws `.improperLink` (EXDEV) for what leads out, `.tooManySymbolicLinkLevels` (ELOOP) where a
    /// symbolic link is part of the path, else what opening throws.
    public func open(beneath path: borrowing Span<UInt8>) throws(Errno) -> Descriptor {
        precondition(path.firstIndex(of: 0) == path.count - 1, "a path ends with its only NUL")
        // The kernel reads up to the NUL, which was just found inside the span.
        let raw = unsafe path.withUnsafeBufferPointer { path in
            unsafe path.withMemoryRebound(to: CChar.self) {
                unsafe larder_open_beneath(descriptor.raw, $0.baseAddress!)
            }
        }
        return Descriptor(owning: try check(raw))
    }

    /// The text of a symbolic link; nil for what is none.
    ///
    /// - Parameter path: as `open(beneath:)` takes it. A link before its last component is followed, wherever
    ///   it leads: replace those first.
    public func linkText(beneath path: borrowing Span<UInt8>) throws(Errno) -> [UInt8]? {
        precondition(path.firstIndex(of: 0) == path.count - 1, "a path ends with its only NUL")
        var length: Int64 = 0
        let text = unsafe [UInt8](unsafeUninitializedCapacity: 4_096) { text, count in
            // The kernel reads up to the NUL, and writes `length` bytes of the text's room.
            length = unsafe text.withMemoryRebound(to: CChar.self) { text in
                unsafe path.withUnsafeBufferPointer { path in
                    unsafe path.withMemoryRebound(to: CChar.self) {
                        unsafe larder_read_link(
                            descriptor.raw, $0.baseAddress!, text.baseAddress!, text.count)
                    }
                }
            }
            count = max(0, Int(length))
        }
        if length >= 0 { return text }
        let error = Errno(rawValue: CInt(-length))
        if error == .invalidArgument { return nil }
        throw error
    }
}

extension Descriptor {
    /// Opens a log to be appended to, making it (mode 0640, less the umask) where there is none. Never waits
    /// for the reader of a pipe, and neither does writing. Throws `.noSuchAddressOrDevice` for a socket, and
    /// for a pipe without a reader that this process may not read.
    public static func log(at path: String) throws(Errno) -> Descriptor {
        // The path is read during the call.
        Descriptor(owning: try check(unsafe path.withCString { unsafe larder_open_log($0, 0o640) }))
    }

    /// Is there a pipe at this path?
    public static func isPipe(_ path: String) -> Bool {
        // The path is read during the call.
        unsafe path.withCString { unsafe larder_is_pipe($0) != 0 }
    }

    /// Does the regular file at this path end inside a line? False where that cannot be told.
    public static func endsInsideLine(_ path: String) -> Bool {
        // The path is read during the call.
        unsafe path.withCString { unsafe larder_ends_inside_line($0) != 0 }
    }

    /// Another descriptor of standard output, so that closing it leaves the original open.
    public static func standardOutput() throws(Errno) -> Descriptor {
        Descriptor(owning: try check(larder_duplicate(1)))
    }

    public func status() throws(Errno) -> FileStatus {
        var status = larder_file_status()
        // Written during the call.
        try check(unsafe larder_file_status(raw, &status))
        let kind: FileStatus.Kind =
            switch status.kind {
            case Int32(LARDER_FILE_REGULAR): .regular
            case Int32(LARDER_FILE_DIRECTORY): .directory
            case Int32(LARDER_FILE_STREAM): .stream
            default: .other
            }
        return FileStatus(
            kind: kind, size: status.size, modifiedSeconds: status.seconds,
            modifiedNanoseconds: status.nanoseconds,
            inode: status.inode, device: status.device)
    }

    /// Appends up to `limit` (> 0) bytes of the file from `offset` on to `buffer`. `.endOfStream` past its
    /// end.
    public func read(into buffer: inout ByteBuffer, atMost limit: Int, offset: Int64) -> IOResult {
        precondition(limit > 0)
        return buffer.append(capacity: limit) { output in
            IOResult(
                received: unsafe output.withUnsafeMutableBufferPointer { spare, count in
                    // `spare` has room for `limit` bytes; exactly the read ones are initialised.
                    let read = unsafe larder_read_at(raw, spare.baseAddress!, limit, offset)
                    count = max(0, Int(read))
                    return read
                })
        }
    }

    /// Writes what the descriptor takes at once, or, if it is blocking, waits.
    public func write(_ bytes: borrowing Span<UInt8>) -> IOResult {
        // The kernel reads inside the span during the call.
        IOResult(
            sent: unsafe bytes.withUnsafeBufferPointer { unsafe larder_write(raw, $0.baseAddress, $0.count) })
    }

    /// Waits until something can be written (4 096 bytes at least, for a pipe) or writing fails.
    public func waitWritable(timeoutMilliseconds: Int) -> Bool {
        larder_poll(raw, 1, CInt(clamping: timeoutMilliseconds)) != 0
    }
}
