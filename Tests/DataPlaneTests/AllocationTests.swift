// A hit allocates nothing. The executable `AllocationCheck` beside the test bundle counts, in debug builds
// too. (`swift run -c release AllocationCheck` checks the optimised program.)

import Glibc
import Kernel
import DataPlaneHarness
import Testing

struct AllocationTests {
    @Test func aHitAllocatesNothing() throws {
        var check = try ChildProcess(path: Self.path)
        let status = check.wait()
        #expect(status == .exited(0))
    }

    private static let path: String = {
        var buffer = [UInt8](repeating: 0, count: 4096)
        // The kernel writes at most 4095 bytes of the buffer.
        let count = unsafe buffer.withUnsafeMutableBytes {
            unsafe readlink("/proc/self/exe", $0.baseAddress!.assumingMemoryBound(to: CChar.self), 4095)
        }
        let executable = String(decoding: buffer[..<max(count, 0)], as: UTF8.self)
        return executable.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 } + "/AllocationCheck"
    }()
}
