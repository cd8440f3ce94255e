/// Fuzzes checkGzip under libFuzzer (built with FUZZING defined), or replays files given as arguments.
import FuzzChecks

#if FUZZING
    @c(LLVMFuzzerTestOneInput)
    public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
        // libFuzzer lends `count` bytes for the length of this call.
        checkGzip(unsafe UnsafeBufferPointer(start: start, count: count).span)
        return 0
    }
#else
    @main
    struct Replay {
        static func main() { replay(CommandLine.arguments.dropFirst(), checkGzip) }
    }
#endif
