/// The second part of `larder check`: tries ports, folders, names, the access log and memory on this machine.
/// It serves nothing and leaves nothing behind.
///
/// A problem is an error if no user can start Larder here and now. It is a warning if it depends on the user
/// that starts Larder, or on the processes that run at the moment: people check a configuration before a
/// reload, while Larder uses its ports, and not always as the user that serves.

internal import Configuration
internal import Files
internal import Foundation
internal import Kernel
internal import Settings
internal import SystemPackage

struct StartTrial {
    private let loaded: LoadedConfiguration
    private var problems: [Problem] = []
    /// Does this process have the rights of the process that will serve?
    private var hasRightsOfServer: Bool
    private var ports: [Trial.Port] = []

    /// All problems. If root checks for a different `process.user`, this process changes to that user.
    static func run(_ loaded: LoadedConfiguration) -> [Problem] {
        var trial = StartTrial(loaded)
        trial.tryListeners()
        trial.tryUser()
        trial.tryLog()
        trial.tryFolders()
        trial.tryNames()
        trial.tryMemory()
        return trial.problems
    }

    private init(_ loaded: LoadedConfiguration) {
        self.loaded = loaded
        hasRightsOfServer = loaded.settings.process.user.map { User.id(named: $0) == User.current } ?? false
    }

    private mutating func report(_ kind: Problem.Kind, at path: String, _ message: String) {
        problems.append(loaded.problem(as: kind, at: path, message))
    }

    /// - Parameter found: the value in the configuration file.
    private mutating func report(_ error: Errno, at path: String, _ found: String) {
        guard error == .permissionDenied || error == .notPermitted else {
            return report(.error, at: path, "found '\(found)': \(error)")
        }
        let user = User.name(of: User.current) ?? String(User.current)
        report(
            hasRightsOfServer ? .error : .warning, at: path,
            "found '\(found)': \(error) for the user '\(user)'")
    }

    // MARK: Listeners

    private mutating func tryListeners() {
        for (index, listener) in loaded.settings.listeners.enumerated() {
            let path = "listeners[\(index)].bind"
            switch listener.bind {
            case .unix(let file): trySocket(file, path)
            case .tcp:
                guard let address = SocketAddress(parsing: listener.bind.description) else { continue }
                do {
                    ports.append(try Trial.Port(claiming: address))
                } catch {
                    report(error, at: path, listener.bind)
                }
            }
        }
    }

    private mutating func report(_ error: Errno, at path: String, _ bind: BindAddress) {
        switch error {
        case .addressInUse:
            report(
                .warning, at: path,
                "found '\(bind)', which is in use, perhaps by a running Larder; no other process can listen "
                    + "there until that process ends")
        case .addressNotAvailable:
            report(.error, at: path, "found '\(bind)', which is not an address of this machine")
        default: report(error, at: path, "\(bind)")
        }
    }

    /// Checks that a listener can create its unix socket: the folder must be writable, and the path free or
    /// taken by an unused socket.
    private mutating func trySocket(_ file: String, _ path: String) {
        let bind = BindAddress.unix(path: file)
        let attributes = try? FileManager.default.attributesOfItem(atPath: file)
        if let attributes, attributes[.type] as? FileAttributeType != .typeSocket {
            return report(
                .error, at: path,
                "found '\(bind)', but that file is not a socket; Larder does not replace it")
        }
        if attributes != nil, let address = SocketAddress(parsing: bind.description),
            Self.isListenedOn(address)
        {
            return report(.addressInUse, at: path, bind)
        }
        tryFolder(of: file, path, found: "\(bind)")
    }

    private static func isListenedOn(_ address: SocketAddress) -> Bool {
        do {
            _ = try Socket.connect(to: address)
            return true
        } catch {
            return false
        }
    }

    private mutating func tryFolder(of file: String, _ path: String, found: String) {
        let folder = file.lastIndex(of: "/").map { String(file[..<$0]) } ?? "."
        do {
            try Trial.mayWrite(folder.isEmpty ? "/" : folder)
        } catch {
            if error == .noSuchFileOrDirectory {
                report(.error, at: path, "found '\(found)', but there is no folder '\(folder)'")
            } else {
                report(error, at: path, found)
            }
        }
    }

    // MARK: Users

    private mutating func tryUser() {
        guard let problem = loaded.userProblem(as: .warning) else { return }
        problems.append(problem)
        guard problem.kind == .warning, User.current == 0, let user = loaded.settings.process.user else {
            return
        }
        hasRightsOfServer = (try? User.become(user)) != nil
    }

    // MARK: Files

    private mutating func tryLog() {
        guard case .file(let file) = loaded.settings.log.access else { return }
        let path = "log.access"
        let type =
            try? FileManager.default.attributesOfItem(
                atPath: (file as NSString).resolvingSymlinksInPath)[.type] as? FileAttributeType
        guard let type else { return tryFolder(of: file, path, found: file) }
        switch type {
        case .typeDirectory: report(.isDirectory, at: path, file)
        case .typeSocket:
            report(.error, at: path, "found '\(file)', which is a socket; allowed: a file or a pipe")
        case .typeBlockSpecial:
            report(.error, at: path, "found '\(file)', which is a disk; allowed: a file or a pipe")
        default:
            do { try Trial.mayWrite(file) } catch { report(error, at: path, file) }
        }
    }

    private mutating func tryFolders() {
        for upstream in loaded.settings.upstreams {
            guard case .files(let files) = upstream.origin else { continue }
            let path = "upstreams.\(upstream.name)"
            let folder: Directory
            do {
                folder = try Directory.open(files.root)
            } catch {
                report(error, at: "\(path).files", files.root)
                continue
            }
            for (key, page) in [("fallback", files.fallback), ("notFound", files.notFound)] {
                guard let page, let why = SitePage(page)?.problem(in: folder) else { continue }
                report(
                    .error, at: "\(path).\(key)",
                    "found '\(page)', which cannot be read below 'files': \(why)")
            }
        }
    }

    // MARK: Names

    /// Looks each name up once, as the start does. The time is bounded: a resolver that does not answer costs
    /// seconds for each name.
    private mutating func tryNames() {
        var answers: [String: String?] = [:]
        let start = Clock.monotonicMilliseconds()
        for upstream in loaded.settings.upstreams {
            guard case .servers(let servers) = upstream.origin else { continue }
            for (index, server) in servers.enumerated() {
                guard case .host(let host, let port) = server.address else { continue }
                let path = "upstreams.\(upstream.name).servers[\(index)]"
                if answers[host] == nil {
                    guard Clock.monotonicMilliseconds() < start + 30_000 else {
                        return report(
                            .warning, at: path,
                            "looking up names took 30 s; this name and the names after it were not checked")
                    }
                    do {
                        _ = try Resolution.resolve(host: host, port: port)
                        answers[host] = .some(nil)
                    } catch {
                        answers[host] = error.message
                    }
                }
                guard case .some(.some(let why)) = answers[host] else { continue }
                report(.error, at: path, "found '\(server.address)', but the name has no address: \(why)")
            }
        }
    }

    // MARK: Memory

    private mutating func tryMemory() {
        do throws(MemoryPlan.Refusal) {
            let note = try loaded.settings.fitting(memoryLimit: MemoryLimit.bytes(), threads: 1).note
            if let note { report(.note, at: "cache.memory", note) }
        } catch {
            report(.error, at: "cache.memory", error.description)
        }
    }
}
