/// Fuzzes HitCheck under libFuzzer (built with FUZZING defined), or replays files given as arguments.
import FuzzChecks
import HitChecks

#if FUZZING
    // libFuzzer calls on one thread.
    nonisolated(unsafe) private var hits = HitCheck()

    @c(LLVMFuzzerTestOneInput)
    public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
        // libFuzzer lends `count` bytes for the length of this call.
        unsafe hits.check(bytes: UnsafeBufferPointer(start: start, count: count).span)
        return 0
    }
#else
    @main
    struct Replay {
        static func main() {
            var hits = HitCheck()
            replay(CommandLine.arguments.dropFirst()) { hits.check(bytes: $0) }
        }
    }
#endif
