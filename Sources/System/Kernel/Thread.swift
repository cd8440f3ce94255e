internal import CKernel
public import SystemPackage

/// Threads that are built from a seed: a noncopyable value moves in, and nothing else is shared.
public enum Thread {
    /// Starts a thread that runs `body` on `seed`. The thread inherits the caller's signal mask.
    /// - Parameter name: for `top` and debuggers; the kernel keeps 15 bytes.
    /// Throws `.resourceTemporarilyUnavailable` at the limit of threads; the seed is destroyed then.
    public static func spawn<Seed: ~Copyable & Sendable>(
        name: String, seed: consuming Seed, body: @escaping @Sendable (consuming Seed) -> Void
    ) throws(Errno) -> JoinHandle {
        let launch = unsafe Unmanaged.passRetained(SeededLaunch(seed: seed, body: body) as Launch)
        var thread: UInt64 = 0
        // The retained launch is given to the thread, which releases it. The name is copied during the call.
        let result = unsafe name.withCString { name in
            unsafe larder_thread_start(&thread, name, launch.toOpaque()) { argument in
                unsafe Unmanaged<Launch>.fromOpaque(argument).takeRetainedValue().run()
            }
        }
        if result < 0 {
            // No thread took it.
            unsafe launch.release()
            throw Errno(rawValue: -result)
        }
        return JoinHandle(thread: thread)
    }

    /// Lowers the calling thread's priority (niceness 10): for work that must not delay loops. That the
    /// kernel may refuse changes nothing but speed.
    public static func yieldToOthers() { _ = larder_thread_yield_to_others() }

    /// A running thread. Dropping the handle lets it run on by itself.
    public struct JoinHandle: ~Copyable, Sendable {
        let thread: UInt64

        deinit { _ = larder_thread_detach(thread) }

        /// Waits for the thread's end.
        public consuming func join() {
            let result = larder_thread_join(thread)
            precondition(result == 0, "a thread is joined once, and not by itself")
            discard self
        }

        /// Waits for the thread's end, for so long at most; a thread that takes longer runs on by itself.
        /// - Returns: has it ended?
        public consuming func join(withinMilliseconds limit: Int) -> Bool {
            let hasEnded = larder_thread_join_within(thread, UInt32(clamping: limit)) == 0
            if !hasEnded { _ = larder_thread_detach(thread) }
            discard self
            return hasEnded
        }
    }
}

/// C starts threads with one untyped argument: this is what it points at.
private class Launch {
    func run() {}
}

private final class SeededLaunch<Seed: ~Copyable & Sendable>: Launch {
    private var seed: Seed?
    private let body: @Sendable (consuming Seed) -> Void

    init(seed: consuming Seed, body: @escaping @Sendable (consuming Seed) -> Void) {
        self.seed = consume seed
        self.body = body
    }

    override func run() {
        if let seed = seed.take() { body(seed) }
    }
}
