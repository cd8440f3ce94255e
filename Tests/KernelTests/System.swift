import Glibc
import SystemPackage

// The few system calls that tests need and the Kernel module has no use for.

enum ProcessInfoID {
    static var current: Int32 { getpid() }
}

func makeDirectory(_ path: String) throws {
    if unsafe mkdir(path, 0o700) != 0 { throw Errno(rawValue: errno) }
}

/// Removes a directory and the plain entries in it.
func removeDirectory(_ path: String) {
    guard let directory = unsafe opendir(path) else { return }
    while let entry = unsafe readdir(directory) {
        // d_name is NUL-terminated and lives until the next readdir.
        let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
            unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
        }
        if name != ".", name != ".." { unsafe unlink(path + "/" + name) }
    }
    unsafe closedir(directory)
    unsafe rmdir(path)
}

func exists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }

func isOpen(_ raw: CInt) -> Bool { fcntl(raw, F_GETFD) >= 0 }
func closesOnExec(_ raw: CInt) -> Bool { fcntl(raw, F_GETFD) & FD_CLOEXEC != 0 }
func isNonBlocking(_ raw: CInt) -> Bool { fcntl(raw, F_GETFL) & O_NONBLOCK != 0 }

func hasNoDelay(_ raw: CInt) -> Bool {
    var value: CInt = 0
    var length = socklen_t(MemoryLayout<CInt>.size)
    return unsafe getsockopt(raw, CInt(IPPROTO_TCP), TCP_NODELAY, &value, &length) == 0 && value != 0
}

func raiseInThisThread(_ number: CInt) { _ = pthread_kill(pthread_self(), number) }

/// The kernel's name of the calling thread.
func threadName() -> String {
    guard let file = try? unsafe FileDescriptor.open("/proc/thread-self/comm", .readOnly) else { return "" }
    defer { try? file.close() }
    var bytes = [UInt8](repeating: 0, count: 32)
    let count = (try? unsafe bytes.withUnsafeMutableBytes { unsafe try file.read(into: $0) }) ?? 0
    return String(decoding: bytes.prefix(max(0, count - 1)), as: UTF8.self)
}

func openNull() -> CInt { unsafe open("/dev/null", O_RDONLY | O_CLOEXEC) }

func writeFile(_ path: String) { close(unsafe creat(path, 0o600)) }
