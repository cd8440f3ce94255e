import Glibc
import Kernel
import Store

/// Processes of the executable `StorePeer`, found beside the test bundle.
enum Peers {
    static let path: String = {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = unsafe buffer.withUnsafeMutableBytes {
            unsafe readlink("/proc/self/exe", $0.baseAddress!.assumingMemoryBound(to: CChar.self), 4095)
        }
        let executable = String(decoding: buffer[..<max(count, 0)], as: UTF8.self)
        return executable.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 } + "/StorePeer"
    }()

    static func start(_ store: Store, _ arguments: [String]) throws -> ChildProcess {
        try ChildProcess(path: path, arguments: arguments, descriptors: [(store.descriptor, 3)])
    }

    static func sleep(milliseconds: Int) { usleep(UInt32(milliseconds * 1000)) }

    /// Waits until the process is stopped, or has ended.
    static func waitUntilStopped(_ process: borrowing ChildProcess) {
        for _ in 0..<5000 {
            if state(of: process.id) == "T" || state(of: process.id) == "Z" { return }
            sleep(milliseconds: 1)
        }
    }

    private static func state(of id: Int32) -> Character? {
        guard let file = unsafe fopen("/proc/\(id)/stat", "r") else { return nil }
        defer { unsafe fclose(file) }
        var line = [UInt8](repeating: 0, count: 512)
        let count = unsafe fread(&line, 1, 512, file)
        let text = String(decoding: line[..<count], as: UTF8.self)
        return text.split(separator: ")").last?.dropFirst().first
    }
}
