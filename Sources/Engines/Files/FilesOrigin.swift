internal import Bytes
public import Kernel
internal import Loop
internal import Synchronization
public import SystemPackage

/// A folder as an origin: helper threads that speak HTTP/1.1 over unix sockets, which only this process
/// reaches.
///
///     worker's loop                              helper thread
///     connect() ── PrivateListener ────────────▶ its own poller: FileConnection, Responder
///        │                                              │ openat2, pread (may wait for the disk)
///        └── pooled like any origin connection ◀────────┘
///
/// So a slow disk stalls no loop, and all that the proxy knows of origins (pools, timeouts, retries, caching)
/// holds for files too. GET and HEAD; ranges and conditionals; nothing outside the root, nothing hidden but
/// `/.well-known/`, regular files only.
public final class FilesOrigin: Sendable {
    private let threads: [FilesThread.Control]
    private let running: [RunningThread]
    private let next = Atomic<Int>(0)

    /// Starts the helper threads.
    ///
    /// - Parameters:
    ///   - cacheControl: sent with every file; nil for none. Must be a valid field value.
    ///   - fallback: answers for a page that is no file: a single-page application.
    ///   - notFound: the body of a 404.
    ///   - threads: how many files can wait for the disk at a time.
    /// Throws what making descriptors and threads throws.
    public init(
        root: consuming Directory, cacheControl: String? = nil, fallback: SitePage? = nil,
        notFound: SitePage? = nil, threads: Int = 2
    ) throws(Errno) {
        precondition(threads > 0)
        let root = FilesRoot(
            directory: root, cacheControl: cacheControl ?? "", fallback: fallback, notFound: notFound)
        var controls: [FilesThread.Control] = []
        var running: [RunningThread] = []
        do {
            for _ in 0..<threads {
                let control = try FilesThread.Control(root: root)
                let handle = try Thread.spawn(name: "files", seed: control) { control in
                    var thread = FilesThread(control)
                    thread.run()
                }
                controls.append(control)
                running.append(RunningThread(handle))
            }
        } catch {
            for control in controls { control.stop() }
            throw error
        }
        self.threads = controls
        self.running = running
    }

    /// How long `stop` waits for the threads.
    private static let stopMilliseconds = 2_000

    deinit { stop() }

    /// A connection to the origin, non-blocking and connected at once. From any thread.
    /// Throws at the limit of descriptors; `.resourceTemporarilyUnavailable` when 4 096 wait to be accepted.
    public func connect() throws(Errno) -> Socket {
        let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
        return try Socket.connect(
            to: threads[Int(UInt(bitPattern: index) % UInt(threads.count))].listener.name)
    }

    /// Closes all connections and ends the threads. Waits for them: for one read of the disk, and for two
    /// seconds at most.
    /// - Returns: false: a disk does not answer, and a thread is left to wait for it.
    @discardableResult
    public func stop() -> Bool {
        for thread in threads { thread.stop() }
        let deadline = Deadline(milliseconds: Self.stopMilliseconds)
        return running.reduce(true) { $1.join(by: deadline) && $0 }
    }
}
