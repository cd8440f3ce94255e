import Bytes
import Kernel
import Loop
import Synchronization
import SystemPackage

/// A helper thread's loop. Built inside its thread from `Control`, and confined to it.
struct FilesThread: ~Copyable {
    /// What other threads hold of it. All that can fail is made here, before the thread starts.
    final class Control: Sendable {
        let listener: PrivateListener
        let root: FilesRoot
        private let doorbell: Doorbell
        let mustStop = Atomic<Bool>(false)
        // Swift's own mutex, as a poller is not Sendable; taken once, by the new thread.
        private let poller: Mutex<Poller?>

        init(root: FilesRoot) throws(Errno) {
            doorbell = try Doorbell()
            listener = try PrivateListener()
            let poller = try Poller(capacity: 64)
            try doorbell.attach(to: poller, token: FilesThread.bell.word)
            try poller.addListener(listener.raw, token: FilesThread.door.word)
            self.root = root
            self.poller = Mutex(consume poller)
        }

        func stop() {
            mustStop.store(true, ordering: .releasing)
            doorbell.ring()
        }

        func takePoller() -> Poller? { poller.withLock { $0.take() } }
    }

    private static let connectionKind: UInt8 = 1
    private static let bell = Token(kind: 2)
    private static let door = Token(kind: 3)
    /// How long accepting rests after the kernel had no descriptor.
    private static let pauseMilliseconds = 100

    private let control: Control
    private var poller: Poller
    private var connections = SlotTable<FileConnection>(kind: FilesThread.connectionKind)
    private var responder: Responder
    private var isPaused = false
    /// Connections that used up their turn.
    private var unfinished: [Handle<FileConnection>] = []
    private var turn: [Handle<FileConnection>] = []

    init(_ control: Control) {
        guard let poller = control.takePoller() else { preconditionFailure("a control starts one thread") }
        self.control = control
        self.poller = poller
        responder = Responder(root: control.root)
    }

    mutating func run() {
        while true {
            let count = poller.wait(timeoutMilliseconds: timeout)
            if control.mustStop.load(ordering: .acquiring) { return }
            if isPaused { resumeAccepting() }
            for index in 0..<count {
                let handle = Handle<FileConnection>(token: poller[index].token)
                if handle.token == Self.door.word {
                    accept()
                } else if connections.contains(handle) {
                    advance(handle)
                }
            }
            swap(&turn, &unfinished)
            for handle in turn where connections.contains(handle) { advance(handle) }
            turn.removeAll(keepingCapacity: true)
        }
    }

    private var timeout: Int? { !unfinished.isEmpty ? 0 : isPaused ? Self.pauseMilliseconds : nil }

    private mutating func accept() {
        while true {
            switch control.listener.accept() {
            case .connection(let accepted): admit(accepted.socket)
            case .wouldBlock: return
            default:
                // No descriptor, or no listener that works.
                pauseAccepting()
                return
            }
        }
    }

    /// The listener stays readable: without a rest the loop would spin.
    private mutating func pauseAccepting() {
        poller.remove(control.listener.raw)
        isPaused = true
    }

    private mutating func resumeAccepting() {
        do {
            try poller.addListener(control.listener.raw, token: Self.door.word)
            isPaused = false
        } catch {
            // No kernel memory for a watch: after another rest.
        }
    }

    private mutating func admit(_ socket: consuming Socket) {
        let raw = socket.raw
        let handle = connections.insert(FileConnection(socket: socket))
        do {
            // Edge-triggered, and what has come already is told at once.
            try poller.add(raw, token: handle.token)
        } catch {
            // No memory to watch it: the proxy sees the connection closed.
            _ = connections.remove(handle)
        }
    }

    private mutating func advance(_ handle: Handle<FileConnection>) {
        switch connections[handle].advance(&responder) {
        case .waiting: break
        case .unfinished: if !unfinished.contains(handle) { unfinished.append(handle) }
        case .finished: _ = connections.remove(handle)
        }
    }
}
