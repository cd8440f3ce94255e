import Bytes
import Kernel
import Loop
import Synchronization
import SystemPackage

/// A helper thread's loop. Built inside its thread from `Control`, and confined to it.
struct FilesThread: ~Copyable {
    /// A socket in a mailbox.
    final class Parcel: Sendable {
        private let socket: Locked<Socket?>

        init(_ socket: consuming Socket) { self.socket = Locked(consume socket) }

        func open() -> Socket? {
            var taken: Socket?
            socket.withLock { taken = $0.take() }
            return taken
        }
    }

    /// What other threads hold of it. All that can fail is made here, before the thread starts.
    final class Control: Sendable {
        let mailbox: Mailbox<Parcel>
        let root: FilesRoot
        let mustStop = Atomic<Bool>(false)
        // Swift's own mutex, as a poller is not Sendable; taken once, by the new thread.
        private let poller: Mutex<Poller?>

        init(root: FilesRoot) throws(Errno) {
            let doorbell = try Doorbell()
            let poller = try Poller(capacity: 64)
            try doorbell.attach(to: poller, token: FilesThread.bell.token)
            self.root = root
            mailbox = Mailbox(doorbell: doorbell)
            self.poller = Mutex(consume poller)
        }

        func stop() {
            mustStop.store(true, ordering: .releasing)
            mailbox.doorbell.ring()
        }

        func takePoller() -> Poller? { poller.withLock { $0.take() } }
    }

    private static let connectionKind: UInt8 = 1
    private static let bell = Handle.named(kind: 2)

    private let control: Control
    private var poller: Poller
    private var connections = SlotTable<FileConnection>(kind: FilesThread.connectionKind)
    private var responder: Responder
    private var parcels: [Parcel] = []
    /// Connections that used up their turn.
    private var unfinished: [Handle] = []
    private var turn: [Handle] = []

    init(_ control: Control) {
        guard let poller = control.takePoller() else { preconditionFailure("a control starts one thread") }
        self.control = control
        self.poller = poller
        responder = Responder(root: control.root)
    }

    mutating func run() {
        while true {
            let count = poller.wait(timeoutMilliseconds: unfinished.isEmpty ? nil : 0)
            for index in 0..<count {
                let handle = Handle(token: poller[index].token)
                if handle == Self.bell {
                    control.mailbox.doorbell.answer()
                    if control.mustStop.load(ordering: .acquiring) { return }
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

    private mutating func accept() {
        control.mailbox.collect(into: &parcels)
        for parcel in parcels {
            guard let socket = parcel.open() else { continue }
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
        parcels.removeAll(keepingCapacity: true)
    }

    private mutating func advance(_ handle: Handle) {
        switch connections[handle].advance(&responder) {
        case .waiting: break
        case .unfinished: if !unfinished.contains(handle) { unfinished.append(handle) }
        case .finished: _ = connections.remove(handle)
        }
    }
}
